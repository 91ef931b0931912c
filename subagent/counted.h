/*
 * What an alarm counts, seen by cause and by peer: whether that is a part of the
 * causes only, and which cause and which peer stand out. Pure.
 */
#ifndef RSTWATCH_COUNTED_H
#define RSTWATCH_COUNTED_H

#include "subagent/alarm.h"
#include "subagent/windows.h"

struct counted {
    bool part;           /* a part of the causes only */
    enum cause dominant; /* has more than half; CAUSE_NONE: none has, or causes are not measured */
    uint32_t percent;    /* that the dominant one has, rounded down */
    struct peer peer;    /* has more than half; count 0: none has, peers are not known, or a part
                            of the causes is counted */
    uint32_t peer_percent;
};

/* Of the alarm's window that ends with the newest sample, which must be there. */
struct counted counted_in_window(enum metric metric, const struct alarm_settings *settings,
                                 const struct history *history);

/* Sets the peer: `window` is as long as the alarm's. */
void counted_add_peer(struct counted *counted, enum metric metric, const struct history *history,
                      const struct peer_window *window);

#endif
