/*
 * Seeded random numbers for tests (splitmix64): the same seed gives the same
 * test on every machine. RSTWATCH_TEST_SEED=n chooses another run.
 */
#ifndef RSTWATCH_TESTS_RANDOM_H
#define RSTWATCH_TESTS_RANDOM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

struct random {
    uint64_t state;
};

static inline uint64_t random_next(struct random *random)
{
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* One of low … high, both included. */
static inline int64_t random_between(struct random *random, int64_t low, int64_t high)
{
    return low + (int64_t)(random_next(random) % ((uint64_t)(high - low) + 1));
}

static inline bool random_one_in(struct random *random, int64_t n)
{
    return random_between(random, 1, n) == 1;
}

/* Of any magnitude from 0 bits to max_bits, each as likely: finds edges that even draws miss. */
static inline uint64_t random_magnitude(struct random *random, int max_bits)
{
    int bits = (int)random_between(random, 0, max_bits);

    return bits == 0 ? 0 : random_next(random) >> (64 - bits);
}

/* The seed of the first stream of a test; stream n uses seed + n. */
static inline uint64_t random_first_seed(void)
{
    const char *text = getenv("RSTWATCH_TEST_SEED");

    return text ? strtoull(text, NULL, 0) : UINT64_C(778);
}

#endif
