/*
 * What must hold of all that was loaded from a store.
 */
#ifndef RSTWATCH_FUZZ_STORED_H
#define RSTWATCH_FUZZ_STORED_H

#include "subagent/store.h"

#include "tests/fuzz/input.h"

#define NS_PER_MS INT64_C(1000000)
#define NOW_MS    INT64_C(1795000000000) /* 2026 */
#define NOW_NS    (INT64_C(30) * 24 * 3600 * NS_PER_S)

static inline void settings_hold(const struct set_settings *stored)
{
    struct alarm_settings file[METRIC_SLOTS];
    struct set_settings held;
    enum setting culprit;

    for (enum metric metric = 0; metric < METRIC_SLOTS; metric++)
        file[metric] = settings_default();
    held = settings_merge(file, stored);
    for (enum metric metric = METRIC_FIRST; metric <= METRIC_LAST; metric++)
        HOLDS(settings_check(&held.value[metric], metric, true, &culprit) == SETTINGS_OK);
}

static inline void alarms_hold(const struct stored_alarm stored[METRIC_SLOTS])
{
    for (enum metric metric = METRIC_FIRST; metric <= METRIC_LAST; metric++)
        if (stored[metric].found) {
            const struct alarm *alarm = &stored[metric].alarm;
            int64_t ago_ms = NOW_MS - stored[metric].saved_ms; /* as the agent reckons */

            alarm_resume(alarm, NOW_NS, NOW_NS - ago_ms * NS_PER_MS - alarm->stepped_ns);
        }
}

static inline void events_hold(const struct event_log *log)
{
    HOLDS(log->delivered <= log->newest && log->kept <= log->capacity);
    for (const struct event *event = event_log_after(log, 0); event;
         event = event_log_after(log, event->number)) {
        HOLDS(event->number >= 1 && event->number <= INT32_MAX);
        HOLDS(event->metric >= METRIC_FIRST && event->metric <= METRIC_LAST);
        HOLDS(NOW_NS - (NOW_MS - event->time_ms) * NS_PER_MS != INT64_MIN);
        HOLDS(memchr(event->summary, '\0', sizeof event->summary) != NULL);
    }
}

#endif
