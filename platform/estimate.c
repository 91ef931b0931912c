#include "platform/estimate.h"

static uint64_t growth(struct estimate *estimate, const struct sample *reading, enum counter id)
{
    uint64_t grown = 0;
    bool backwards = false;

    if (!sample_has(reading, id))
        return 0;
    if (sample_has(&estimate->last, id))
        grown = counter_growth(estimate->last.counter[id], reading->counter[id], &backwards);
    sample_set(&estimate->last, id, reading->counter[id]);
    return grown;
}

static uint64_t minus(uint64_t count, uint64_t less)
{
    return count > less ? count - less : 0;
}

/* A cause is known once its kernel counter is, be it that it did not grow. */
static void add(struct estimate *estimate, enum counter by_cause, bool known, uint64_t grown)
{
    if (known || sample_has(&estimate->by_cause, by_cause))
        sample_set(&estimate->by_cause, by_cause, estimate->by_cause.counter[by_cause] + grown);
}

/* What is left of `count` without the events of `other` in it; these become less by as many. */
static uint64_t without(uint64_t count, uint64_t *other)
{
    uint64_t common = count < *other ? count : *other;

    *other -= common;
    return count - common;
}

/* Of what `grew` in this reading, and has nothing in what is read first: looked for in the next
   one, too. */
static uint64_t early(uint64_t left, uint64_t grew)
{
    return left < grew ? left : grew;
}

/* What remains of the resets that another source counted. Only grows: the two are not read
   at the same instant, and a reset is counted before TCP deals with it. */
static void add_rest(struct estimate *estimate, enum direction direction, uint64_t counted)
{
    enum counter rest = cause_counter(direction, CAUSE_UNEXPLAINED);
    uint64_t known = 0;

    for (enum cause cause = CAUSE_NO_LISTENER; cause < CAUSE_UNEXPLAINED; cause++)
        known += estimate->by_cause.counter[cause_counter(direction, cause)];
    add(estimate, rest, true, minus(counted, known + estimate->by_cause.counter[rest]));
}

bool estimate_next(struct estimate *estimate, const struct sample *reading)
{
    if (!sample_has(reading, COUNTER_ATTEMPT_FAILS) || !sample_has(reading, COUNTER_ESTAB_RESETS))
        return false;

    uint64_t failed = growth(estimate, reading, COUNTER_ATTEMPT_FAILS);
    uint64_t reset = growth(estimate, reading, COUNTER_ESTAB_RESETS);
    uint64_t embryonic = growth(estimate, reading, COUNTER_EMBRYONIC);
    uint64_t on_data = growth(estimate, reading, COUNTER_ABORTS_ON_DATA);
    uint64_t on_close = growth(estimate, reading, COUNTER_ABORTS_ON_CLOSE);
    uint64_t on_linger = growth(estimate, reading, COUNTER_ABORTS_ON_LINGER);
    uint64_t on_memory = growth(estimate, reading, COUNTER_ABORTS_ON_MEMORY);
    uint64_t on_timeout = growth(estimate, reading, COUNTER_ABORTS_ON_TIMEOUT);
    uint64_t blind = growth(estimate, reading, COUNTER_RECEIVED_BLIND);
    uint64_t half_open = embryonic + estimate->early_embryonic;
    uint64_t aborts = on_data + on_close + estimate->early_aborts;
    uint64_t timeouts = on_timeout + estimate->early_timeouts;
    uint64_t refused = without(failed, &half_open);
    uint64_t in_handshake = failed - refused;

    refused = without(refused, &timeouts);
    reset = without(without(reset, &aborts), &timeouts);
    in_handshake = without(in_handshake, &timeouts);
    estimate->early_embryonic = early(half_open, embryonic);
    estimate->early_aborts = early(aborts, on_data + on_close);
    estimate->early_timeouts = early(timeouts, on_timeout);
    estimate->received += refused + reset + in_handshake + blind; /* growths are below 2^63 */

    add(estimate, COUNTER_RECEIVED_NO_LISTENER, true, refused);
    add(estimate, COUNTER_RECEIVED_ABORTED, true, reset);
    add(estimate, COUNTER_RECEIVED_HANDSHAKE_ABORTED, sample_has(reading, COUNTER_EMBRYONIC),
        in_handshake);
    add(estimate, COUNTER_RECEIVED_BLIND, sample_has(reading, COUNTER_RECEIVED_BLIND), blind);
    add(estimate, COUNTER_SENT_ABORTED, sample_has(reading, COUNTER_ABORTS_ON_DATA),
        on_data + on_close + on_linger);
    add(estimate, COUNTER_SENT_MEMORY, sample_has(reading, COUNTER_ABORTS_ON_MEMORY), on_memory);

    estimate->counted_received += growth(estimate, reading, COUNTER_RECEIVED);
    estimate->counted_sent += growth(estimate, reading, COUNTER_SENT);
    if (sample_has(reading, COUNTER_RECEIVED))
        add_rest(estimate, DIRECTION_RECEIVED, estimate->counted_received);
    if (sample_has(reading, COUNTER_SENT))
        add_rest(estimate, DIRECTION_SENT, estimate->counted_sent);
    return true;
}

void estimate_set_causes(const struct estimate *estimate, struct sample *sample)
{
    for (enum counter id = COUNTER_BY_CAUSE; id < COUNTER_COUNT; id++) {
        if (sample_has(&estimate->by_cause, id))
            sample_set(sample, id, estimate->by_cause.counter[id]);
    }
    if (estimate->by_cause.valid)
        sample->cause_method = CAUSES_DERIVED;
}
