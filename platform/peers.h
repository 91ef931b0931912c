/*
 * Who has sent us resets, and to whom we have: for one slice of time, about a
 * second, the heaviest peers and the heaviest local ports. Plain data, no
 * pointers: it is shared between processes as it is. A slice with the begin of
 * the one before is the same, grown.
 */
#ifndef RSTWATCH_PEERS_H
#define RSTWATCH_PEERS_H

#include <stdint.h>

#include "platform/sample.h"

/* One who has more than 1 in PEERS_MAX + 1 of a slice's resets is always among them. */
#define PEERS_MAX 32

enum peer_list {
    PEERS_RECEIVED, /* by remote address */
    PEERS_SENT,
    PORTS_RECEIVED, /* by local port */
    PORTS_SENT,
    PEER_LISTS
};

struct peer {
    uint8_t address[16]; /* network order; of IPv4 the first 4 bytes; all 0 in a list of ports */
    uint8_t version;     /* 4 or 6; 0 in a list of ports */
    uint8_t cause;  /* enum cause that many of these resets have; CAUSE_NONE: none stands out */
    uint16_t port;  /* local, host order: likewise, or 0; in a list of ports its own */
    uint32_t count; /* resets */
};

struct peer_slice {
    int64_t begin_ns, end_ns;    /* CLOCK_MONOTONIC */
    uint32_t totals[PEER_LISTS]; /* resets of the direction, those not listed too */
    uint32_t counts[PEER_LISTS]; /* how many peers are listed, heaviest first */
    struct peer peers[PEER_LISTS][PEERS_MAX];
};

/* Puts a peer in its place, which the lightest may lose by it. totals are the caller's. */
void peer_slice_add(struct peer_slice *slice, enum peer_list list, const struct peer *peer);

#endif
