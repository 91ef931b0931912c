/*
 * What is published after every sample: all that a GET may ask for, so that an
 * answer is a copy. Plain data; written by the agent, read by mib/.
 */
#ifndef RSTWATCH_SNAPSHOT_H
#define RSTWATCH_SNAPSHOT_H

#include "subagent/counted.h"

enum rate {
    RATE_RECEIVED_AVG10S = 1, /* values: arcs of the group tcpResetRates */
    RATE_SENT_AVG10S,
    RATE_RECEIVED_AVG60S,
    RATE_SENT_AVG60S,
    RATE_RECEIVED_PEAK10S,
    RATE_SENT_PEAK10S,
    RATE_SYN_COOKIES_AVG10S, /* tcpResetSynCookiesAvg10s, in a group of its own */
    RATE_SLOTS               /* arrays are indexed by enum rate; [0] is unused */
};

struct snapshot {
    struct sample sample;            /* the newest; sequence 0: there is none yet */
    uint32_t rate_centi[RATE_SLOTS]; /* hundredths per second */
    uint32_t rates_valid;            /* bit n: rate n is known */
    /* 10 s averages of the counters by cause, hundredths per second; by enum counter -
       COUNTER_BY_CAUSE. Known where the sample has the counter. */
    uint32_t by_cause_centi[COUNTER_COUNT - COUNTER_BY_CAUSE];
    struct alarm alarm[METRIC_SLOTS];
    struct counted counted[METRIC_SLOTS];
    struct peer_window peers[WINDOWS]; /* known where the sample says so */
    struct set_settings settings;
};

/* Takes in the newest sample of `history`: rates, peaks and what is
   counted by cause. Alarms, peers and settings are the agent's. */
void snapshot_update(struct snapshot *snapshot, const struct history *history);

static inline bool snapshot_has_rate(const struct snapshot *snapshot, enum rate rate)
{
    return snapshot->rates_valid >> rate & 1;
}

#endif
