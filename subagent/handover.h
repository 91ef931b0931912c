/*
 * What an agent leaves to the next one where the disk does not have it: a store (store.h) in
 * memory that the sampler maps for its agents, and never reads.
 */
#ifndef RSTWATCH_HANDOVER_H
#define RSTWATCH_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>

/* The store of a full log of the largest event-capacity has 33 MiB. */
#define HANDOVER_BYTES (48 << 20)

struct handover {
    _Atomic size_t used;         /* bytes of the store; 0: nothing was left */
    _Atomic bool settings_known; /* what SET has made is in it, also if that is nothing */
    unsigned char bytes[HANDOVER_BYTES];
};

/* Empty. NULL: errno. */
struct handover *handover_create(void);

#endif
