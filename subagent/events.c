#include "subagent/events.h"

#include <stdlib.h>

#define MS_2020 INT64_C(1577836800000)

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

uint32_t event_number_above_all(int64_t time_ms)
{
    int64_t seconds = (time_ms - MS_2020) / 1000;

    return seconds > 0 && seconds < INT32_MAX ? (uint32_t)seconds : 0;
}

void event_log_begin(struct event_log *log, uint32_t newest)
{
    log->kept = log->dropped = 0;
    log->newest = log->delivered = newest;
}

/* By age: 0 is the oldest that is kept. */
static struct event *at(const struct event_log *log, uint32_t age)
{
    return &log->events[(log->oldest + age) % log->capacity];
}

void event_log_add(struct event_log *log, const struct event *event)
{
    if (log->kept == log->capacity) {
        log->oldest = (log->oldest + 1) % log->capacity;
        log->kept--;
        log->dropped++;
    }
    *at(log, log->kept++) = *event;
    log->newest = event->number;
}

/* How many of those that are kept have a number up to this one. */
static uint32_t count_up_to(const struct event_log *log, uint32_t number)
{
    uint32_t from = 0, to = log->kept;

    while (from < to) {
        uint32_t middle = from + (to - from) / 2;

        if (at(log, middle)->number <= number)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

struct event *event_log_find(const struct event_log *log, uint32_t number)
{
    uint32_t count = count_up_to(log, number);

    return count > 0 && at(log, count - 1)->number == number ? at(log, count - 1) : NULL;
}

struct event *event_log_after(const struct event_log *log, uint32_t number)
{
    uint32_t count = count_up_to(log, number);

    return count < log->kept ? at(log, count) : NULL;
}

void event_log_renumber(struct event_log *log, uint32_t after, uint32_t least)
{
    uint32_t count = count_up_to(log, after);

    for (uint32_t previous = after; count < log->kept; previous = log->newest)
        log->newest = at(log, count++)->number = previous >= least ? previous + 1 : least;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

void event_log_merge(struct event_log *log, const struct event_log *newer)
{
    for (const struct event *event = event_log_after(newer, 0); event;
         event = event_log_after(newer, event->number)) {
        struct event *older = event_log_find(log, event->number);

        if (older)
            *older = *event;
        else if (event->number > log->newest)
            event_log_add(log, event);
    }
    log->newest = larger(log->newest, newer->newest);
    log->dropped = larger(log->dropped, newer->dropped);
    log->delivered = larger(log->delivered, newer->delivered);
}

struct event *event_log_pending(const struct event_log *log)
{
    return event_log_after(log, log->delivered);
}

uint32_t event_log_pending_count(const struct event_log *log)
{
    return log->kept - count_up_to(log, log->delivered);
}
