#include "subagent/ranking.h"

#include <string.h>

#define NS_PER_S INT64_C(1000000000)

_Static_assert(RANKING_TABLE > RANKING_SLICES * PEERS_MAX,
               "a place for every peer, and a free one");

const uint32_t ranking_window_s[RANKING_WINDOWS] = {[RANKING_10S] = 10, [RANKING_60S] = 60};

static const struct peer_slice *slice_at(const struct ranker *ranker, uint64_t number)
{
    return &ranker->slices[number % RANKING_SLICES];
}

void ranker_push(struct ranker *ranker, const struct peer_slice *slice)
{
    ranker->slices[ranker->pushed++ % RANKING_SLICES] = *slice;
}

/* ---- Which slices ---- */

static uint64_t listed_in(const struct peer_slice *slice, enum peer_list list)
{
    uint64_t sum = 0;

    for (uint32_t n = 0; n < slice->counts[list]; n++)
        sum += slice->peers[list][n].count;
    return sum;
}

/* The resets of a slice, or more: those of its largest list. */
static uint64_t size_of(const struct peer_slice *slice)
{
    uint64_t size = 0;

    for (enum peer_list list = 0; list < PEER_LISTS; list++) {
        uint64_t listed = listed_in(slice, list);

        if (size < listed)
            size = listed;
        if (size < slice->totals[list])
            size = slice->totals[list];
    }
    return size;
}

/* Those that end in (now_ns - window_ns, now_ns], the oldest left out if 32 bits do not hold
   all their resets. */
static struct slice_range slices_in(const struct ranker *ranker, int64_t window_ns, int64_t now_ns)
{
    uint64_t oldest = ranker->pushed > RANKING_SLICES ? ranker->pushed - RANKING_SLICES : 0;
    struct slice_range range = {.end = ranker->pushed};
    uint64_t size = 0;

    while (range.end > oldest && slice_at(ranker, range.end - 1)->end_ns > now_ns)
        range.end--;
    for (range.begin = range.end; range.begin > oldest; range.begin--) {
        const struct peer_slice *slice = slice_at(ranker, range.begin - 1);

        size += size_of(slice);
        if (slice->end_ns <= now_ns - window_ns || size > UINT32_MAX)
            break;
    }
    return range;
}

/* ---- Merging: peers by address, ports by port ---- */

static bool same(const struct peer *a, const struct peer *b)
{
    return a->version == b->version && memcmp(a->address, b->address, sizeof a->address) == 0 &&
           (a->version != 0 || a->port == b->port);
}

/* FNV-1a. */
static uint32_t hash_of(const struct peer *peer)
{
    uint32_t hash = UINT32_C(2166136261) ^ (peer->version != 0 ? peer->version : peer->port);

    for (size_t n = 0; n < sizeof peer->address; n++)
        hash = (hash ^ peer->address[n]) * UINT32_C(16777619);
    return hash ^ hash >> 16;
}

/* Where it is, or would be. */
static struct peer *place_of(struct peer table[RANKING_TABLE], const struct peer *peer)
{
    uint32_t at = hash_of(peer) % RANKING_TABLE;

    while (table[at].count != 0 && !same(&table[at], peer))
        at = (at + 1) % RANKING_TABLE;
    return &table[at];
}

static void merge(struct ranker *ranker, struct slice_range range, enum peer_list list)
{
    memset(ranker->table, 0, sizeof ranker->table);
    for (uint64_t number = range.begin; number < range.end; number++) {
        const struct peer_slice *slice = slice_at(ranker, number);

        for (uint32_t n = 0; n < slice->counts[list]; n++) {
            const struct peer *peer = &slice->peers[list][n];
            struct peer *place = place_of(ranker->table, peer);
            uint32_t before = place->count;

            *place = *peer;
            place->count += before;
        }
    }
}

/* ---- Ranks ---- */

/* Of two with the same count one is always first, so that ranks do not change by themselves. */
static bool goes_before(const struct peer *a, const struct peer *b)
{
    int order = memcmp(a->address, b->address, sizeof a->address);

    if (a->count != b->count)
        return a->count > b->count;
    if (order != 0)
        return order < 0;
    return a->version != b->version ? a->version < b->version : a->port < b->port;
}

static void rank(struct ranked *ranked, const struct peer *peer)
{
    uint32_t place = ranked->count < RANKS ? ranked->count++ : RANKS - 1;

    if (!goes_before(peer, &ranked->peers[place])) /* a free place has no resets */
        return;
    for (; place > 0 && goes_before(peer, &ranked->peers[place - 1]); place--)
        ranked->peers[place] = ranked->peers[place - 1];
    ranked->peers[place] = *peer;
}

/* ---- The port and the cause that most of a peer's resets have ---- */

/* What slices say, and of how many resets. */
struct tally {
    uint32_t count;
    struct {
        uint32_t value, resets;
    } of[RANKING_SLICES];
};

static void tally_add(struct tally *tally, uint32_t value, uint32_t resets)
{
    uint32_t n = 0;

    while (n < tally->count && tally->of[n].value != value)
        n++;
    if (n == tally->count) {
        tally->of[n].value = value;
        tally->of[n].resets = 0;
        tally->count++;
    }
    tally->of[n].resets += resets;
}

/* What is said of more than half; 0: nothing is. */
static uint32_t tally_majority(const struct tally *tally, uint32_t resets)
{
    for (uint32_t n = 0; n < tally->count; n++)
        if (tally->of[n].resets > resets - tally->of[n].resets)
            return tally->of[n].value;
    return 0;
}

/* NULL: the slice does not list it. */
static const struct peer *find(const struct peer_slice *slice, enum peer_list list,
                               const struct peer *peer)
{
    for (uint32_t n = 0; n < slice->counts[list]; n++)
        if (same(&slice->peers[list][n], peer))
            return &slice->peers[list][n];
    return NULL;
}

static void tell_port_and_cause(const struct ranker *ranker, struct slice_range range,
                                enum peer_list list, struct peer *peer)
{
    struct tally ports = {0}, causes = {0};

    for (uint64_t number = range.begin; number < range.end; number++) {
        const struct peer *here = find(slice_at(ranker, number), list, peer);

        if (!here)
            continue;
        tally_add(&ports, here->port, here->count);
        tally_add(&causes, here->cause, here->count);
    }
    peer->port = (uint16_t)tally_majority(&ports, peer->count);
    peer->cause = (uint8_t)tally_majority(&causes, peer->count);
}

/* ---- All of it ---- */

/* Returns how many resets those that are ranked have. */
static uint32_t rank_list(struct ranker *ranker, struct slice_range range, enum peer_list list,
                          struct ranked *ranked)
{
    uint32_t sum = 0;

    merge(ranker, range, list);
    for (size_t n = 0; n < RANKING_TABLE; n++)
        if (ranker->table[n].count != 0)
            rank(ranked, &ranker->table[n]);
    for (uint32_t n = 0; n < ranked->count; n++) {
        tell_port_and_cause(ranker, range, list, &ranked->peers[n]);
        sum += ranked->peers[n].count;
    }
    return sum;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/*
 * A source may take the total of a slice a moment before its peers: some resets are then
 * in the peers of one slice and in the total of the next. At the end of a window these are
 * in no total yet, so the total is at least what is listed.
 */
static struct ranking rank_slices(struct ranker *ranker, struct slice_range range,
                                  enum peer_list peers, enum peer_list ports)
{
    struct ranking ranking = {0};
    uint32_t of_peers = rank_list(ranker, range, peers, &ranking.peers);
    uint32_t of_ports = rank_list(ranker, range, ports, &ranking.ports);

    for (uint64_t number = range.begin; number < range.end; number++)
        ranking.total += slice_at(ranker, number)->totals[peers];
    ranking.total = larger(ranking.total, larger(of_peers, of_ports));
    ranking.peers.others = ranking.total - of_peers;
    ranking.ports.others = ranking.total - of_ports;
    return ranking;
}

void ranker_update(struct ranker *ranker, int64_t now_ns)
{
    for (enum ranking_window window = 0; window < RANKING_WINDOWS; window++) {
        struct slice_range *range = &ranker->ranges[window];
        struct ranking *of = ranker->rankings.of[window];
        struct slice_range now = slices_in(ranker, ranking_window_s[window] * NS_PER_S, now_ns);

        if (now.begin == range->begin && now.end == range->end)
            continue;
        *range = now;
        of[DIRECTION_RECEIVED] = rank_slices(ranker, now, PEERS_RECEIVED, PORTS_RECEIVED);
        of[DIRECTION_SENT] = rank_slices(ranker, now, PEERS_SENT, PORTS_SENT);
    }
}
