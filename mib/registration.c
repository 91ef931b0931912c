#include "mib/registration.h"

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include <net-snmp/agent/net-snmp-agent-includes.h>
#include <net-snmp/agent/sysORTable.h>

#include "mib/asn.h"
#include "mib/root.h"

static oid root[] = {MIB_ROOT}; /* not const: the library takes it so, and only reads */

/* A name relative to the root; RELATIVE_MAX is far beyond any object's. */
#define RELATIVE_MAX 16

struct relative {
    uint32_t name[RELATIVE_MAX];
    size_t length;
};

static const struct mib_service *service;

/* For UNDO: what held before the ACTION of this transaction. */
static struct set_settings before_action;
static bool action_done;

/* A longer name than RELATIVE_MAX is cut: it is an instance of nothing, before and after. */
static struct relative relative_to_root(const netsnmp_variable_list *varbind)
{
    struct relative relative = {.length = 0};

    for (size_t i = OID_LENGTH(root); i < varbind->name_length && relative.length < RELATIVE_MAX;
         i++)
        relative.name[relative.length++] = (uint32_t)varbind->name[i];
    return relative;
}

/* The answer to a GET; returns the exception of RFC 3416, 4.2.1, where there is no value. */
static u_char put_value(netsnmp_variable_list *varbind, const struct mib_view *view)
{
    struct relative relative = relative_to_root(varbind);
    struct mib_value value;

    switch (mib_get(view, relative.name, relative.length, &value)) {
    case MIB_FOUND:
        break;
    case MIB_NO_OBJECT:
        return SNMP_NOSUCHOBJECT;
    case MIB_NO_INSTANCE:
        return SNMP_NOSUCHINSTANCE;
    }
    asn_put(varbind, &value);
    return 0;
}

/* The name and value that follow, or, `inclusive`, this name's own; false: none before `end`. */
static bool put_next(netsnmp_variable_list *varbind, bool inclusive, const oid *end,
                     size_t end_length, const struct mib_view *view)
{
    struct relative relative = relative_to_root(varbind);
    oid name[OID_LENGTH(root) + MIB_NAME_MAX];
    uint32_t next[MIB_NAME_MAX];
    size_t length;
    struct mib_value value;

    if (inclusive && put_value(varbind, view) == 0)
        return true;
    if (!mib_next(view, relative.name, relative.length, next, &length, &value))
        return false;
    memcpy(name, root, sizeof root);
    for (size_t i = 0; i < length; i++)
        name[OID_LENGTH(root) + i] = next[i];
    length += OID_LENGTH(root);
    if (end_length > 0 && snmp_oid_compare(name, length, end, end_length) >= 0)
        return false;
    snmp_set_var_objid(varbind, name, length);
    asn_put(varbind, &value);
    return true;
}

static void answer_get(netsnmp_agent_request_info *info, netsnmp_request_info *request,
                       const struct mib_view *view)
{
    u_char exception = put_value(request->requestvb, view);

    if (exception != 0)
        netsnmp_set_request_error(info, request, exception);
}

/* Nothing found: left as it is, and the library, which keeps the range, goes on behind it. */
static void answer_getnext(netsnmp_request_info *request, const struct mib_view *view)
{
    put_next(request->requestvb, request->inclusive, NULL, 0, view);
}

static bool are_ours(const netsnmp_variable_list *varbinds)
{
    for (; varbinds; varbinds = varbinds->next_variable)
        if (varbinds->name_length < OID_LENGTH(root) ||
            memcmp(varbinds->name, root, sizeof root) != 0)
            return false;
    return true;
}

/* A search range of RFC 2741, 5.2: the library has the end as the value, and says by the
   type whether the start is included. An end of no or null OID is none. */
static bool put_next_in_range(netsnmp_variable_list *varbind, const struct mib_view *view)
{
    oid end[MAX_OID_LEN];
    size_t end_length = varbind->val_len / sizeof *end;

    if (end_length > MAX_OID_LEN || !varbind->val.objid || end_length <= 2)
        end_length = 0;
    else
        memcpy(end, varbind->val.objid, end_length * sizeof *end);
    return put_next(varbind, varbind->type == ASN_PRIV_INCL_RANGE, end, end_length, view);
}

bool mib_answer(struct variable_list *varbinds, bool next)
{
    struct mib_view view;

    if (!are_ours(varbinds))
        return false;
    service->view(service->context, &view);
    for (; varbinds; varbinds = varbinds->next_variable) {
        u_char exception = 0;

        if (!next)
            exception = put_value(varbinds, &view);
        else if (!put_next_in_range(varbinds, &view))
            exception = SNMP_ENDOFMIBVIEW;
        if (exception != 0)
            snmp_set_var_typed_value(varbinds, exception, NULL, 0);
    }
    return true;
}

/* Takes one varbind of a SET into `settings`, checked as RFC 3416 (4.2.5) orders. */
static int take_varbind(const netsnmp_variable_list *varbind, const struct mib_view *view,
                        struct set_settings *settings)
{
    struct relative relative = relative_to_root(varbind);
    const struct mib_object *object = mib_object_of(relative.name, relative.length);
    enum setting id;
    enum metric metric;
    uint32_t value;
    int error;

    if (!object || object->access != MIB_READ_WRITE)
        return SNMP_ERR_NOTWRITABLE;
    id = object->which;
    error = asn_take_setting(varbind, id, &value);
    if (error != SNMP_ERR_NOERROR)
        return error;
    if (!mib_instance_exists(view, object, relative.name, relative.length))
        return SNMP_ERR_NOCREATION;
    metric = relative.name[relative.length - 1];
    settings->value[metric].value[id] = value;
    settings->set[metric] |= UINT32_C(1) << id;
    return SNMP_ERR_NOERROR;
}

/* Whether the row of a varbind is in order after it. What has been chosen of the causes
   stays, and is in nobody's way, when they are not measured any more. */
static bool stays_consistent(const netsnmp_variable_list *varbind, const struct mib_view *view,
                             const struct set_settings *settings)
{
    struct relative relative = relative_to_root(varbind);
    const struct mib_object *object = mib_object_of(relative.name, relative.length);
    enum metric metric = relative.name[relative.length - 1];
    bool may_choose =
        object->which != SETTING_CAUSES || alarm_causes_measured(metric, &view->snapshot->sample);
    enum setting culprit;

    return settings_check(&settings->value[metric], metric, may_choose, &culprit) == SETTINGS_OK;
}

/* The settings as all varbinds together would have them; false after an error was set. */
static bool take_all(netsnmp_agent_request_info *info, netsnmp_request_info *requests,
                     const struct mib_view *view, struct set_settings *settings)
{
    *settings = view->snapshot->settings;
    for (netsnmp_request_info *request = requests; request; request = request->next) {
        int error = take_varbind(request->requestvb, view, settings);

        if (error != SNMP_ERR_NOERROR) {
            netsnmp_set_request_error(info, request, error);
            return false;
        }
    }
    for (netsnmp_request_info *request = requests; request; request = request->next) {
        if (!stays_consistent(request->requestvb, view, settings)) {
            netsnmp_set_request_error(info, request, SNMP_ERR_INCONSISTENTVALUE);
            return false;
        }
    }
    return true;
}

/* The last phase that the manager waits for: what fails here reaches it as commitFailed. */
static void set_action(netsnmp_agent_request_info *info, netsnmp_request_info *requests,
                       const struct mib_view *view)
{
    struct set_settings settings;

    action_done = false;
    before_action = view->snapshot->settings;
    if (!take_all(info, requests, view, &settings))
        return;
    if (service->apply(service->context, &settings))
        action_done = true;
    else
        netsnmp_set_request_error(info, requests, SNMP_ERR_COMMITFAILED);
}

/* Comes after one's own failed ACTION, too, and then there is nothing to undo. */
static void set_undo(netsnmp_agent_request_info *info, netsnmp_request_info *requests)
{
    if (action_done && !service->apply(service->context, &before_action))
        netsnmp_set_request_error(info, requests, SNMP_ERR_UNDOFAILED);
    action_done = false;
}

static int handle(netsnmp_mib_handler *handler, netsnmp_handler_registration *registration,
                  netsnmp_agent_request_info *info, netsnmp_request_info *requests)
{
    struct mib_view view;
    struct set_settings settings;

    (void)handler, (void)registration;
    service->view(service->context, &view);
    switch (info->mode) {
    case MODE_GET:
        for (netsnmp_request_info *request = requests; request; request = request->next)
            answer_get(info, request, &view);
        break;
    case MODE_GETNEXT:
        for (netsnmp_request_info *request = requests; request; request = request->next)
            answer_getnext(request, &view);
        break;
    case MODE_SET_RESERVE1:
        take_all(info, requests, &view, &settings);
        break;
    case MODE_SET_ACTION:
        set_action(info, requests, &view);
        break;
    case MODE_SET_UNDO:
        set_undo(info, requests);
        break;
    case MODE_SET_COMMIT:
        action_done = false; /* nothing undoes it any more */
        break;
    case MODE_SET_RESERVE2:
    case MODE_SET_FREE:
        break;
    }
    return SNMP_ERR_NOERROR;
}

bool mib_register(const struct mib_service *with)
{
    netsnmp_handler_registration *registration;
    size_t count;

    service = with;
    mib_objects(&count);
    registration = netsnmp_create_handler_registration("tcpReset", handle, root, OID_LENGTH(root),
                                                       HANDLER_CAN_RWRITE);
    if (!registration || netsnmp_register_handler(registration) != MIB_REGISTERED_OK)
        return false;
    REGISTER_SYSOR_ENTRY(root, "TCP-RESET-MIB: TCP resets and SYN cookies of this host");
    return true;
}
