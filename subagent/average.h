/*
 * The samples of the last 70 s and the averages over them. Pure: time is what
 * the samples say.
 *
 * A counter is known at the instants of its samples; between two of them it is
 * taken to have grown evenly, and before the first one not at all (history that
 * was not seen counts as zero). Counts in a window are rounded to whole ones.
 * Nothing assumes that a sample was on time.
 */
#ifndef RSTWATCH_AVERAGE_H
#define RSTWATCH_AVERAGE_H

#include "platform/sample.h"

/* 70 s at the shortest sample interval, 100 ms, and room for one at each end. */
#define HISTORY_SAMPLES 1024
#define HISTORY_NS      (70 * NS_PER_S)

struct history {
    uint64_t pushed;                        /* samples pushed so far */
    int64_t known_since_ns[COUNTER_COUNT];  /* start of the newest unbroken run of each */
    struct sample samples[HISTORY_SAMPLES]; /* sample n (from 0) is at [n % HISTORY_SAMPLES] */
};

/* Adds the next sample. One that is not later than the newest is ignored (false). */
bool history_push(struct history *history, const struct sample *sample);

/* The newest sample; NULL when there is none yet. */
const struct sample *history_newest(const struct history *history);

/* The instant from which all of a set of counters are known without a break to the newest
   sample: its own time when only that has them all; INT64_MAX when that has not. */
int64_t history_known_since(const struct history *history, counter_set counters);

/*
 * How much a set of counters grew together in (from_ns, to_ns], in whole counts,
 * rounded half up, once; 0 for what lies outside of what is known of all of them.
 * from_ns <= to_ns.
 */
uint64_t history_growth(const struct history *history, counter_set counters, int64_t from_ns,
                        int64_t to_ns);

/* count / duration in hundredths per second, rounded to nearest, at most
   UINT32_MAX. duration_ns > 0. */
uint32_t rate_centi(uint64_t count, int64_t duration_ns);

/*
 * The average of a set of counters together over the window that ends with the newest
 * sample, in hundredths per second. False when the newest sample does not know them all.
 */
bool history_average(const struct history *history, counter_set counters, int64_t window_ns,
                     uint32_t *average_centi);

#endif
