/*
 * Who has sent most resets, and to whom and on which ports most were sent, in the
 * last 10 s and the last 60 s: merged from slices of about a second. Pure.
 *
 * A slice is in a window if it ended within it. In every window the resets listed
 * and the others add up to the total. Exact is one who has more than 1 in
 * PEERS_MAX + 1 of each slice's resets; of others a slice may miss some, which
 * then are among the others.
 */
#ifndef RSTWATCH_WINDOWS_H
#define RSTWATCH_WINDOWS_H

#include "platform/peers.h"

#define WINDOW_PEERS 10 /* listed of each */

enum window { WINDOW_10_S, WINDOW_60_S, WINDOWS };

extern const uint32_t window_seconds[WINDOWS];

struct peer_window {
    uint32_t totals[PEER_LISTS];
    uint32_t others[PEER_LISTS]; /* not of those listed */
    uint32_t counts[PEER_LISTS]; /* how many are listed, heaviest first */
    struct peer peers[PEER_LISTS][WINDOW_PEERS];
};

#define PEER_SLICES 64 /* a slice is a second long, or more */

/* All zero at first. */
struct peer_history {
    uint64_t pushed;
    struct peer_slice slices[PEER_SLICES];       /* slice n, from 0, is at [n % PEER_SLICES] */
    bool merged_once;                            /* since the last slice came */
    uint64_t first[WINDOWS], last[WINDOWS];      /* slices that the windows were merged from */
    struct peer merged[PEER_SLICES * PEERS_MAX]; /* used while merging */
};

/* Adds a slice, or puts it in place of the last one, if it is that one grown. */
void peer_history_push(struct peer_history *history, const struct peer_slice *slice);

/* Brings the windows that end at now_ns up to date. */
void peer_history_merge(struct peer_history *history, int64_t now_ns,
                        struct peer_window windows[WINDOWS]);

/* Of the list's total, in percent, rounded down; 0 of nothing. */
uint32_t peer_window_percent(const struct peer_window *window, enum peer_list list, uint32_t count);

#endif
