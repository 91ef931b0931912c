/* An event as a notification: the words for it, and the varbinds that are columns of its row. */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include "mib/notify.h"
#include "subagent/summary.h"

#include "tests/fuzz/input.h"

/* What the alarm rule and the store let through. */
static void take_event(struct input *input, struct event *event)
{
    take(input, event, sizeof *event);
    event->number = event->number % INT32_MAX + 1;
    event->kind = EVENT_RAISED + (unsigned)event->kind % EVENT_METHOD;
    event->metric = METRIC_FIRST + (unsigned)event->metric % METRIC_LAST;
    event->cause %= CAUSE_SLOTS;
    event->evidence.state %= EVIDENCE_DELETED + 1;
    event->summary[0] = '\0';
}

static void take_counted(struct input *input, struct counted *counted)
{
    take(input, counted, sizeof *counted);
    counted->dominant = (unsigned)counted->dominant % CAUSE_SLOTS;
    counted->part = take_byte(input) & 1;
    counted->peer.cause %= CAUSE_SLOTS;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    struct event_log events;
    struct snapshot *snapshot = calloc(1, sizeof *snapshot);
    struct counted counted;
    struct event event;
    netsnmp_variable_list *varbinds;
    size_t count;

    mib_objects(&count);
    take_event(&input, &event);
    take_counted(&input, &counted);
    summary_of_event(event.summary, &event, take_byte(&input) & 1, &counted);
    HOLDS(memchr(event.summary, '\0', sizeof event.summary) != NULL && event.summary[0] != '\0');
    if (!snapshot || !event_log_open(&events, 10))
        abort();
    event_log_add(&events, &event);
    varbinds = notify_varbinds(
        &(struct mib_view){
            .snapshot = snapshot, .events = &events, .storage_error = "", .state_directory = ""},
        &event);
    HOLDS(varbinds != NULL);
    for (const netsnmp_variable_list *each = varbinds; each; each = each->next_variable)
        HOLDS(each->type == ASN_OBJECT_ID || each->name_length > 2);
    snmp_free_varbind(varbinds);
    event_log_close(&events);
    free(snapshot);
    return 0;
}
