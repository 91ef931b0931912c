#include "subagent/windows.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

const uint32_t window_seconds[WINDOWS] = {[WINDOW_10_S] = 10, [WINDOW_60_S] = 60};

static uint32_t sum(uint32_t a, uint32_t b)
{
    return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

static bool is_grown(const struct peer_history *history, const struct peer_slice *slice)
{
    return history->pushed > 0 &&
           history->slices[(history->pushed - 1) % PEER_SLICES].begin_ns == slice->begin_ns;
}

void peer_history_push(struct peer_history *history, const struct peer_slice *slice)
{
    if (is_grown(history, slice))
        history->pushed--;
    history->slices[history->pushed % PEER_SLICES] = *slice;
    history->pushed++;
    history->merged_once = false;
}

/* A port is its own address in a list of ports. */
static int compare(const void *a, const void *b)
{
    const struct peer *first = a, *second = b;
    int order = memcmp(first->address, second->address, sizeof first->address);

    if (order != 0)
        return order;
    if (first->version != second->version)
        return first->version < second->version ? -1 : 1;
    if (first->version != 0 || first->port == second->port)
        return 0;
    return first->port < second->port ? -1 : 1;
}

/* What most resets of a peer have, by a majority vote in which each slice has its count. */
struct vote {
    uint32_t value, votes;
};

static void cast(struct vote *vote, uint32_t value, uint32_t votes)
{
    if (vote->value == value) {
        vote->votes = sum(vote->votes, votes);
    } else if (vote->votes >= votes) {
        vote->votes -= votes;
    } else {
        vote->value = value;
        vote->votes = votes - vote->votes;
    }
}

/* Makes one of the peers at `peers` that are the same; how many these are. */
static size_t merge_same(const struct peer *peers, size_t count, struct peer *merged)
{
    struct vote port = {peers->port, 0}, cause = {peers->cause, 0};
    size_t n;

    *merged = *peers;
    merged->count = 0;
    for (n = 0; n < count && compare(peers, &peers[n]) == 0; n++) {
        merged->count = sum(merged->count, peers[n].count);
        cast(&port, peers[n].port, peers[n].count);
        cast(&cause, peers[n].cause, peers[n].count);
    }
    merged->port = (uint16_t)port.value;
    merged->cause = (uint8_t)cause.value;
    return n;
}

static void put(struct peer_window *window, enum peer_list list, const struct peer *peer)
{
    struct peer *peers = window->peers[list];
    uint32_t place = window->counts[list];

    if (place == WINDOW_PEERS && peer->count <= peers[WINDOW_PEERS - 1].count)
        return;
    if (place < WINDOW_PEERS)
        window->counts[list]++;
    else
        place--; /* the lightest goes */
    for (; place > 0 && peers[place - 1].count < peer->count; place--)
        peers[place] = peers[place - 1];
    peers[place] = *peer;
}

/* Of the slices from `first` up to, but without, `last`. */
static size_t gather(struct peer_history *history, enum peer_list list, uint64_t first,
                     uint64_t last, struct peer_window *window)
{
    size_t count = 0;

    for (uint64_t n = first; n < last; n++) {
        const struct peer_slice *slice = &history->slices[n % PEER_SLICES];

        window->totals[list] = sum(window->totals[list], slice->totals[list]);
        memcpy(&history->merged[count], slice->peers[list],
               slice->counts[list] * sizeof *history->merged);
        count += slice->counts[list];
    }
    return count;
}

static void merge_list(struct peer_history *history, enum peer_list list, uint64_t first,
                       uint64_t last, struct peer_window *window)
{
    size_t count = gather(history, list, first, last, window);
    uint32_t listed = 0;
    struct peer peer;

    qsort(history->merged, count, sizeof *history->merged, compare);
    for (size_t n = 0; n < count;) {
        n += merge_same(&history->merged[n], count - n, &peer);
        put(window, list, &peer);
    }
    for (uint32_t n = 0; n < window->counts[list]; n++)
        listed = sum(listed, window->peers[list][n].count);
    /* A slice's lists and its total are not read at quite the same instant. */
    if (window->totals[list] < listed)
        window->totals[list] = listed;
    window->others[list] = window->totals[list] - listed;
}

/* The first slice that ended after time_ns; the number of the next one where none has. */
static uint64_t first_after(const struct peer_history *history, int64_t time_ns)
{
    uint64_t n = history->pushed > PEER_SLICES ? history->pushed - PEER_SLICES : 0;

    while (n < history->pushed && history->slices[n % PEER_SLICES].end_ns <= time_ns)
        n++;
    return n;
}

void peer_history_merge(struct peer_history *history, int64_t now_ns,
                        struct peer_window windows[WINDOWS])
{
    uint64_t last = first_after(history, now_ns);

    for (enum window n = 0; n < WINDOWS; n++) {
        uint64_t first = first_after(history, now_ns - window_seconds[n] * NS_PER_S);

        if (history->merged_once && first == history->first[n] && last == history->last[n])
            continue;
        history->first[n] = first;
        history->last[n] = last;
        memset(&windows[n], 0, sizeof windows[n]);
        for (enum peer_list list = 0; list < PEER_LISTS; list++)
            merge_list(history, list, first, last, &windows[n]);
    }
    history->merged_once = true;
}

uint32_t peer_window_percent(const struct peer_window *window, enum peer_list list, uint32_t count)
{
    return window->totals[list] == 0 ? 0 : (uint32_t)(count * UINT64_C(100) / window->totals[list]);
}
