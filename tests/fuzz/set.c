/* SET: any varbinds, in the phases that a master may send, in any order. What is refused changes
   nothing, what is undone is as before, and what holds is always what a SET may make. The bytes
   are phases: which, of which of two SETs, whether storing fails, and for TestSet varbinds:
   column, row, type, length, value. */
#include "mib/requests.c"

#include "subagent/settings.h"

#include "tests/fuzz/input.h"

#define VARBINDS_MAX 4

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

static void add_varbind(netsnmp_pdu *pdu, struct input *input)
{
    static const u_char types[] = {ASN_INTEGER, ASN_UNSIGNED,  ASN_OCTET_STR, ASN_COUNTER64,
                                   ASN_NULL,    ASN_OBJECT_ID, ASN_IPADDRESS, ASN_TIMETICKS};
    const oid relative[] = {1, 5, 1, 1, take_byte(input), take_byte(input)};
    oid name[OID_LENGTH(root) + 6];
    u_char value[300];
    size_t length = take_byte(input) % 9;
    u_char type = types[take_byte(input) % sizeof types];
    long number = 0;

    memcpy(name, root, sizeof root);
    memcpy(name + OID_LENGTH(root), relative, sizeof relative);
    take(input, value, sizeof value / 2);
    switch (type) {
    case ASN_OCTET_STR:
        break;
    case ASN_COUNTER64:
        length = sizeof(struct counter64);
        break;
    case ASN_NULL:
        length = 0;
        break;
    case ASN_OBJECT_ID:
        memcpy(value, name, sizeof name);
        length = sizeof name;
        break;
    default:
        memcpy(&number, value, sizeof(uint32_t));
        memcpy(value, &number, sizeof number);
        length = sizeof number;
    }
    snmp_pdu_add_variable(pdu, name, OID_LENGTH(name), type, value, length);
}

/* Whether this phase of a SET was done. */
static bool phase(int command, uint32_t transaction, struct input *varbinds, int count)
{
    netsnmp_pdu *pdu = snmp_pdu_create(command);
    bool done;

    pdu->transid = transaction;
    for (int n = 0; n < count; n++)
        add_varbind(pdu, varbinds);
    HOLDS(mib_answer(pdu) == (command != AGENTX_CLEANUPSET));
    HOLDS(pdu->variables == NULL || command == AGENTX_CLEANUPSET);
    done = pdu->errstat == SNMP_ERR_NOERROR;
    HOLDS(command == AGENTX_CLEANUPSET || (pdu->errindex >= 0 && pdu->errindex <= VARBINDS_MAX));
    snmp_free_pdu(pdu);
    return done;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    struct set_settings undone[2];
    bool committed[2] = {false, false};
    size_t count;

    service = &fuzzed;
    mib_objects(&count);
    mib_forget_set();
    for (enum metric metric = 0; metric < METRIC_SLOTS; metric++)
        snapshot.settings.value[metric] = settings_default();
    while (input.left > 0) {
        struct set_settings before = snapshot.settings;
        uint8_t how = take_byte(&input);
        uint32_t which = how >> 6 & 1;
        bool done;

        apply_fails = how & 0x80;
        switch (how % 4) {
        case 0:
            phase(AGENTX_TESTSET, which, &input, 1 + (how >> 2) % VARBINDS_MAX);
            HOLDS(memcmp(&before, &snapshot.settings, sizeof before) == 0);
            committed[0] = committed[1] = false;
            break;
        case 1:
            done = phase(AGENTX_COMMITSET, which, NULL, 0);
            HOLDS(done || memcmp(&before, &snapshot.settings, sizeof before) == 0);
            if (done) {
                undone[which] = before;
                committed[which] = true;
            }
            break;
        case 2:
            done = phase(AGENTX_UNDOSET, which, NULL, 0);
            HOLDS(!committed[which] || done == !apply_fails);
            HOLDS(memcmp(done && committed[which] ? &undone[which] : &before, &snapshot.settings,
                         sizeof before) == 0);
            committed[which] = false;
            break;
        default:
            phase(AGENTX_CLEANUPSET, which, NULL, 0);
            HOLDS(memcmp(&before, &snapshot.settings, sizeof before) == 0);
            committed[which] = false;
        }
        is_in_order();
    }
    return 0;
}
