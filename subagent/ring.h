/*
 * The way of samples from the sampler process to the agent process: one shared
 * mapping, written by the first and read by the second, and a pipe that wakes
 * it. A new agent reads the same ring, so it starts with what the last one knew.
 */
#ifndef RSTWATCH_RING_H
#define RSTWATCH_RING_H

#include "platform/evidence.h"
#include "platform/peers.h"
#include "platform/sample.h"

/* 204 s at the shortest sample interval: a new agent needs 70 s of history and
   up to 60 s to step through (see store.h), and an agent may be stopped for a while. */
#define RING_SAMPLES 2048

/* One a second, for the windows of peers, which are a minute long, and more in a burst. */
#define RING_SLICES 256

/* The last 10 s at least: the sampler passes on a burst of 8192 and else 500 a second, and with
   each what it answers. */
#define RING_EVIDENCE 32768

struct ring;

/* A new, empty ring; `instance` tells this sampler from every other. NULL: errno. */
struct ring *ring_create(uint64_t instance);

uint64_t ring_instance(const struct ring *ring);

/* Makes the mapping read-only for this process. False: errno. */
bool ring_protect(struct ring *ring);

/* Adds a sample; its sequence must be that of the last one plus 1. */
void ring_write(struct ring *ring, const struct sample *sample);

/*
 * Copies the sample with the sequence *next, or the oldest one still there if
 * that is gone, and sets *next to its successor. False when there is none yet.
 * Start with *next = 1.
 */
bool ring_read(const struct ring *ring, uint64_t *next, struct sample *sample);

/* The same for slices, which are numbered here, from 1. */
void ring_write_slice(struct ring *ring, const struct peer_slice *slice);
bool ring_read_slice(const struct ring *ring, uint64_t *next, struct peer_slice *slice);

/* The same for evidence. */
void ring_write_evidence(struct ring *ring, const struct evidence *evidence);
bool ring_read_evidence(const struct ring *ring, uint64_t *next, struct evidence *evidence);

#endif
