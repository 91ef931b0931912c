#include "subagent/ring.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

/* What is numbered 1, 2, 3 …, the newest of it: number n is at [n % count]. */
struct lane {
    _Atomic uint64_t newest; /* number of the newest whole item; 0 = none */
};

struct ring {
    uint64_t instance;
    struct lane samples_lane, slices_lane, evidence_lane;
    struct sample samples[RING_SAMPLES];
    struct peer_slice slices[RING_SLICES];
    struct evidence evidence[RING_EVIDENCE];
};

struct ring *ring_create(uint64_t instance)
{
    struct ring *ring =
        mmap(NULL, sizeof *ring, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (ring == MAP_FAILED)
        return NULL;
    ring->instance = instance;
    return ring;
}

uint64_t ring_instance(const struct ring *ring)
{
    return ring->instance;
}

bool ring_protect(struct ring *ring)
{
    return mprotect(ring, sizeof *ring, PROT_READ) == 0;
}

static void write_item(struct lane *lane, void *slot, const void *item, size_t size,
                       uint64_t number)
{
    /* The last number must be seen before this slot changes: oldest_safe() relies on it. */
    atomic_thread_fence(memory_order_release);
    memcpy(slot, item, size);
    atomic_store_explicit(&lane->newest, number, memory_order_release);
}

/* While item n is being written, the slot of n - count is torn: it counts as gone. */
static uint64_t oldest_safe(uint64_t newest, uint64_t count)
{
    return newest >= count ? newest - count + 2 : 1;
}

static bool read_item(const struct lane *lane, const void *slots, uint64_t count, size_t size,
                      uint64_t *next, void *item)
{
    for (;;) {
        uint64_t newest = atomic_load_explicit(&lane->newest, memory_order_acquire);

        if (*next > newest)
            return false;
        if (*next < oldest_safe(newest, count))
            *next = oldest_safe(newest, count);
        memcpy(item, (const char *)slots + *next % count * size, size);
        /* The copy is whole if the writer has not come round to its slot meanwhile. */
        atomic_thread_fence(memory_order_acquire);
        newest = atomic_load_explicit(&lane->newest, memory_order_relaxed);
        if (*next >= oldest_safe(newest, count)) {
            (*next)++;
            return true;
        }
    }
}

void ring_write(struct ring *ring, const struct sample *sample)
{
    write_item(&ring->samples_lane, &ring->samples[sample->sequence % RING_SAMPLES], sample,
               sizeof *sample, sample->sequence);
}

bool ring_read(const struct ring *ring, uint64_t *next, struct sample *sample)
{
    return read_item(&ring->samples_lane, ring->samples, RING_SAMPLES, sizeof *sample, next,
                     sample);
}

void ring_write_slice(struct ring *ring, const struct peer_slice *slice)
{
    uint64_t number = ring->slices_lane.newest + 1;

    write_item(&ring->slices_lane, &ring->slices[number % RING_SLICES], slice, sizeof *slice,
               number);
}

bool ring_read_slice(const struct ring *ring, uint64_t *next, struct peer_slice *slice)
{
    return read_item(&ring->slices_lane, ring->slices, RING_SLICES, sizeof *slice, next, slice);
}

void ring_write_evidence(struct ring *ring, const struct evidence *evidence)
{
    uint64_t number = ring->evidence_lane.newest + 1;

    write_item(&ring->evidence_lane, &ring->evidence[number % RING_EVIDENCE], evidence,
               sizeof *evidence, number);
}

bool ring_read_evidence(const struct ring *ring, uint64_t *next, struct evidence *evidence)
{
    return read_item(&ring->evidence_lane, ring->evidence, RING_EVIDENCE, sizeof *evidence, next,
                     evidence);
}
