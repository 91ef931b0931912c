/*
 * Which events have evidence: a capture for each raise of received and of sent,
 * its progress in the event, the oldest files deleted, and what an earlier agent
 * left behind put right.
 */
#ifndef RSTWATCH_CAPTURES_H
#define RSTWATCH_CAPTURES_H

#include "subagent/alarm.h"
#include "subagent/capture.h"
#include "subagent/events.h"

struct captures_setup {
    bool enabled;                /* false: nothing new is begun */
    uint32_t files;              /* kept at most */
    uint32_t packets;            /* in a file at most */
    const char *state_directory; /* not copied */
    const struct ring *ring;
    struct event_log *events;
    /* The evidence of an event has come to an end, or is gone: to be stored. */
    void (*changed)(const struct event *event, void *context);
    void *context;
};

struct captures {
    struct captures_setup setup;
    struct capture of[DIRECTION_SENT + 1]; /* by enum direction; [0] is unused */
};

/* Files that an earlier agent did not finish go; their events say so. */
void captures_open(struct captures *captures, const struct captures_setup *setup);

/* Begins or ends a capture where the event is the raise or the clear of one with evidence.
   `raise_delay_s`: from crossing to raise. */
void captures_event(struct captures *captures, const struct event *event, uint32_t raise_delay_s);

/* After each sample, or several. `sampled_ns`: time of the newest. */
void captures_step(struct captures *captures, int64_t sampled_ns,
                   const struct alarm alarms[METRIC_SLOTS]);

/* Ends all files, with what they have. */
void captures_close(struct captures *captures);

#endif
