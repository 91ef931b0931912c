/*
 * The evidence of one alarm: a pcapng file of the resets of its direction from
 * 10 s before its crossing until it has cleared, or 60 s after, with what
 * provoked those that were sent.
 *
 * The records come from the ring. Nothing is begun before the first of them: a
 * source that keeps none makes no files.
 */
#ifndef RSTWATCH_CAPTURE_H
#define RSTWATCH_CAPTURE_H

#include "subagent/events.h"
#include "subagent/evidence_text.h"
#include "subagent/ring.h"

#define CAPTURE_BEFORE_NS  (10 * NS_PER_S)
#define CAPTURE_AFTER_NS   (60 * NS_PER_S)
#define CAPTURE_BUFFER     65536 /* bytes: what one write takes */
#define CAPTURE_INTERFACES 64    /* of a file; those above are "unknown" */

/* Of a step: a new capture finds thousands of records, and answers must not wait for all. */
#define CAPTURE_STEP_RECORDS 4096

struct capture {
    bool active;
    struct event event; /* its evidence is what has been done so far */
    const struct ring *ring;
    const char *directory; /* of the state */
    uint32_t packets_max;

    uint64_t next; /* record of the ring */
    int64_t from_ns, until_ns;
    enum capture_end end; /* what until_ns stands for */
    uint32_t peak_centi;
    int64_t wall_ns; /* CLOCK_REALTIME - CLOCK_MONOTONIC at the raise */

    int file;                                /* -1: not begun */
    uint32_t interfaces[CAPTURE_INTERFACES]; /* indexes, in the order of their blocks */
    uint32_t interface_count;
    size_t used;
    uint8_t buffer[CAPTURE_BUFFER];
};

/* `raised`: of received or sent, `delay_s` after its crossing. *capture is not active.
   directory is not copied. */
void capture_begin(struct capture *capture, const struct event *raised, uint32_t delay_s,
                   const struct ring *ring, const char *directory, uint32_t packets_max);

/* The alarm has cleared at that time. */
void capture_clear(struct capture *capture, int64_t time_ns);

/* Takes what the ring has. `sampled_ns`: of the newest sample; all records up to the sample
   before are in the ring. Capture is not active any more when its end has come. */
void capture_step(struct capture *capture, int64_t sampled_ns, uint32_t peak_centi);

/* Takes what the ring has, and ends the file. */
void capture_finish(struct capture *capture);

/* Gives the file of a capture that has ended complete its name. A step of its own: the event
   is stored between, so that no kill leaves a file under its name of which the log knows
   nothing. */
void capture_name(struct capture *capture);

#endif
