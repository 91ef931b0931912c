/*
 * Programs of the classic BPF machine that match TCP resets of one family and direction. Pure.
 *
 * Matched are: IPv4 with options; IPv6 with up to four extension headers (hop-by-hop, routing,
 * destination options, fragment, authentication); the first fragment, if the flags of TCP are
 * in it; an Ethernet frame with a priority tag (VLAN 0).
 * Left out are segments that this host only forwards: received is what goes to an address of
 * its own, sent is what comes from one.
 *
 * What the machine, which has no loops and sees a packet before reassembly, cannot match: more
 * extension headers; flags of TCP in a fragment that is not the first; what is encrypted (ESP).
 * Frames of other VLANs are for the vlan(4) interface, which sees them without the tag. Lengths
 * and checksums are not looked at: what TCP drops as malformed is counted.
 */
#ifndef RSTWATCH_FREEBSD_RESET_FILTER_H
#define RSTWATCH_FREEBSD_RESET_FILTER_H

#include <stddef.h>

#include "platform/sample.h"

/* As the kernel has it: struct bpf_insn. */
struct filter_instruction {
    uint16_t code;
    uint8_t jump_true, jump_false;
    uint32_t value;
};

#define FILTER_MAX 512 /* instructions: the kernel's BPF_MAXINSNS */

struct reset_filter {
    size_t length; /* instructions */
    struct filter_instruction code[FILTER_MAX];
};

/* What a packet begins with. */
enum filter_link { LINK_ETHERNET, LINK_FAMILY /* 4 bytes of address family */, LINK_NONE };

enum filter_family { FILTER_IPV4, FILTER_IPV6 };

#define ADDRESSES_MAX 256 /* of each family; what a program has room for is less */

/* The addresses of this host, in network byte order, without scope. */
struct addresses {
    size_t ipv4_count, ipv6_count;
    uint8_t ipv4[ADDRESSES_MAX][4];
    uint8_t ipv6[ADDRESSES_MAX][16];
};

/* So many addresses there is room for, at least. */
#define FILTER_IPV4_MOST 238
#define FILTER_IPV6_MOST 41

/* A program that returns 1 for a match, and 0 for all else. False: there are more addresses than
   there is room for. */
bool reset_filter_build(struct reset_filter *filter, enum filter_link link,
                        enum filter_family family, enum direction direction,
                        const struct addresses *addresses);

/* One that matches nothing. */
void reset_filter_none(struct reset_filter *filter);

#endif
