/*
 * Why a reset came, and why one was sent.
 *
 * Received: the kernel has looked up the socket of a segment before LOCAL_IN
 * (early demultiplexing), so its state tells. Not for a segment of our own that
 * comes over the loopback: there it is the cause that it was sent for.
 *
 * Sent: TCP says why at its tracepoint tcp_send_reset; what passes LOCAL_OUT
 * without that is a firewall's, or a raw socket's. The two are joined so that
 * a reset is counted once, when it has passed LOCAL_OUT and its cause is known:
 *
 *   an answer   the tracepoint comes first, in the same thread: it leaves a
 *               note for this flow on its CPU, which LOCAL_OUT takes
 *   an abort    LOCAL_OUT comes first: it leaves the socket in a map, and the
 *               tracepoint, which always follows, counts
 */
#ifndef RSTWATCH_LINUX_CAUSE_BPF_H
#define RSTWATCH_LINUX_CAUSE_BPF_H

#include "platform/Linux/count.h"
#include "platform/Linux/kernel.bpf.h"
#include "platform/causes.h"

#define IPV4_SOURCE      12 /* offset */
#define IPV4_DESTINATION 16 /* offset */
#define IPV6_SOURCE      8  /* offset */
#define IPV6_DESTINATION 24 /* offset */
#define IPV6_LAST        12 /* offset of the last 32 bits of an address */

#define TCP_DATA_OFFSET 12 /* offset; in 4 bytes, the upper half */
#define TCP_FLAGS       13 /* offset */
#define TCP_SYN         0x02
#define TCP_RST         0x04
#define TCP_ACK         0x10

struct segment {
    __be16 source, destination;
    __u32 sequence, acknowledgment;
    __u16 header_size; /* of its own */
    __u16 at;          /* offset in the packet; the caller's */
    __u8 flags;
    bool extended; /* IPv6: it is behind extension headers */
};

/* Who a reset is from or to, and which of our ports it is about. */
struct party {
    __u32 address[4]; /* of the peer, network order; of IPv4 the first */
    __u16 port;       /* ours, host order */
    __u8 family;      /* enum count_family */
    __u8 zero;
    __u64 record; /* number of its record; 0: none */
};

static __always_inline struct segment segment_at(const __u8 *tcp)
{
    return (struct segment){
        .source = *(const __be16 *)tcp,
        .destination = *(const __be16 *)(tcp + 2),
        .sequence = bpf_ntohl(*(const __be32 *)(tcp + 4)),
        .acknowledgment = bpf_ntohl(*(const __be32 *)(tcp + 8)),
        .header_size = (tcp[TCP_DATA_OFFSET] >> 4) * 4,
        .flags = tcp[TCP_FLAGS],
    };
}

static __always_inline bool before(__u32 left, __u32 right)
{
    return (__s32)(left - right) < 0;
}

/* ---- Notes: the cause of a reset that is to pass another hook on this CPU ---- */

#define NOTE_COUNT 32 /* a power of 2; more than one only where threads interrupt each other */

struct notes {
    __u64 note[NOTE_COUNT]; /* a flow, hashed, and in the last two bytes the kernel's reason and
                               the cause; 0: none */
};

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct notes);
} notes SEC(".maps");

enum note_for { NOTE_FOR_LOCAL_OUT, NOTE_FOR_LOCAL_IN };

/* The end that sends the reset has `port`; 2^64 / the golden ratio spreads the bits. */
static __always_inline __u64 hash_flow(enum note_for hook, __be16 port, __be32 peer_address,
                                       __be16 peer_port)
{
    __u64 flow = (__u64)peer_address << 32 | (__u32)port << 16 | peer_port;

    return (hook == NOTE_FOR_LOCAL_IN ? ~flow : flow) * 0x9e3779b97f4a7c15ULL;
}

static __always_inline __u64 *find_note(__u64 hash)
{
    __u32 zero = 0;
    struct notes *here = bpf_map_lookup_elem(&notes, &zero);

    return here ? &here->note[hash >> 59] : (__u64 *)0;
}

#define NOTE_TEXT 0xffffULL

/* Why a reset is, or was, sent. */
struct why {
    enum cause cause; /* CAUSE_NONE: not known, or not yet */
    __u32 reason;     /* enum sk_rst_reason of the running kernel; 0: none */
};

static __always_inline void leave_note(__u64 hash, struct why why)
{
    __u64 *note = find_note(hash);

    if (note)
        *note = (hash & ~NOTE_TEXT) | (why.reason & 0xff) << 8 | why.cause;
}

static __always_inline struct why take_note(__u64 hash)
{
    __u64 *note = find_note(hash);
    struct why why = {CAUSE_NONE, 0};
    __u64 found;

    if (!note)
        return why;
    found = *note;
    if ((found ^ hash) & ~NOTE_TEXT)
        return why;
    *note = 0;
    why.reason = found >> 8 & 0xff;
    why.cause = found & 0xff;
    return why;
}

/* The last 32 bits of an address. The IP header is never apart from where the data begins. */
static __always_inline __be32 destination_address(const struct sk_buff *skb,
                                                  enum count_family family)
{
    return *(
        const __be32 *)(CAST(skb->data, struct ipv6hdr)->byte +
                        (family == COUNT_IPV4 ? IPV4_DESTINATION : IPV6_DESTINATION + IPV6_LAST));
}

static __always_inline __u64 flow_of_reset(enum note_for hook, const struct bpf_nf_ctx *context,
                                           enum count_family family, const struct segment *reset)
{
    return hash_flow(hook, reset->source, destination_address(context->skb, family),
                     reset->destination);
}

/* ---- Received ---- */

static __always_inline bool always(const void *sk, const struct segment *segment)
{
    (void)sk, (void)segment;
    return true;
}

/* tcp_rcv_synsent_state_process(): no reset is taken without this. Not by snd_nxt, which an
   answer can be faster than (tcp_connect()). */
static __always_inline bool acknowledges_syn(const void *sk, const struct segment *reset)
{
    const struct tcp_sock *tcp = CAST(sk, struct tcp_sock);

    return reset->flags & TCP_ACK && before(tcp->snd_una, reset->acknowledgment) &&
           !before(tcp->write_seq, reset->acknowledgment);
}

/* tcp_check_req(); older kernels take any in the window. */
static __always_inline bool is_next_of_request(const void *sk, const struct segment *reset)
{
    return reset->sequence == CAST(sk, struct tcp_request_sock)->rcv_nxt;
}

/* tcp_validate_incoming(): the end of what has come, or of what has come out of order. */
static __always_inline bool is_next(const void *sk, const struct segment *reset)
{
    const struct tcp_sock *tcp = CAST(sk, struct tcp_sock);
    const struct sk_buff *waiting = CAST(sk, struct sock)->sk_backlog.tail;
    __u8 count = tcp->rx_opt.num_sacks;
    __u32 end = tcp->rcv_nxt;

    if (reset->sequence == end)
        return true;
    if (waiting &&
        reset->sequence == CAST(CAST(waiting, struct sk_buff)->cb, struct tcp_skb_cb)->end_seq)
        return true;
    for (int n = 0; n < 4; n++) {
        if (n < count && before(end, tcp->selective_acks[n].end_seq))
            end = tcp->selective_acks[n].end_seq;
    }
    return reset->sequence == end;
}

/* Some systems give the reset that follows their FIN its number: tcp_reset_check(). */
static __always_inline bool is_next_or_fin(const void *sk, const struct segment *reset)
{
    return is_next(sk, reset) || reset->sequence + 1 == CAST(sk, struct tcp_sock)->rcv_nxt;
}

static __always_inline bool waits_for_fin(const void *sk, const struct segment *segment)
{
    (void)segment;
    return CAST(sk, struct inet_timewait_sock)->tw_substate == TCP_FIN_WAIT2;
}

static __always_inline enum cause cause_by_socket(const struct sock *sk,
                                                  const struct segment *reset)
{
    unsigned char state = CAST(sk, struct sock)->__sk_common.skc_state;

#define RECEIVED(state_, condition, cause)                                                         \
    if (state == (state_) && condition(sk, reset))                                                 \
        return CAUSE_##cause;
#include "platform/Linux/cause_rules.def"
    return CAUSE_UNEXPLAINED;
}

static __always_inline bool was_in_fragments(const struct sk_buff *skb, enum count_family family)
{
    return family == COUNT_IPV4 ? CAST(skb->cb, struct inet_skb_parm)->flags & IPSKB_FRAG_COMPLETE
                                : CAST(skb->cb, struct inet6_skb_parm)->flags & IP6SKB_FRAGMENTED;
}

/* Whether the kernel has looked for the socket of this packet: ip_rcv_finish_core(),
   ip6_rcv_finish_core(). Not for one with IPv6 extension headers, which is not asked here. */
static __always_inline bool was_demultiplexed(const struct bpf_nf_ctx *context,
                                              enum count_family family)
{
    const struct netns_ipv4 *settings = &context->state->net->ipv4;

    return settings->sysctl_ip_early_demux && settings->sysctl_tcp_early_demux &&
           !was_in_fragments(context->skb, family);
}

static __always_inline bool is_loopback(const struct net_device *device)
{
    return device && CAST(device, struct net_device)->flags & IFF_LOOPBACK;
}

static __always_inline enum cause cause_of_received(const struct bpf_nf_ctx *context,
                                                    enum count_family family,
                                                    const struct segment *reset)
{
    const struct sock *sk = context->skb->sk;
    enum cause cause;

    if (sk)
        return cause_by_socket(sk, reset);
    if (is_loopback(context->state->in)) {
        cause = take_note(flow_of_reset(NOTE_FOR_LOCAL_IN, context, family, reset)).cause;
        return cause == CAUSE_NONE ? CAUSE_UNEXPLAINED : cause;
    }
    return !reset->extended && was_demultiplexed(context, family) ? CAUSE_UNMATCHED
                                                                  : CAUSE_UNEXPLAINED;
}

/* ---- Sent: what TCP says at its tracepoint ---- */

const volatile __u32 own_namespace;  /* inode number */
const volatile bool without_reasons; /* for tests: as with a kernel before 6.10 */

/* CO-RE compares names up to "___", and gives each value its number in the running kernel. */
enum sk_rst_reason {
    SK_RST_REASON_NOT_SPECIFIED,
#define SENT(reason, condition, cause) SK_RST_REASON_##reason##___##condition,
#include "platform/Linux/cause_rules.def"
};

#define IS_REASON(reason, number)                                                                  \
    (bpf_core_enum_value_exists(enum sk_rst_reason, reason) &&                                     \
     (number) == bpf_core_enum_value(enum sk_rst_reason, reason))

static __always_inline bool has_trigger(const void *sk, const struct segment *trigger)
{
    (void)sk;
    return trigger->source != 0;
}

static __always_inline bool trigger_has_syn(const void *sk, const struct segment *trigger)
{
    (void)sk;
    return trigger->flags & TCP_SYN;
}

static __always_inline bool trigger_is_syn(const void *sk, const struct segment *trigger)
{
    (void)sk;
    return (trigger->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

static __always_inline bool has_program(const void *sk, const struct segment *trigger)
{
    (void)trigger;
    return !(CAST(sk, struct sock)->__sk_common.skc_flags >> SOCK_DEAD & 1);
}

/*
 * Two minutes, for which cookies are valid, with 1,000 jiffies a second; with fewer a
 * longer time, since how many there are is not to be had here. The stamp is that of
 * tcp_synq_overflow().
 */
#define COOKIE_JIFFIES (120 * 1000)

static __always_inline bool sent_cookies_lately(const void *sk, const struct segment *trigger)
{
    const struct sock_reuseport *group = CAST(sk, struct sock)->sk_reuseport_cb;
    __u32 stamp = group ? CAST(group, struct sock_reuseport)->synq_overflow_ts
                        : (__u32)CAST(sk, struct tcp_sock)->rx_opt.ts_recent_stamp;

    (void)trigger;
    return stamp && (__u32)bpf_jiffies64() - stamp < COOKIE_JIFFIES;
}

static __always_inline enum cause cause_by_reason(const struct sock *sk,
                                                  const struct segment *trigger, __u32 number)
{
#define SENT(reason, condition, cause)                                                             \
    if (IS_REASON(SK_RST_REASON_##reason##___##condition, number) && condition(sk, trigger))       \
        return CAUSE_##cause;
#include "platform/Linux/cause_rules.def"
    return CAUSE_UNEXPLAINED;
}

static __always_inline enum cause cause_without_reason(const struct sock *sk,
                                                       const struct segment *trigger)
{
    unsigned char state = CAST(sk, struct sock)->__sk_common.skc_state;

#define SENT_IN(state_, condition, cause)                                                          \
    if (state == (state_) && condition(sk, trigger))                                               \
        return CAUSE_##cause;
#include "platform/Linux/cause_rules.def"
    return CAUSE_UNEXPLAINED;
}

static __always_inline bool has_reasons(void)
{
    return bpf_core_type_exists(enum sk_rst_reason) && !without_reasons;
}

/* The tracepoint's arguments: the kernel's include/trace/events/tcp.h. */
struct call {
    const struct sock *sk;         /* may be NULL */
    const struct sk_buff *trigger; /* NULL: nothing is answered, an abort */
};

/* Not what stands in for a socket in TIME-WAIT or in a handshake, which is shorter. */
static __always_inline bool is_full(const struct sock *sk)
{
    unsigned char state = CAST(sk, struct sock)->__sk_common.skc_state;

    return sk && state != TCP_TIME_WAIT && state != TCP_NEW_SYN_RECV;
}

static __always_inline bool is_own_namespace(const struct call *call)
{
    const struct net *net =
        call->sk ? CAST(call->sk, struct sock)->__sk_common.skc_net.net
                 : CAST(CAST(call->trigger, struct sk_buff)->dev, struct net_device)->nd_net.net;

    return CAST(net, struct net)->ns.inum == own_namespace;
}

static __always_inline struct segment trigger_of(const struct call *call)
{
    const struct sk_buff *skb = CAST(call->trigger, struct sk_buff);

    return segment_at(CAST(skb->head + skb->transport_header, struct tcphdr)->byte);
}

static __always_inline __u64 flow_of_answer(const struct call *call, const struct segment *trigger)
{
    const struct sk_buff *skb = CAST(call->trigger, struct sk_buff);
    const __u8 *ip = CAST(skb->head + skb->network_header, struct ipv6hdr)->byte;
    __be32 peer = *(const __be32 *)(ip + (ip[0] >> 4 == 4 ? IPV4_SOURCE : IPV6_SOURCE + IPV6_LAST));

    return hash_flow(NOTE_FOR_LOCAL_OUT, trigger->destination, peer, trigger->source);
}

/* ---- Sent: joined with LOCAL_OUT ---- */

/* Aborts that have passed LOCAL_OUT, until the tracepoint: by socket. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 4096);
    __type(key, __u64);
    __type(value, struct party);
} aborts SEC(".maps");

/* Whose abort it is that has passed LOCAL_OUT; false: this one has not. */
static __always_inline bool take_abort(const struct sock *sk, struct party *party)
{
    __u64 key = (__u64)sk;
    struct party *found = bpf_map_lookup_elem(&aborts, &key);

    if (!found)
        return false;
    *party = *found;
    return bpf_map_delete_elem(&aborts, &key) == 0;
}

/* How a reset that goes over the loopback is seen where it comes in. */
static __always_inline enum cause cause_of_own(enum cause sent)
{
#define RECEIVED_OWN(sent_, received)                                                              \
    if (sent == CAUSE_##sent_)                                                                     \
        return CAUSE_##received;
#include "platform/Linux/cause_rules.def"
    return CAUSE_UNEXPLAINED;
}

/* Of a segment without a note and without a TCP socket. */
static __always_inline enum cause cause_without_note(const struct sock *sk,
                                                     const struct segment *reset)
{
    if (!sk || !BPF_CORE_READ_BITFIELD_PROBED(sk, sk_kern_sock))
        return CAUSE_FIREWALL;
    /* From TCP's own socket: an answer that no tracepoint told of. It has ACK only where
       the other segment had none, which is a SYN, or a scan without any flag. */
    if (!has_reasons() && reset->flags & TCP_ACK)
        return CAUSE_NO_LISTENER;
    return CAUSE_UNEXPLAINED;
}

static __always_inline bool is_connection(const struct sock *sk)
{
    return is_full(sk) && CAST(sk, struct sock)->sk_protocol == IPPROTO_TCP &&
           CAST(sk, struct sock)->sk_type == SOCK_STREAM;
}

/* CAUSE_NONE: it is an abort, for the tracepoint to count. */
static __always_inline struct why why_sent(const struct bpf_nf_ctx *context,
                                           const struct party *party, const struct segment *reset)
{
    enum count_family family = party->family;
    const struct sock *sk = context->state->sk;
    struct why why = take_note(flow_of_reset(NOTE_FOR_LOCAL_OUT, context, family, reset));
    struct why received;

    if (why.cause == CAUSE_NONE && !is_connection(sk))
        why.cause = cause_without_note(sk, reset);
    if (is_loopback(context->state->out)) {
        received =
            (struct why){cause_of_own(why.cause == CAUSE_NONE ? CAUSE_ABORTED : why.cause), 0};
        leave_note(flow_of_reset(NOTE_FOR_LOCAL_IN, context, family, reset), received);
    }
    return why;
}

/* Leaves an abort that has passed LOCAL_OUT to the tracepoint; false: there is no room. */
static __always_inline bool leave_abort(const struct bpf_nf_ctx *context, const struct party *party)
{
    __u64 key = (__u64)context->state->sk;

    return bpf_map_update_elem(&aborts, &key, party, BPF_NOEXIST) == 0;
}

#endif
