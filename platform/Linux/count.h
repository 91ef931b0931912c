/*
 * What the counting programs (count.bpf.c) and the source that loads them
 * (bpf.c) share. Includes nothing: one is compiled for the kernel.
 */
#ifndef RSTWATCH_LINUX_COUNT_H
#define RSTWATCH_LINUX_COUNT_H

enum count_direction { COUNT_RECEIVED, COUNT_SENT, COUNT_DIRECTIONS };
enum count_family { COUNT_IPV4, COUNT_IPV6, COUNT_FAMILIES };

#define COUNT_CAUSES 16 /* enum cause, and room up to a power of 2 */

/* Whose resets are counted together: those of a peer, or of a local port. */
enum count_by { COUNT_BY_PEER, COUNT_BY_PORT };

struct count_key {
    unsigned char direction, family, by; /* the enumerations above; family 0 by port */
    unsigned char zero;
    unsigned int value[4]; /* the address, network order; by port: the port, host order */
};

/* What most resets of a key have, by majority vote: of one that more than half have, it is
   that one (Boyer and Moore). */
struct count_vote {
    unsigned int votes;
    unsigned int value;
};

struct count_value {
    unsigned long long count;
    struct count_vote port, cause; /* by port: no port */
};

/* Two maps of this many keys: the programs fill one while the other is read and emptied. */
#define COUNT_HALVES 2
#define COUNT_KEYS   8192

#endif
