/*
 * Whose resets these are: counts by peer and by local port, in two maps of which
 * the daemon turns the programs to the other once a second, and then reads and
 * empties the first. A map that is full drops what was used longest ago: a flood
 * from a million addresses takes no more room and leaves the heavy ones.
 */
#ifndef RSTWATCH_LINUX_PEER_BPF_H
#define RSTWATCH_LINUX_PEER_BPF_H

#include "platform/Linux/cause.bpf.h"

#define PEER_MAP(name)                                                                             \
    struct {                                                                                       \
        __uint(type, BPF_MAP_TYPE_LRU_HASH);                                                       \
        __uint(max_entries, COUNT_KEYS);                                                           \
        __type(key, struct count_key);                                                             \
        __type(value, struct count_value);                                                         \
    } name SEC(".maps")

PEER_MAP(peers_0);
PEER_MAP(peers_1);

/* Which of the two is counted in. Mapped by the daemon, and only written by it. */
__u32 half __attribute__((aligned(64)));

static __always_inline void vote(struct count_vote *vote, __u32 value)
{
    if (vote->votes == 0)
        vote->value = value;
    vote->votes += vote->value == value ? 1 : -1;
}

/* `peers` is a constant where this is called. */
static __always_inline void count_in(void *peers, const struct count_key *key, __u32 port,
                                     __u32 cause)
{
    struct count_value *value = bpf_map_lookup_elem(peers, key);
    const struct count_value none = {0};

    if (!value) {
        bpf_map_update_elem(peers, key, &none, BPF_NOEXIST);
        value = bpf_map_lookup_elem(peers, key);
    }
    if (!value)
        return;
    __sync_fetch_and_add(&value->count, 1);
    vote(&value->port, port);
    vote(&value->cause, cause);
}

static __always_inline void count_key(const struct count_key *key, __u32 port, __u32 cause)
{
    if (half == 0)
        count_in(&peers_0, key, port, cause);
    else
        count_in(&peers_1, key, port, cause);
}

static __always_inline void count_peer(enum count_direction direction, const struct party *party,
                                       __u32 cause)
{
    struct count_key key = {.direction = direction, .family = party->family};

    __builtin_memcpy(key.value, party->address, sizeof key.value);
    count_key(&key, party->port, cause);
    key = (struct count_key){.direction = direction, .by = COUNT_BY_PORT, .value = {party->port}};
    count_key(&key, 0, cause);
}

static __always_inline struct party party_of(const struct sk_buff *skb, enum count_family family,
                                             int ipv4_address, int ipv6_address, __be16 port)
{
    const __u32 *address = (const __u32 *)(CAST(skb->data, struct ipv6hdr)->byte +
                                           (family == COUNT_IPV4 ? ipv4_address : ipv6_address));
    struct party party = {.address = {address[0]}, .port = bpf_ntohs(port), .family = family};

    if (family == COUNT_IPV6) {
        party.address[1] = address[1];
        party.address[2] = address[2];
        party.address[3] = address[3];
    }
    return party;
}

#endif
