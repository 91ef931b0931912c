#include "platform/Linux/estimate.h"

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

bool estimate_next(struct estimate *estimate, const struct sample *reading)
{
    if (!sample_has(reading, COUNTER_ATTEMPT_FAILS) || !sample_has(reading, COUNTER_ESTAB_RESETS))
        return false;

    uint64_t failed = growth(estimate, reading, COUNTER_ATTEMPT_FAILS);
    uint64_t reset = growth(estimate, reading, COUNTER_ESTAB_RESETS);
    uint64_t on_data = growth(estimate, reading, COUNTER_ABORTS_ON_DATA);
    uint64_t on_close = growth(estimate, reading, COUNTER_ABORTS_ON_CLOSE);
    uint64_t on_timeout = growth(estimate, reading, COUNTER_ABORTS_ON_TIMEOUT);

    reset = minus(minus(reset, on_data), on_close);
    estimate->received += minus(failed + reset, on_timeout); /* growths are below 2^63 */
    return true;
}
