#include "subagent/average.h"

#include <stddef.h>

/* Counts in 64.64 fixed point: an interval's part is cut by less than 2^-64 of a count. */
#define FRACTION_BITS 64

static const struct sample *sample_at(const struct history *history, uint64_t n)
{
    return &history->samples[n % HISTORY_SAMPLES];
}

/* The counter with the lowest number; the set is not empty. */
static enum counter first_of(counter_set counters)
{
    return (enum counter)__builtin_ctzll(counters);
}

static uint64_t oldest_kept(const struct history *history)
{
    return history->pushed > HISTORY_SAMPLES ? history->pushed - HISTORY_SAMPLES : 0;
}

const struct sample *history_newest(const struct history *history)
{
    return history->pushed > 0 ? sample_at(history, history->pushed - 1) : NULL;
}

bool history_push(struct history *history, const struct sample *sample)
{
    const struct sample *newest = history_newest(history);

    if (newest && sample->time_ns <= newest->time_ns)
        return false;
    for (int id = 0; id < COUNTER_COUNT; id++)
        if (sample_has(sample, id) && !(newest && sample_has(newest, id)))
            history->known_since_ns[id] = sample->time_ns;
    history->samples[history->pushed % HISTORY_SAMPLES] = *sample;
    history->pushed++;
    return true;
}

int64_t history_known_since(const struct history *history, counter_set counters)
{
    const struct sample *newest = history_newest(history);
    int64_t since_ns;

    if (!newest || !sample_has_all(newest, counters))
        return INT64_MAX;
    since_ns = sample_at(history, oldest_kept(history))->time_ns;
    for (counter_set rest = counters; rest != 0; rest &= rest - 1)
        if (history->known_since_ns[first_of(rest)] > since_ns)
            since_ns = history->known_since_ns[first_of(rest)];
    return since_ns;
}

/* The newest sample at or before time_ns, which lies within what is kept. */
static uint64_t sample_before(const struct history *history, int64_t time_ns)
{
    uint64_t low = oldest_kept(history), high = history->pushed - 1;

    while (low < high) {
        uint64_t middle = low + (high - low + 1) / 2;

        if (sample_at(history, middle)->time_ns <= time_ns)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

/* Both samples know the counters, without a break between them. */
static unsigned __int128 growth_between(const struct sample *start, const struct sample *end,
                                        counter_set counters)
{
    unsigned __int128 growth = 0;

    for (; counters != 0; counters &= counters - 1)
        growth += end->counter[first_of(counters)] - start->counter[first_of(counters)];
    return growth;
}

/* Growth of all counters from sample n to time_ns, which lies before sample n + 1. */
static unsigned __int128 part_growth(const struct history *history, counter_set counters,
                                     uint64_t n, int64_t time_ns)
{
    const struct sample *start = sample_at(history, n), *end = sample_at(history, n + 1);
    unsigned __int128 growth;
    uint64_t length;

    if (time_ns == start->time_ns)
        return 0;
    length = (uint64_t)(end->time_ns - start->time_ns);
    growth = growth_between(start, end, counters);
    growth *= (uint64_t)(time_ns - start->time_ns);
    return (growth / length << FRACTION_BITS) + (growth % length << FRACTION_BITS) / length;
}

uint64_t history_growth(const struct history *history, counter_set counters, int64_t from_ns,
                        int64_t to_ns)
{
    const struct sample *newest = history_newest(history);
    int64_t known_ns = history_known_since(history, counters);
    uint64_t first, last;
    unsigned __int128 growth;

    if (known_ns == INT64_MAX)
        return 0;
    if (from_ns < known_ns)
        from_ns = known_ns;
    if (to_ns > newest->time_ns)
        to_ns = newest->time_ns;
    if (from_ns >= to_ns)
        return 0;
    first = sample_before(history, from_ns);
    last = sample_before(history, to_ns);
    growth = growth_between(sample_at(history, first), sample_at(history, last), counters)
             << FRACTION_BITS;
    growth += part_growth(history, counters, last, to_ns);
    growth -= part_growth(history, counters, first, from_ns);
    return (uint64_t)((growth + ((unsigned __int128)1 << (FRACTION_BITS - 1))) >> FRACTION_BITS);
}

uint32_t rate_centi(uint64_t count, int64_t duration_ns)
{
    unsigned __int128 centi = (unsigned __int128)count * 100 * NS_PER_S;
    uint64_t duration = (uint64_t)duration_ns;

    centi = (centi + duration / 2) / duration;
    return centi > UINT32_MAX ? UINT32_MAX : (uint32_t)centi;
}

bool history_average(const struct history *history, counter_set counters, int64_t window_ns,
                     uint32_t *average_centi)
{
    const struct sample *newest = history_newest(history);

    if (!newest || !sample_has_all(newest, counters))
        return false;
    *average_centi = rate_centi(
        history_growth(history, counters, newest->time_ns - window_ns, newest->time_ns), window_ns);
    return true;
}
