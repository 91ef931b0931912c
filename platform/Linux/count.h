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

/* What is kept: resets, and the segments that they answer; a ring of records of each. */
enum count_record_kind { COUNT_RECORD_RESET, COUNT_RECORD_TRIGGER, COUNT_RECORD_KINDS };

#define COUNT_RECORDS        4096 /* a power of 2 */
#define COUNT_RECORD_HEADERS 128

/* Record n, from 1, is at [n % COUNT_RECORDS]. While it is written, `number` is 0. */
struct count_record {
    unsigned long long number;
    unsigned long long time_ns; /* CLOCK_MONOTONIC */
    unsigned int interface;
    unsigned short length; /* of the packet, from its IP header on */
    unsigned char header_size;
    unsigned char tcp; /* offset of the TCP header */
    unsigned char direction;
    unsigned char cause;  /* enum cause; none yet of an abort that the tracepoint has not told */
    unsigned char state;  /* enum tcp_state of the socket that a received one is for; 0: none */
    unsigned char reason; /* enum sk_rst_reason of a sent one; 0: none */
    unsigned char headers[COUNT_RECORD_HEADERS]; /* from the IP header on */
};

struct count_ring {
    unsigned long long newest; /* number */
    struct count_record records[COUNT_RECORDS];
};

#endif
