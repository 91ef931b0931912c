#include "platform/Linux/peer_maps.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SLICE_NS NS_PER_S
#define SLICES   10  /* that an alarm looks back */
#define BATCH    512 /* keys at a time; more than any bucket of a map holds */

bool peers_open(struct peers_reader *reader, const int maps[COUNT_HALVES], uint32_t *half)
{
    *reader = (struct peers_reader){.half = half};
    memcpy(reader->maps, maps, sizeof reader->maps);
    reader->slice = calloc(1, sizeof *reader->slice);
    return reader->slice != NULL;
}

void peers_close(struct peers_reader *reader)
{
    free(reader->slice);
    reader->slice = NULL;
}

static enum peer_list list_of(const struct count_key *key)
{
    bool sent = key->direction == COUNT_SENT;

    if (key->by == COUNT_BY_PORT)
        return sent ? PORTS_SENT : PORTS_RECEIVED;
    return sent ? PEERS_SENT : PEERS_RECEIVED;
}

/* A value has at least as many resets as it has votes; one of few does not stand for them all.
   More votes than resets are none: two CPUs have taken away the last one. */
static uint32_t winner(const struct count_vote *vote, uint64_t count)
{
    return vote->votes <= count && vote->votes > count / 4 ? vote->value : 0;
}

static void add(struct peer_slice *slice, const struct count_key *key,
                const struct count_value *value)
{
    struct peer peer = {
        .cause = (uint8_t)winner(&value->cause, value->count),
        .port = (uint16_t)winner(&value->port, value->count),
        .count = value->count > UINT32_MAX ? UINT32_MAX : (uint32_t)value->count,
    };

    if (key->by == COUNT_BY_PORT) {
        peer.port = (uint16_t)key->value[0];
    } else {
        peer.version = key->family == COUNT_IPV4 ? 4 : 6;
        memcpy(peer.address, key->value, sizeof peer.address);
    }
    peer_slice_add(slice, list_of(key), &peer);
}

/* bpf_map_lookup_batch() or the one that empties the map as well. */
typedef int read_batch(int map, void *in, void *out, void *keys, void *values, uint32_t *count,
                       const struct bpf_map_batch_opts *options);

/* What cannot be read is missing in the lists; the totals do not come from here. */
static void read_map(int map, read_batch *read, struct peer_slice *slice)
{
    static struct count_key keys[BATCH];
    static struct count_value values[BATCH];
    uint32_t batch, *in = NULL;
    int result;

    do {
        uint32_t count = BATCH;

        result = read(map, in, &batch, keys, values, &count, NULL);
        if (result != 0 && errno != ENOENT)
            return;
        for (uint32_t n = 0; n < count; n++)
            add(slice, &keys[n], &values[n]);
        in = &batch;
    } while (result == 0);
}

static void begin(struct peers_reader *reader, const uint64_t resets[COUNT_DIRECTIONS],
                  int64_t now_ns)
{
    reader->begin_ns = now_ns;
    memcpy(reader->begin_resets, resets, sizeof reader->begin_resets);
}

static uint32_t grown(uint64_t before, uint64_t now)
{
    return now - before > UINT32_MAX ? UINT32_MAX : (uint32_t)(now - before);
}

/* The slice so far, but for its peers. */
static void describe(const struct peers_reader *reader, const uint64_t resets[COUNT_DIRECTIONS],
                     int64_t now_ns, struct peer_slice *slice)
{
    memset(slice, 0, sizeof *slice);
    slice->begin_ns = reader->begin_ns;
    slice->end_ns = now_ns;
    slice->totals[PEERS_RECEIVED] = slice->totals[PORTS_RECEIVED] =
        grown(reader->begin_resets[COUNT_RECEIVED], resets[COUNT_RECEIVED]);
    slice->totals[PEERS_SENT] = slice->totals[PORTS_SENT] =
        grown(reader->begin_resets[COUNT_SENT], resets[COUNT_SENT]);
}

/* Turns the programs to the other map, if there is anything in this one. */
static void turn(struct peers_reader *reader, const uint64_t resets[COUNT_DIRECTIONS],
                 int64_t now_ns)
{
    bool any = false;

    describe(reader, resets, now_ns, reader->slice);
    for (int n = 0; n < COUNT_DIRECTIONS; n++) {
        uint64_t here = resets[n] - reader->begin_resets[n];

        any |= here > 0;
        reader->past[n] += here - reader->past[n] / SLICES;
    }
    begin(reader, resets, now_ns);
    if (!any)
        return;
    __atomic_store_n(reader->half, !*reader->half, __ATOMIC_RELAXED);
    reader->waiting = true;
}

/* More than an even share of the last 10 s, which a steady flood does not have, and something
   that has not been told. */
static bool is_burst(const struct peers_reader *reader, const uint64_t resets[COUNT_DIRECTIONS])
{
    for (int n = 0; n < COUNT_DIRECTIONS; n++)
        if (resets[n] > reader->told[n] &&
            resets[n] - reader->begin_resets[n] > reader->past[n] / (SLICES - 2))
            return true;
    return false;
}

/* Programs add to it meanwhile: what is read may be a little more than the totals. */
static void look(struct peers_reader *reader, const uint64_t resets[COUNT_DIRECTIONS],
                 int64_t now_ns, struct peer_slice *slice)
{
    describe(reader, resets, now_ns, slice);
    read_map(reader->maps[*reader->half], bpf_map_lookup_batch, slice);
    memcpy(reader->told, resets, sizeof reader->told);
}

static void finish(struct peers_reader *reader, struct peer_slice *slice)
{
    *slice = *reader->slice;
    read_map(reader->maps[!*reader->half], bpf_map_lookup_and_delete_batch, slice);
    reader->waiting = false;
}

bool peers_read(struct peers_reader *reader, const uint64_t resets[COUNT_DIRECTIONS],
                int64_t now_ns, struct peer_slice *slice)
{
    bool burst;

    if (reader->begin_ns == 0) {
        begin(reader, resets, now_ns);
        memcpy(reader->told, resets, sizeof reader->told);
        return false;
    }
    if (reader->waiting && reader->slice->end_ns < now_ns) {
        finish(reader, slice);
        return true;
    }
    burst = is_burst(reader, resets);
    if (burst)
        look(reader, resets, now_ns, slice);
    if (now_ns - reader->begin_ns >= SLICE_NS)
        turn(reader, resets, now_ns);
    return burst;
}
