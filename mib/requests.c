#include "mib/requests.h"

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include <net-snmp/agent/net-snmp-agent-includes.h>
#include <net-snmp/agent/sysORTable.h>

#include "mib/agentx.h"
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

/* A response to GetBulk may have less than it was asked for (7.2.3.3). */
#define BULK_MAX 1000 /* varbinds */

/* The SET that the master is in. */
static struct {
    enum { NO_SET, TESTED, FAILED, COMMITTED } phase;
    uint32_t transaction;
    netsnmp_variable_list *varbinds;
    struct set_settings before; /* what held before it was committed */
} set;

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

/* Where the names below the root begin, end, or are. */
static int compare_to_root(const netsnmp_variable_list *varbind)
{
    if (netsnmp_oid_is_subtree(root, OID_LENGTH(root), varbind->name, varbind->name_length) == 0)
        return 0;
    return snmp_oid_compare(varbind->name, varbind->name_length, root, OID_LENGTH(root));
}

static void answer_get(netsnmp_variable_list *varbind, const struct mib_view *view)
{
    u_char exception = compare_to_root(varbind) == 0 ? put_value(varbind, view) : SNMP_NOSUCHOBJECT;

    if (exception != 0)
        snmp_set_var_typed_value(varbind, exception, NULL, 0);
}

/* The name and value that follow, or, `inclusive`, this name's own; false: none before `end`. */
static bool put_next(netsnmp_variable_list *varbind, bool inclusive, const oid *end,
                     size_t end_length, const struct mib_view *view)
{
    int where = compare_to_root(varbind);
    struct relative relative = {.length = 0};
    oid name[OID_LENGTH(root) + MIB_NAME_MAX];
    uint32_t next[MIB_NAME_MAX];
    size_t length;
    struct mib_value value;

    if (where == 0)
        relative = relative_to_root(varbind);
    if (where == 0 && inclusive && put_value(varbind, view) == 0)
        return true;
    if (where > 0 || !mib_next(view, relative.name, relative.length, next, &length, &value))
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

/* A search range of RFC 2741, 5.2: the library has the end as the value, and says by the
   type whether the start is included. An end of no or null OID is none. */
static void answer_getnext(netsnmp_variable_list *varbind, const struct mib_view *view)
{
    oid end[MAX_OID_LEN];
    size_t end_length = varbind->val_len / sizeof *end;

    if (end_length > MAX_OID_LEN || !varbind->val.objid || end_length <= 2)
        end_length = 0;
    else
        memcpy(end, varbind->val.objid, end_length * sizeof *end);
    if (!put_next(varbind, varbind->type == ASN_PRIV_INCL_RANGE, end, end_length, view))
        snmp_set_var_typed_value(varbind, SNMP_ENDOFMIBVIEW, NULL, 0);
}

/* Moves the starts of ranges to the names that were found from there. */
static void go_on_from(netsnmp_variable_list *ranges, const netsnmp_variable_list *found)
{
    for (; ranges; ranges = ranges->next_variable, found = found->next_variable) {
        snmp_set_var_objid(ranges, found->name, found->name_length);
        ranges->type = ASN_PRIV_EXCL_RANGE;
    }
}

/* RFC 2741, 7.2.3.3: the answers to `ranges`, one row of them after the other. */
static netsnmp_variable_list *repeat(netsnmp_variable_list *ranges, long rows,
                                     const struct mib_view *view)
{
    netsnmp_variable_list *found = NULL, **end = &found;
    size_t count = 0;

    while (ranges && rows-- > 0 && count < BULK_MAX) {
        netsnmp_variable_list *row = snmp_clone_varbind(ranges);
        bool more = false;

        *end = row;
        for (; *end; end = &(*end)->next_variable, count++) {
            answer_getnext(*end, view);
            more = more || (*end)->type != SNMP_ENDOFMIBVIEW;
        }
        if (!row || !more)
            break;
        go_on_from(ranges, row);
    }
    return found;
}

static void answer_getbulk(netsnmp_pdu *pdu, const struct mib_view *view)
{
    netsnmp_variable_list **end = &pdu->variables, *ranges;

    for (long left = pdu->non_repeaters; left > 0 && *end; left--) {
        answer_getnext(*end, view);
        end = &(*end)->next_variable;
    }
    ranges = *end;
    *end = repeat(ranges, pdu->max_repetitions, view);
    snmp_free_varbind(ranges);
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

/* The settings as all varbinds together would have them; an error, and of which (from 1). */
static int take_all(const netsnmp_variable_list *varbinds, const struct mib_view *view,
                    struct set_settings *settings, long *index)
{
    const netsnmp_variable_list *varbind;

    *settings = view->snapshot->settings;
    *index = 1;
    for (varbind = varbinds; varbind; varbind = varbind->next_variable, ++*index) {
        int error = compare_to_root(varbind) == 0 ? take_varbind(varbind, view, settings)
                                                  : SNMP_ERR_NOTWRITABLE;

        if (error != SNMP_ERR_NOERROR)
            return error;
    }
    *index = 1;
    for (varbind = varbinds; varbind; varbind = varbind->next_variable, ++*index)
        if (!stays_consistent(varbind, view, settings))
            return SNMP_ERR_INCONSISTENTVALUE;
    *index = 0;
    return SNMP_ERR_NOERROR;
}

void mib_forget_set(void)
{
    snmp_free_varbind(set.varbinds);
    set.varbinds = NULL;
    set.phase = NO_SET;
}

static bool is_in(const netsnmp_pdu *pdu)
{
    return set.phase != NO_SET && set.transaction == (uint32_t)pdu->transid;
}

static int test_set(netsnmp_pdu *pdu, const struct mib_view *view, long *index)
{
    struct set_settings settings;
    int error = take_all(pdu->variables, view, &settings, index);

    mib_forget_set();
    if (error != SNMP_ERR_NOERROR)
        return error;
    set.varbinds = pdu->variables;
    pdu->variables = NULL;
    set.transaction = (uint32_t)pdu->transid;
    set.phase = TESTED;
    return SNMP_ERR_NOERROR;
}

/* The last phase that the manager waits for: what fails here reaches it as commitFailed. */
static int commit_set(const netsnmp_pdu *pdu, const struct mib_view *view, long *index)
{
    struct set_settings settings;
    int error;

    if (!is_in(pdu) || set.phase != TESTED)
        return AGENTX_PROCESSING_ERROR;
    set.phase = FAILED;
    set.before = view->snapshot->settings;
    /* Again: it is to be good for what holds now. */
    error = take_all(set.varbinds, view, &settings, index);
    if (error == SNMP_ERR_NOERROR && service->apply(service->context, &settings)) {
        set.phase = COMMITTED;
        return SNMP_ERR_NOERROR;
    }
    if (error == SNMP_ERR_NOERROR)
        *index = 1;
    return SNMP_ERR_COMMITFAILED;
}

/* Comes after one's own failed CommitSet, too, and then there is nothing to undo. */
static int undo_set(const netsnmp_pdu *pdu, long *index)
{
    bool undone;

    if (!is_in(pdu) || set.phase == TESTED)
        return AGENTX_PROCESSING_ERROR;
    undone = set.phase == FAILED || service->apply(service->context, &set.before);
    mib_forget_set();
    if (undone)
        return SNMP_ERR_NOERROR;
    *index = 1;
    return SNMP_ERR_UNDOFAILED;
}

/* The response to a phase has no varbinds (7.2.4). */
static void answer_phase(netsnmp_pdu *pdu, const struct mib_view *view)
{
    long index = 0;

    if (pdu->command == AGENTX_TESTSET)
        pdu->errstat = test_set(pdu, view, &index);
    else if (pdu->command == AGENTX_COMMITSET)
        pdu->errstat = commit_set(pdu, view, &index);
    else
        pdu->errstat = undo_set(pdu, &index);
    pdu->errindex = index;
    snmp_free_varbind(pdu->variables);
    pdu->variables = NULL;
}

/* Nothing is registered in any context but the default one. The library has it where SNMP has
   the community, and again elsewhere, but not to its end. */
static bool refuse_context(netsnmp_pdu *pdu)
{
    if (pdu->community_len == 0)
        return false;
    pdu->errstat = AGENTX_UNSUPPORTED_CONTEXT;
    pdu->errindex = 0;
    snmp_free_varbind(pdu->variables);
    pdu->variables = NULL;
    return true;
}

static void answer_read(netsnmp_pdu *pdu, const struct mib_view *view)
{
    if (pdu->command == AGENTX_GETBULK)
        answer_getbulk(pdu, view);
    else
        for (netsnmp_variable_list *each = pdu->variables; each; each = each->next_variable)
            (pdu->command == AGENTX_GET ? answer_get : answer_getnext)(each, view);
    pdu->errstat = SNMP_ERR_NOERROR; /* where the library had the numbers of a GetBulk */
    pdu->errindex = 0;
}

static void answer(netsnmp_pdu *pdu)
{
    struct mib_view view;

    service->view(service->context, &view);
    if (pdu->command < AGENTX_TESTSET)
        answer_read(pdu, &view);
    else
        answer_phase(pdu, &view);
}

bool mib_answer(struct snmp_pdu *pdu)
{
    if (pdu->command == AGENTX_CLEANUPSET) {
        if (is_in(pdu))
            mib_forget_set();
        return false;
    }
    if (pdu->command < AGENTX_GET || pdu->command > AGENTX_CLEANUPSET)
        return false;
    if (refuse_context(pdu))
        return true;
    answer(pdu);
    return true;
}

/* Nothing comes this way: agentx_on_request() takes it before. */
static int refuse(netsnmp_mib_handler *handler, netsnmp_handler_registration *registration,
                  netsnmp_agent_request_info *info, netsnmp_request_info *requests)
{
    (void)handler, (void)registration, (void)info, (void)requests;
    return SNMP_ERR_GENERR;
}

bool mib_register(const struct mib_service *with)
{
    netsnmp_handler_registration *registration;
    size_t count;

    service = with;
    mib_objects(&count);
    registration = netsnmp_create_handler_registration("tcpReset", refuse, root, OID_LENGTH(root),
                                                       HANDLER_CAN_RWRITE);
    if (!registration || netsnmp_register_handler(registration) != MIB_REGISTERED_OK)
        return false;
    REGISTER_SYSOR_ENTRY(root, "TCP-RESET-MIB: TCP resets and SYN cookies of this host");
    return true;
}
