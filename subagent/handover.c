#include "subagent/handover.h"

#include <string.h>
#include <sys/mman.h>

#include "subagent/config.h"

struct handover {
    _Atomic bool filled; /* after all the rest: an agent may be killed meanwhile */
    struct stored stored;
    struct event_log log; /* its events are those below */
    struct event events[EVENT_CAPACITY_MAX];
};

struct handover *handover_create(void)
{
    struct handover *handover =
        mmap(NULL, sizeof *handover, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return handover == MAP_FAILED ? NULL : handover;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* All of them, those that both have as they are in `from`, which is newer. */
static void merge(struct event_log *log, const struct event_log *from)
{
    for (const struct event *event = event_log_after(from, 0); event;
         event = event_log_after(from, event->number)) {
        struct event *older = event_log_find(log, event->number);

        if (older)
            *older = *event;
        else if (event->number > log->newest)
            event_log_add(log, event);
    }
    log->newest = larger(log->newest, from->newest);
    log->dropped = larger(log->dropped, from->dropped);
    log->delivered = larger(log->delivered, from->delivered);
}

void handover_leave(struct handover *handover, const struct stored *stored)
{
    handover->filled = false;
    handover->stored = *stored;
    handover->log = (struct event_log){.events = handover->events, .capacity = EVENT_CAPACITY_MAX};
    merge(&handover->log, stored->events);
    handover->filled = true;
}

bool handover_take(struct handover *handover, struct stored *stored)
{
    if (!handover->filled)
        return false;
    handover->filled = false;
    if (handover->stored.settings_known) {
        stored->settings = handover->stored.settings;
        stored->settings_known = true;
    }
    memcpy(stored->alarms, handover->stored.alarms, sizeof stored->alarms);
    if (stored->events->kept == 0) /* and so its numbers are nobody's */
        event_log_begin(stored->events, 0);
    merge(stored->events, &handover->log);
    return true;
}
