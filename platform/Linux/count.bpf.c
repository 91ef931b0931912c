// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Counts TCP segments with RST at netfilter's LOCAL_IN and LOCAL_OUT, one
 * program a direction and family. What a segment is is settled there: an IPv4
 * datagram is whole again, a bad header is gone; of IPv6 the first fragment
 * holds the whole TCP header, or the kernel drops it (RFC 7112).
 *
 * Every packet of the host comes by here: the common one is looked at through
 * the linear part of its buffer, with three loads and no call. A dynptr, which
 * reads any buffer, costs twice an empty program and is for the rest.
 */
#include <stdbool.h>

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;

#include <bpf/bpf_helpers.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

#include "platform/Linux/count.h"

#define NF_ACCEPT 1

#define PROTOCOL_HOP_BY_HOP  0
#define PROTOCOL_TCP         6
#define PROTOCOL_ROUTING     43
#define PROTOCOL_FRAGMENT    44
#define PROTOCOL_DESTINATION 60

#define IPV4_HEADER_SIZE     20
#define IPV4_PROTOCOL        9      /* offset */
#define IPV4_FRAGMENT        6      /* offset */
#define IPV4_FRAGMENT_OFFSET 0x1fff /* mask */
#define IPV6_HEADER_SIZE     40
#define IPV6_NEXT_HEADER     6      /* offset */
#define IPV6_FRAGMENT_OFFSET 0xfff8 /* mask */
#define TCP_HEADER_SIZE      20
#define TCP_FLAGS            13   /* offset */
#define TCP_RST              0x04 /* mask */

/* More than fit into a packet of 1500 bytes: the shortest takes 8. */
#define IPV6_EXTENSION_HEADERS_MAX 184

/* The fields used of the kernel's structures: CO-RE finds where they are. */
struct sk_buff {
    unsigned int len, data_len;
    unsigned char *data;
} __attribute__((preserve_access_index));

/* For their type numbers: their layout is that of the wire. */
struct iphdr {
    __u8 byte[IPV4_HEADER_SIZE];
};
struct ipv6hdr {
    __u8 byte[IPV6_HEADER_SIZE];
};
struct tcphdr {
    __u8 byte[TCP_HEADER_SIZE];
};

/* How the kernel's functions call a packet. No forward declaration: the kinds must match. */
struct __sk_buff {
    __u32 len;
};
struct bpf_dynptr {
    __u64 opaque[2];
} __attribute__((aligned(8)));

/* A program's context: its layout is fixed, CO-RE must leave it alone. */
struct nf_hook_state;
struct bpf_nf_ctx {
    const struct nf_hook_state *state;
    struct sk_buff *skb;
};

extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags,
                               struct bpf_dynptr *dynptr) __ksym;
extern void *bpf_dynptr_slice(const struct bpf_dynptr *dynptr, __u32 offset, void *buffer,
                              __u32 buffer_size) __ksym;
extern void *bpf_rdonly_cast(void *pointer, __u32 type) __ksym;

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Mapped by the daemon. Atomic: LOCAL_OUT can be interrupted by LOCAL_IN of the same CPU. */
__u64 resets[COUNT_DIRECTIONS][COUNT_FAMILIES];

/* A sign of life of each program: set by any packet, cleared by the daemon. In a cache line of
   its own, which the CPUs share as long as it is only read. */
__u8 alive[COUNT_DIRECTIONS][COUNT_FAMILIES] __attribute__((aligned(64)));

static __always_inline int look(enum count_direction direction, enum count_family family,
                                bool reset)
{
    if (!alive[direction][family])
        alive[direction][family] = 1;
    if (reset)
        __sync_fetch_and_add(&resets[direction][family], 1);
    return NF_ACCEPT;
}

/* A pointer into the packet: any address may be read through it, a bad one reads as 0. */
#define CAST(address, type) ((const __u8 *)bpf_rdonly_cast(address, bpf_core_type_id_kernel(type)))

static __always_inline __u32 linear_size(const struct sk_buff *skb)
{
    return skb->len - skb->data_len;
}

/* ---- The rest: buffers in parts, IPv6 extension headers ---- */

static __always_inline bool open_packet(struct bpf_nf_ctx *context, struct bpf_dynptr *packet)
{
    return bpf_dynptr_from_skb((struct __sk_buff *)context->skb, 0, packet) == 0;
}

/* The whole header must be there: TCP drops a part of one. */
static __always_inline bool reset_at(const struct bpf_dynptr *packet, __u32 at)
{
    __u8 buffer[TCP_HEADER_SIZE];
    const __u8 *tcp = bpf_dynptr_slice(packet, at, buffer, sizeof buffer);

    return tcp && tcp[TCP_FLAGS] & TCP_RST;
}

static __noinline bool scattered_reset(struct bpf_nf_ctx *context, __u32 tcp)
{
    struct bpf_dynptr packet;

    return open_packet(context, &packet) && reset_at(&packet, tcp);
}

static __always_inline bool is_extension(__u8 header)
{
    return header == PROTOCOL_HOP_BY_HOP || header == PROTOCOL_ROUTING ||
           header == PROTOCOL_FRAGMENT || header == PROTOCOL_DESTINATION;
}

/*
 * Walks to the TCP header. Not through AH, and not past a routing header that
 * sends the packet on: once the kernel has taken these off, it comes by again.
 */
static __noinline bool extended_reset(struct bpf_nf_ctx *context, __u8 next)
{
    struct bpf_dynptr packet;
    __u32 at = IPV6_HEADER_SIZE;

    if (!open_packet(context, &packet))
        return false;
    for (int n = 0; n < IPV6_EXTENSION_HEADERS_MAX; n++) {
        __u8 buffer[4];
        const __u8 *header;

        if (!is_extension(next))
            return next == PROTOCOL_TCP && reset_at(&packet, at);
        header = bpf_dynptr_slice(&packet, at, buffer, sizeof buffer);
        if (!header)
            return false;
        if (next == PROTOCOL_FRAGMENT && (header[2] << 8 | header[3]) & IPV6_FRAGMENT_OFFSET)
            return false;
        if (next == PROTOCOL_ROUTING && header[3] != 0) /* segments left */
            return false;
        at += next == PROTOCOL_FRAGMENT ? 8 : 8 + header[1] * 8;
        next = header[0];
    }
    return false;
}

/* ---- The common packet ---- */

static __always_inline bool is_reset_ipv4(struct bpf_nf_ctx *context)
{
    struct sk_buff *skb = context->skb;
    const __u8 *ip = CAST(skb->data, struct iphdr);
    __u32 tcp;

    if (ip[IPV4_PROTOCOL] != PROTOCOL_TCP)
        return false;
    if (*(const __be16 *)(ip + IPV4_FRAGMENT) & bpf_htons(IPV4_FRAGMENT_OFFSET))
        return false;
    tcp = (ip[0] & 0xf) * 4;
    if (linear_size(skb) < tcp + TCP_HEADER_SIZE)
        return scattered_reset(context, tcp);
    return CAST(skb->data + tcp, struct tcphdr)[TCP_FLAGS] & TCP_RST;
}

static __always_inline bool is_reset_ipv6(struct bpf_nf_ctx *context)
{
    struct sk_buff *skb = context->skb;
    __u8 next = CAST(skb->data, struct ipv6hdr)[IPV6_NEXT_HEADER];

    if (next != PROTOCOL_TCP)
        return is_extension(next) && extended_reset(context, next);
    if (linear_size(skb) < IPV6_HEADER_SIZE + TCP_HEADER_SIZE)
        return scattered_reset(context, IPV6_HEADER_SIZE);
    return CAST(skb->data + IPV6_HEADER_SIZE, struct tcphdr)[TCP_FLAGS] & TCP_RST;
}

/* ---- The programs ---- */

SEC("netfilter")
int received_ipv4(struct bpf_nf_ctx *context)
{
    return look(COUNT_RECEIVED, COUNT_IPV4, is_reset_ipv4(context));
}

SEC("netfilter")
int received_ipv6(struct bpf_nf_ctx *context)
{
    return look(COUNT_RECEIVED, COUNT_IPV6, is_reset_ipv6(context));
}

SEC("netfilter")
int sent_ipv4(struct bpf_nf_ctx *context)
{
    return look(COUNT_SENT, COUNT_IPV4, is_reset_ipv4(context));
}

SEC("netfilter")
int sent_ipv6(struct bpf_nf_ctx *context)
{
    return look(COUNT_SENT, COUNT_IPV6, is_reset_ipv6(context));
}
