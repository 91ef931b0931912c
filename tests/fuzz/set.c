/* SET: any varbinds, one request after the other, through the phases in which the library calls
   the handler. What is refused changes nothing, and what holds afterwards is what a SET may
   make. The bytes are varbinds: column, row, type, length, value; a first byte says how many
   there are in a request and whether storing them fails. */
#include "mib/registration.c"

#include "subagent/settings.h"

#include "tests/fuzz/input.h"

#define REQUESTS_MAX 4

static struct snapshot snapshot;
static bool apply_fails;

static void view_now(void *context, struct mib_view *view)
{
    static struct event_log none;

    (void)context;
    *view = (struct mib_view){
        .snapshot = &snapshot, .events = &none, .storage_error = "", .state_directory = ""};
}

static bool apply(void *context, const struct set_settings *settings)
{
    (void)context;
    if (!apply_fails)
        snapshot.settings = *settings;
    return !apply_fails;
}

static const struct mib_service fuzzed = {view_now, apply, NULL};

static void is_in_order(void)
{
    enum setting culprit;

    for (enum metric metric = METRIC_FIRST; metric <= METRIC_LAST; metric++)
        HOLDS(settings_check(&snapshot.settings.value[metric], metric, true, &culprit) ==
              SETTINGS_OK);
}

static void fill_varbind(netsnmp_variable_list *varbind, struct input *input)
{
    static const u_char types[] = {ASN_INTEGER, ASN_UNSIGNED,  ASN_OCTET_STR, ASN_COUNTER64,
                                   ASN_NULL,    ASN_OBJECT_ID, ASN_IPADDRESS, ASN_TIMETICKS};
    const oid relative[] = {1, 5, 1, 1, take_byte(input), take_byte(input)};
    oid name[OID_LENGTH(root) + 6];
    u_char value[300];
    size_t length = take_byte(input) % 9;
    u_char type = types[take_byte(input) % sizeof types];

    memcpy(name, root, sizeof root);
    memcpy(name + OID_LENGTH(root), relative, sizeof relative);
    snmp_set_var_objid(varbind, name, OID_LENGTH(name));
    take(input, value, sizeof value / 2);
    switch (type) {
    case ASN_OCTET_STR:
        snmp_set_var_typed_value(varbind, type, value, length);
        break;
    case ASN_COUNTER64:
        snmp_set_var_typed_value(varbind, type, value, sizeof(struct counter64));
        break;
    case ASN_NULL:
        snmp_set_var_typed_value(varbind, type, NULL, 0);
        break;
    case ASN_OBJECT_ID:
        snmp_set_var_typed_value(varbind, type, name, sizeof name);
        break;
    default: {
        uint32_t number;

        memcpy(&number, value, sizeof number);
        snmp_set_var_typed_integer(varbind, type,
                                   type == ASN_INTEGER ? (long)(int32_t)number : (long)number);
    }
    }
}

static bool phase(int mode, netsnmp_agent_request_info *info, netsnmp_request_info *requests)
{
    info->mode = mode;
    handle(NULL, NULL, info, requests);
    for (netsnmp_request_info *request = requests; request; request = request->next)
        if (request->status != SNMP_ERR_NOERROR)
            return false;
    return true;
}

/* As the library does: after an ACTION that failed comes UNDO, after a RESERVE FREE. */
static void set(netsnmp_request_info *requests)
{
    netsnmp_agent_request_info info = {.mode = 0};
    struct set_settings before = snapshot.settings;

    if (!phase(MODE_SET_RESERVE1, &info, requests)) {
        phase(MODE_SET_FREE, &info, requests);
        HOLDS(memcmp(&before, &snapshot.settings, sizeof before) == 0);
    } else if (!phase(MODE_SET_ACTION, &info, requests)) {
        HOLDS(apply_fails); /* what RESERVE took, only storing can refuse */
        phase(MODE_SET_UNDO, &info, requests);
        HOLDS(memcmp(&before, &snapshot.settings, sizeof before) == 0);
    } else {
        struct set_settings after = snapshot.settings;

        phase(MODE_SET_COMMIT, &info, requests);
        phase(MODE_SET_UNDO, &info, requests); /* of another one, which was never made */
        HOLDS(memcmp(&after, &snapshot.settings, sizeof after) == 0);
    }
    is_in_order();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    size_t count;

    service = &fuzzed;
    mib_objects(&count);
    for (enum metric metric = 0; metric < METRIC_SLOTS; metric++)
        snapshot.settings.value[metric] = settings_default();
    while (input.left > 0) {
        netsnmp_variable_list varbinds[REQUESTS_MAX] = {0};
        netsnmp_request_info requests[REQUESTS_MAX] = {0};
        uint8_t how = take_byte(&input);
        int last = how % REQUESTS_MAX;

        apply_fails = how & 0x80;
        for (int n = 0; n <= last; n++) {
            fill_varbind(&varbinds[n], &input);
            requests[n].requestvb = &varbinds[n];
            requests[n].next = n < last ? &requests[n + 1] : NULL;
        }
        set(requests);
        for (int n = 0; n <= last; n++)
            snmp_reset_var_buffers(&varbinds[n]);
    }
    return 0;
}
