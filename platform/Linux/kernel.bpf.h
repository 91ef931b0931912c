/*
 * What the programs for the kernel know of it: types, the fields that they use
 * of its structures, and its functions. Written by hand, so that no kernel's
 * headers or BTF are needed to build; CO-RE finds where the fields are in the
 * running one.
 */
#ifndef RSTWATCH_LINUX_KERNEL_BPF_H
#define RSTWATCH_LINUX_KERNEL_BPF_H

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

#define NF_ACCEPT 1

/* linux/bpf.h */
#define BPF_MAP_TYPE_HASH         1
#define BPF_MAP_TYPE_PERCPU_ARRAY 6
#define BPF_MAP_TYPE_LRU_HASH     9
#define BPF_NOEXIST               1

#define IFF_LOOPBACK 0x8 /* net_device.flags */

#define IPPROTO_TCP 6
#define SOCK_STREAM 1

/* include/net/tcp_states.h */
enum tcp_state {
    TCP_ESTABLISHED = 1,
    TCP_SYN_SENT,
    TCP_SYN_RECV,
    TCP_FIN_WAIT1,
    TCP_FIN_WAIT2,
    TCP_TIME_WAIT,
    TCP_CLOSE,
    TCP_CLOSE_WAIT,
    TCP_LAST_ACK,
    TCP_LISTEN,
    TCP_CLOSING,
    TCP_NEW_SYN_RECV,
};

#define IPSKB_FRAG_COMPLETE 0x08 /* inet_skb_parm.flags: put together from fragments */
#define IP6SKB_FRAGMENTED   0x10 /* inet6_skb_parm.flags: the same */

#define SOCK_DEAD 0 /* bit of sock_common.skc_flags, enum sock_flags */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
    unsigned int inum;
};

struct netns_ipv4 {
    __u8 sysctl_ip_early_demux, sysctl_tcp_early_demux;
};

struct net {
    struct ns_common ns;
    struct netns_ipv4 ipv4;
};

typedef struct {
    struct net *net;
} possible_net_t;

struct net_device {
    unsigned int flags;
    int ifindex;
    possible_net_t nd_net;
};

struct sock_common {
    unsigned char skc_state;
    possible_net_t skc_net;
    unsigned long skc_flags;
};

struct sock_reuseport {
    unsigned int synq_overflow_ts; /* jiffies */
};

struct sk_buff;

struct sock {
    struct sock_common __sk_common;
    struct {
        struct sk_buff *tail;
    } sk_backlog; /* what has come while a program had the socket */
    __u16 sk_protocol, sk_type;
    __u8 sk_kern_sock : 1; /* the kernel's own */
    struct sock_reuseport *sk_reuseport_cb;
};

struct tcp_sack_block {
    __u32 start_seq, end_seq;
};

struct tcp_options_received {
    int ts_recent_stamp; /* of a listener: jiffies of the last SYN cookie */
    __u8 num_sacks;
};

struct tcp_sock {
    __u32 rcv_nxt, snd_una, write_seq;
    struct tcp_options_received rx_opt;
    struct tcp_sack_block selective_acks[4];
};

struct inet_timewait_sock {
    unsigned char tw_substate;
};

struct tcp_request_sock {
    __u32 rcv_nxt;
};

struct inet_skb_parm {
    __u16 flags;
};

struct inet6_skb_parm {
    __u16 flags;
};

struct tcp_skb_cb {
    __u32 end_seq;
};

struct sk_buff {
    char cb[48]; /* of IPv4, IPv6 and TCP: the three above */
    unsigned int len, data_len;
    unsigned char *data, *head;
    __u16 transport_header, network_header;
    int skb_iif;
    struct net_device *dev;
    struct sock *sk;
};

struct nf_hook_state {
    struct net_device *in, *out;
    struct sock *sk;
    struct net *net;
};

#pragma clang attribute pop

/* For their type numbers: their layout is that of the wire. */
#define IPV4_HEADER_SIZE 20
#define IPV6_HEADER_SIZE 40
#define TCP_HEADER_SIZE  20

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
struct bpf_nf_ctx {
    const struct nf_hook_state *state;
    struct sk_buff *skb;
};

struct bpf_raw_tracepoint_args {
    __u64 args[3];
};

extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags,
                               struct bpf_dynptr *dynptr) __ksym;
extern void *bpf_dynptr_slice(const struct bpf_dynptr *dynptr, __u32 offset, void *buffer,
                              __u32 buffer_size) __ksym;
extern void *bpf_rdonly_cast(void *pointer, __u32 type) __ksym;

/* Any address may be read through the pointer that this gives; a bad one reads as 0. */
#define CAST(address, type)                                                                        \
    ((const type *)bpf_rdonly_cast((void *)(address), bpf_core_type_id_kernel(type)))

#endif
