/*
 * Who had most of the resets of the last 10 s and 60 s: the slices of the last
 * minute, merged to the top peers and the top local ports of each direction. Pure:
 * time is what slices and samples say. Of fixed size: nothing is allocated.
 *
 * A slice is of a window if its end lies in it. It lists its heaviest only (see
 * platform/peers.h), and from that follows:
 *
 * - No count is too high. One who has more than 1 in PEERS_MAX + 1 of every slice's
 *   resets has exactly his count; another lacks those of the slices that do not list him.
 * - One who has more than 1 in RANKS + 1 of every slice's resets is ranked.
 * - What is ranked and the others add up to the total.
 * - A port or cause is that of more than half of a peer's resets, as its slices tell: of
 *   one that has more than half of them in every slice it is always told.
 */
#ifndef RSTWATCH_RANKING_H
#define RSTWATCH_RANKING_H

#include <stdbool.h>

#include "platform/peers.h"

#define RANKS 10

/* A minute of slices of a second. If they come faster the oldest go, and the window with them. */
#define RANKING_SLICES 64

/* More than there can be peers in these slices. */
#define RANKING_TABLE 4096

enum ranking_window { RANKING_10S, RANKING_60S, RANKING_WINDOWS };

/* How long each is. */
extern const uint32_t ranking_window_s[RANKING_WINDOWS];

struct ranked {
    uint32_t count;  /* how many are ranked */
    uint32_t others; /* resets of those that are not */
    struct peer peers[RANKS];
};

/* Of one direction in one window. */
struct ranking {
    uint32_t total; /* resets */
    struct ranked peers, ports;
};

struct rankings {
    struct ranking of[RANKING_WINDOWS][DIRECTION_SENT + 1]; /* by enum direction; [0] is unused */
};

/* The slices from number `begin` up to, but without, `end`. */
struct slice_range {
    uint64_t begin, end;
};

struct ranker {
    uint64_t pushed; /* slices so far; slice n, from 0, is at [n % RANKING_SLICES] */
    struct peer_slice slices[RANKING_SLICES];
    struct slice_range ranges[RANKING_WINDOWS]; /* what rankings are of */
    struct rankings rankings;
    struct peer table[RANKING_TABLE]; /* while slices are merged */
};

/* Adds the next slice, which ends later than the one before. */
void ranker_push(struct ranker *ranker, const struct peer_slice *slice);

/* Makes ranker->rankings those of the windows that end at now_ns. */
void ranker_update(struct ranker *ranker, int64_t now_ns);

/* Rounded down; 0 of nothing. */
static inline uint32_t percent_of(uint32_t part, uint32_t whole)
{
    return whole > 0 ? (uint32_t)((uint64_t)part * 100 / whole) : 0;
}

#endif
