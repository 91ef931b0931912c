/*
 * How many packets a bpf(4) descriptor has matched that is never read. Pure.
 *
 * The kernel stores a matching packet, in the one of the descriptor's two buffers that has room,
 * and else drops it and counts that (bs_drop of BIOCGSTATS). With the smallest buffers, 32 bytes,
 * each holds one record; so after two packets every further one is dropped without a copy, and
 *
 *   matches = bs_drop + records stored, 0 to 2
 *
 * This rests on how the kernel does it (FreeBSD sys/net/bpf.c, catchpacket), not on what bpf(4)
 * promises: self_check.h sees at start whether it holds.
 */
#ifndef RSTWATCH_FREEBSD_MATCH_COUNT_H
#define RSTWATCH_FREEBSD_MATCH_COUNT_H

#include <stdint.h>

#define MATCH_BUFFER_BYTES 32 /* BPF_MINBUFSIZE */

/* All zero when the descriptor is new, or the kernel has reset its counts. */
struct match_count {
    uint32_t dropped; /* of the newest reading */
    uint32_t stored;
};

/* `dropped`: bs_drop, which is of 32 bits and wraps; `readable`: what FIONREAD says, in bytes.
   The growth since the last reading, which was less than 2^32 matches ago. */
uint64_t match_count_growth(struct match_count *count, uint32_t dropped, uint32_t readable);

#endif
