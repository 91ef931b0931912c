#include "subagent/events.h"

#include <stdlib.h>

bool event_log_open(struct event_log *log, uint32_t capacity)
{
    *log = (struct event_log){.capacity = capacity};
    log->events = calloc(capacity, sizeof *log->events);
    return log->events != NULL;
}

void event_log_close(struct event_log *log)
{
    free(log->events);
    log->events = NULL;
}

void event_log_begin(struct event_log *log, uint32_t newest)
{
    log->kept = 0;
    log->newest = log->delivered = log->skipped = newest;
}

void event_log_add(struct event_log *log, const struct event *event)
{
    if (event->number != log->newest + 1)
        log->kept = 0;
    log->events[event->number % log->capacity] = *event;
    log->newest = event->number;
    if (log->kept < log->capacity)
        log->kept++;
}

struct event *event_log_find(const struct event_log *log, uint32_t number)
{
    if (number > log->newest || number <= log->newest - log->kept)
        return NULL;
    return &log->events[number % log->capacity];
}

struct event *event_log_after(const struct event_log *log, uint32_t number)
{
    uint32_t gone = log->newest - log->kept;

    if (number >= log->newest)
        return NULL;
    return event_log_find(log, number < gone ? gone + 1 : number + 1);
}

struct event *event_log_pending(const struct event_log *log)
{
    return event_log_after(log, log->delivered);
}

uint32_t event_log_pending_count(const struct event_log *log)
{
    const struct event *oldest = event_log_pending(log);

    return oldest ? log->newest - oldest->number + 1 : 0;
}

uint32_t event_log_dropped(const struct event_log *log)
{
    return log->newest - log->kept - log->skipped;
}
