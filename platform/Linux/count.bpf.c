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
#include "platform/Linux/cause.bpf.h"
#include "platform/Linux/peer.bpf.h"
#include "platform/Linux/record.bpf.h"

#define PROTOCOL_HOP_BY_HOP  0
#define PROTOCOL_TCP         6
#define PROTOCOL_ROUTING     43
#define PROTOCOL_FRAGMENT    44
#define PROTOCOL_DESTINATION 60

#define IPV4_PROTOCOL        9      /* offset */
#define IPV4_FRAGMENT        6      /* offset */
#define IPV4_FRAGMENT_OFFSET 0x1fff /* mask */
#define IPV6_NEXT_HEADER     6      /* offset */
#define IPV6_FRAGMENT_OFFSET 0xfff8 /* mask */

/* More than fit into a packet of 1500 bytes: the shortest takes 8. */
#define IPV6_EXTENSION_HEADERS_MAX 184

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Mapped by the daemon. Atomic: LOCAL_OUT can be interrupted by LOCAL_IN of the same CPU. */
__u64 resets[COUNT_DIRECTIONS][COUNT_FAMILIES][COUNT_CAUSES];

_Static_assert(CAUSE_SLOTS <= COUNT_CAUSES, "each cause has its place");

/* A sign of life of each program: set by any packet, cleared by the daemon. In a cache line of
   its own, which the CPUs share as long as it is only read. */
__u8 alive[COUNT_DIRECTIONS][COUNT_FAMILIES] __attribute__((aligned(64)));

static __always_inline void show_life(enum count_direction direction, enum count_family family)
{
    if (!alive[direction][family])
        alive[direction][family] = 1;
}

static __always_inline void count(enum count_direction direction, const struct party *party,
                                  enum cause cause)
{
    enum count_family family = party->family == COUNT_IPV4 ? COUNT_IPV4 : COUNT_IPV6;
    __u32 index = cause;

    barrier_var(index); /* so that the mask stays, which the verifier wants */
    index &= COUNT_CAUSES - 1;
    __sync_fetch_and_add(&resets[direction][family][index], 1);
    count_peer(direction, party, index);
}

static __always_inline __u32 linear_size(const struct sk_buff *skb)
{
    return skb->len - skb->data_len;
}

static __always_inline bool take_reset(const __u8 *tcp, __u32 at, struct segment *reset)
{
    if (!(tcp[TCP_FLAGS] & TCP_RST))
        return false;
    *reset = segment_at(tcp);
    reset->at = at;
    return true;
}

/* ---- The rest: buffers in parts, IPv6 extension headers ---- */

static __always_inline bool open_packet(struct bpf_nf_ctx *context, struct bpf_dynptr *packet)
{
    return bpf_dynptr_from_skb((struct __sk_buff *)context->skb, 0, packet) == 0;
}

/* The whole header must be there: TCP drops a part of one. */
static __always_inline bool reset_at(const struct bpf_dynptr *packet, __u32 at,
                                     struct segment *reset)
{
    __u8 buffer[TCP_HEADER_SIZE];
    const __u8 *tcp = bpf_dynptr_slice(packet, at, buffer, sizeof buffer);

    return tcp && take_reset(tcp, at, reset);
}

static __noinline bool scattered_reset(struct bpf_nf_ctx *context, __u32 tcp, struct segment *reset)
{
    struct bpf_dynptr packet;

    return open_packet(context, &packet) && reset_at(&packet, tcp, reset);
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
static __noinline bool extended_reset(struct bpf_nf_ctx *context, __u8 next, struct segment *reset)
{
    struct bpf_dynptr packet;
    __u32 at = IPV6_HEADER_SIZE;

    if (!open_packet(context, &packet))
        return false;
    for (int n = 0; n < IPV6_EXTENSION_HEADERS_MAX; n++) {
        __u8 buffer[4];
        const __u8 *header;

        if (!is_extension(next)) {
            if (next != PROTOCOL_TCP || !reset_at(&packet, at, reset))
                return false;
            reset->extended = true;
            return true;
        }
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

static __always_inline bool is_reset_ipv4(struct bpf_nf_ctx *context, struct segment *reset)
{
    struct sk_buff *skb = context->skb;
    const __u8 *ip = CAST(skb->data, struct iphdr)->byte;
    __u32 tcp;

    if (ip[IPV4_PROTOCOL] != PROTOCOL_TCP)
        return false;
    if (*(const __be16 *)(ip + IPV4_FRAGMENT) & bpf_htons(IPV4_FRAGMENT_OFFSET))
        return false;
    tcp = (ip[0] & 0xf) * 4;
    if (linear_size(skb) < tcp + TCP_HEADER_SIZE)
        return scattered_reset(context, tcp, reset);
    return take_reset(CAST(skb->data + tcp, struct tcphdr)->byte, tcp, reset);
}

static __always_inline bool is_reset_ipv6(struct bpf_nf_ctx *context, struct segment *reset)
{
    struct sk_buff *skb = context->skb;
    __u8 next = CAST(skb->data, struct ipv6hdr)->byte[IPV6_NEXT_HEADER];

    if (next != PROTOCOL_TCP)
        return is_extension(next) && extended_reset(context, next, reset);
    if (linear_size(skb) < IPV6_HEADER_SIZE + TCP_HEADER_SIZE)
        return scattered_reset(context, IPV6_HEADER_SIZE, reset);
    return take_reset(CAST(skb->data + IPV6_HEADER_SIZE, struct tcphdr)->byte, IPV6_HEADER_SIZE,
                      reset);
}

static __always_inline bool is_reset(struct bpf_nf_ctx *context, enum count_family family,
                                     struct segment *reset)
{
    return family == COUNT_IPV4 ? is_reset_ipv4(context, reset) : is_reset_ipv6(context, reset);
}

/* The number of the record of a reset at a hook; 0: none is kept. Before it is counted: the daemon
   takes a reset that is counted, but has no record, for one that was lost. */
static __always_inline __u64 record_reset(const struct bpf_nf_ctx *context,
                                          enum count_direction direction,
                                          const struct segment *reset, struct why why)
{
    const struct net_device *device =
        direction == COUNT_RECEIVED ? context->state->in : context->state->out;
    const struct sock *sk = context->skb->sk;
    __u64 number;
    struct count_record *record =
        begin_record(COUNT_RECORD_RESET, CAST(context->skb->data, struct ipv6hdr)->byte, reset->at,
                     reset->header_size, &number);

    if (!record)
        return 0;
    record->direction = direction;
    record->interface = CAST(device, struct net_device)->ifindex;
    record->state = direction == COUNT_RECEIVED ? CAST(sk, struct sock)->__sk_common.skc_state : 0;
    record->cause = why.cause;
    record->reason = why.reason;
    end_record(record, number);
    return number;
}

static __always_inline void record_trigger(const struct call *call, const struct segment *trigger,
                                           struct why why)
{
    const struct sk_buff *skb = CAST(call->trigger, struct sk_buff);
    __u64 number;
    struct count_record *record = begin_record(
        COUNT_RECORD_TRIGGER, CAST(skb->head + skb->network_header, struct ipv6hdr)->byte,
        skb->transport_header - skb->network_header, trigger->header_size, &number);

    if (!record)
        return;
    record->direction = COUNT_RECEIVED;
    record->interface = skb->skb_iif;
    record->state = 0;
    record->cause = CAUSE_NONE;
    record->reason = why.reason;
    end_record(record, number);
}

/* Apart from the common packet: it has more to save and to load. */
static __noinline void count_received(struct bpf_nf_ctx *context, enum count_family family,
                                      const struct segment *reset)
{
    struct party party =
        party_of(context->skb, family, IPV4_SOURCE, IPV6_SOURCE, reset->destination);
    struct why why = {cause_of_received(context, family, reset), 0};

    record_reset(context, COUNT_RECEIVED, reset, why);
    count(COUNT_RECEIVED, &party, why.cause);
}

static __noinline void count_sent(struct bpf_nf_ctx *context, enum count_family family,
                                  const struct segment *reset)
{
    struct party party =
        party_of(context->skb, family, IPV4_DESTINATION, IPV6_DESTINATION, reset->source);
    struct why why = why_sent(context, &party, reset);

    party.record = record_reset(context, COUNT_SENT, reset, why);
    if (why.cause == CAUSE_NONE && leave_abort(context, &party))
        return;
    count(COUNT_SENT, &party, why.cause == CAUSE_NONE ? CAUSE_UNEXPLAINED : why.cause);
}

/* ---- The programs ---- */

static __always_inline int received(struct bpf_nf_ctx *context, enum count_family family)
{
    struct segment reset;

    show_life(COUNT_RECEIVED, family);
    if (is_reset(context, family, &reset))
        count_received(context, family, &reset);
    return NF_ACCEPT;
}

static __always_inline int sent(struct bpf_nf_ctx *context, enum count_family family)
{
    struct segment reset;

    show_life(COUNT_SENT, family);
    if (is_reset(context, family, &reset))
        count_sent(context, family, &reset);
    return NF_ACCEPT;
}

SEC("netfilter")
int received_ipv4(struct bpf_nf_ctx *context)
{
    return received(context, COUNT_IPV4);
}

SEC("netfilter")
int received_ipv6(struct bpf_nf_ctx *context)
{
    return received(context, COUNT_IPV6);
}

SEC("netfilter")
int sent_ipv4(struct bpf_nf_ctx *context)
{
    return sent(context, COUNT_IPV4);
}

SEC("netfilter")
int sent_ipv6(struct bpf_nf_ctx *context)
{
    return sent(context, COUNT_IPV6);
}

static __always_inline struct why why_called(const struct bpf_raw_tracepoint_args *context,
                                             const struct call *call, const struct segment *trigger)
{
    struct why why = {CAUSE_NONE, 0};

    if (has_reasons()) {
        why.reason = (__u32)context->args[2];
        why.cause = cause_by_reason(call->sk, trigger, why.reason);
    } else {
        why.cause = cause_without_reason(call->sk, trigger);
    }
    return why;
}

SEC("raw_tp/tcp_send_reset")
int tcp_sends_reset(struct bpf_raw_tracepoint_args *context)
{
    struct call call = {(const struct sock *)context->args[0],
                        (const struct sk_buff *)context->args[1]};
    struct segment trigger = {0};
    struct party party;
    struct why why;

    if (!is_own_namespace(&call))
        return 0;
    if (!has_reasons() && !is_full(call.sk)) /* no kernel without reasons tells of these */
        return 0;
    if (call.trigger)
        trigger = trigger_of(&call);
    why = why_called(context, &call, &trigger);
    if (call.trigger) {
        record_trigger(&call, &trigger, why);
        leave_note(flow_of_answer(&call, &trigger), why);
    } else if (take_abort(call.sk, &party)) {
        count(COUNT_SENT, &party, why.cause);
        complete_record(party.record, why.cause, why.reason);
    }
    return 0;
}
