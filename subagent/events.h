/*
 * What happened: the newest events, in memory. Pure; store.h keeps them.
 */
#ifndef RSTWATCH_EVENTS_H
#define RSTWATCH_EVENTS_H

#include <stddef.h>

#include "platform/sample.h"
#include "subagent/settings.h"

#define SUMMARY_SIZE 256 /* SnmpAdminString (SIZE (0..255)) and its NUL */

/* Values: tcpResetEventKind of the MIB, and the arcs of the notifications. */
enum event_kind {
#define NOTIFICATION(id, arc, name, word) EVENT_##id = (arc),
#include "mib/notifications.def"
#undef NOTIFICATION
};

/* Values: tcpResetEvidenceState of the MIB; 0: there is none. */
enum evidence_state {
    EVIDENCE_NONE = 0,
    EVIDENCE_WRITING = 1,
    EVIDENCE_COMPLETE = 2,
    EVIDENCE_FAILED = 3,      /* no file: it could not be written */
    EVIDENCE_INTERRUPTED = 4, /* no file: the agent was killed meanwhile */
    EVIDENCE_DELETED = 5,     /* no file any more */
};

/* The capture file of an event. */
struct evidence_file {
    uint8_t state;     /* enum evidence_state */
    uint32_t packets;  /* in it */
    uint32_t bytes;    /* its size */
    uint32_t not_kept; /* resets that should be in it, and are not */
};

struct event {
    uint32_t number; /* 1, 2, 3 …, over restarts; see event_log_renumber() */
    enum event_kind kind;
    enum metric metric;
    int64_t time_ns;          /* CLOCK_MONOTONIC of the sample that showed it */
    int64_t time_ms;          /* the same instant in ms since 1970, UTC */
    uint32_t value_centi;     /* the 10 s average then */
    uint32_t threshold_centi; /* effective limit: falling for EVENT_CLEARED, else rising */
    uint32_t peak_centi;      /* EVENT_CLEARED: highest value since the raise */
    uint32_t duration_s;      /* EVENT_CLEARED: since the raise */
    uint8_t method;           /* enum method, of the metric's direction */
    uint8_t syn_cookie_state; /* enum syn_cookie_state */
    uint8_t cause;            /* enum cause: of an alarm, the dominant one in the 10 s before */
    struct evidence_file evidence; /* EVENT_RAISED */
    char summary[SUMMARY_SIZE];
};

struct event_log {
    struct event *events; /* from [oldest] on, and round */
    uint32_t capacity;
    uint32_t oldest, kept;
    uint32_t newest;    /* number of the newest event; 0 = none yet */
    uint32_t dropped;   /* events that are no longer kept */
    uint32_t delivered; /* the master agent has acknowledged the notifications up to this number */
};

/* An empty log for `capacity` events, at least 1. False: errno. */
bool event_log_open(struct event_log *log, uint32_t capacity);
void event_log_close(struct event_log *log);

/*
 * The seconds from 2020 to that instant (ms since 1970): above all numbers that were
 * given by then, as events are rarer than one a second. 0 where the clock is not set.
 */
uint32_t event_number_above_all(int64_t time_ms);

/* Empties the log; the next event has the number `newest` + 1. */
void event_log_begin(struct event_log *log, uint32_t newest);

/* Adds an event, its number above newest. The oldest goes when the log is full. */
void event_log_add(struct event_log *log, const struct event *event);

/* Gives the events above `after` new numbers, in their order, from `least` on, or from after + 1
   on if that is more. */
void event_log_renumber(struct event_log *log, uint32_t after, uint32_t least);

/* Adds those of a newer log; of an event that both have its state there is taken. */
void event_log_merge(struct event_log *log, const struct event_log *newer);

/* The event with this number; NULL when it is not there (any more). */
struct event *event_log_find(const struct event_log *log, uint32_t number);

/* The oldest event with a number above `number`; NULL when there is none. */
struct event *event_log_after(const struct event_log *log, uint32_t number);

/* The oldest event that is not delivered; NULL when all are. They are delivered in order. */
struct event *event_log_pending(const struct event_log *log);
uint32_t event_log_pending_count(const struct event_log *log);

#endif
