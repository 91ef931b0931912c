#include "subagent/ring.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

struct ring {
    uint64_t instance;
    _Atomic uint64_t newest; /* sequence of the newest whole sample; 0 = none */
    struct sample samples[RING_SAMPLES];
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

void ring_write(struct ring *ring, const struct sample *sample)
{
    /* The last sequence must be seen before this slot changes: oldest_safe() relies on it. */
    atomic_thread_fence(memory_order_release);
    ring->samples[sample->sequence % RING_SAMPLES] = *sample;
    atomic_store_explicit(&ring->newest, sample->sequence, memory_order_release);
}

/* While sample n is being written, the slot of n - RING_SAMPLES is torn: it counts as gone. */
static uint64_t oldest_safe(uint64_t newest)
{
    return newest >= RING_SAMPLES ? newest - RING_SAMPLES + 2 : 1;
}

bool ring_read(const struct ring *ring, uint64_t *next, struct sample *sample)
{
    for (;;) {
        uint64_t newest = atomic_load_explicit(&ring->newest, memory_order_acquire);

        if (*next > newest)
            return false;
        if (*next < oldest_safe(newest))
            *next = oldest_safe(newest);
        *sample = ring->samples[*next % RING_SAMPLES];
        /* The copy is whole if the writer has not come round to its slot meanwhile. */
        atomic_thread_fence(memory_order_acquire);
        newest = atomic_load_explicit(&ring->newest, memory_order_relaxed);
        if (*next >= oldest_safe(newest)) {
            (*next)++;
            return true;
        }
    }
}
