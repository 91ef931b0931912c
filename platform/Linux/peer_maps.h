/*
 * The peers that the counting programs (count.bpf.c) tell: turns them from one of
 * their two maps to the other once a second, and a reading later, when no program
 * can be in it any more, reads and empties the first. In between it looks into the
 * one in use while that holds a large part of the last 10 seconds.
 */
#ifndef RSTWATCH_LINUX_PEER_MAPS_H
#define RSTWATCH_LINUX_PEER_MAPS_H

#include "platform/Linux/count.h"
#include "platform/peers.h"

struct peers_reader {
    int maps[COUNT_HALVES];
    uint32_t *half;   /* shared with the programs: the map in use */
    int64_t begin_ns; /* since when it is in use */
    uint64_t begin_resets[COUNT_DIRECTIONS];
    uint64_t past[COUNT_DIRECTIONS]; /* resets of the slices of the last 10 s, about */
    uint64_t told[COUNT_DIRECTIONS]; /* resets, all so far, when a slice was told last */
    bool waiting;                    /* the other map is to be read */
    struct peer_slice *slice;        /* of that map, but for its peers */
};

/* The slice is allocated; false: errno. */
bool peers_open(struct peers_reader *reader, const int maps[COUNT_HALVES], uint32_t *half);
void peers_close(struct peers_reader *reader);

/* `resets`: all so far, by direction. As read_peers of platform/reader.h has it. */
bool peers_read(struct peers_reader *reader, const uint64_t resets[COUNT_DIRECTIONS],
                int64_t now_ns, struct peer_slice *slice);

#endif
