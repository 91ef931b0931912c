/*
 * What an alarm counts: whether that is a part of the causes only, and which cause
 * and which peer stand out. Pure.
 */
#ifndef RSTWATCH_COUNTED_H
#define RSTWATCH_COUNTED_H

#include "subagent/alarm.h"
#include "subagent/ranking.h"

struct counted {
    bool part;           /* a part of the causes only */
    enum cause dominant; /* has more than half; CAUSE_NONE: none has, or causes are not measured */
    uint32_t percent;    /* that the dominant one has, rounded down */
    struct peer peer;    /* has more than half; count 0: none has, or they are not known */
    uint32_t peer_percent; /* that it has, of what its window has in all, rounded down */
};

/* Of the alarm's window that ends with the newest sample, which must be there. */
struct counted counted_in_window(enum metric metric, const struct alarm_settings *settings,
                                 const struct history *history, const struct rankings *rankings);

#endif
