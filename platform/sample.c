#include "platform/sample.h"

const char *const counter_names[COUNTER_COUNT] = {
#define COUNTER(id, group, arc, name, linux_source, freebsd_source, unit, meaning)                 \
    [COUNTER_##id] = name,
#include "mib/counters.def"
#undef COUNTER
#define CAUSE(id, number, label, received, sent) [COUNTER_RECEIVED_##id] = "received." label,
#include "mib/causes.def"
#undef CAUSE
#define CAUSE(id, number, label, received, sent) [COUNTER_SENT_##id] = "sent." label,
#include "mib/causes.def"
#undef CAUSE
};

const char *const cause_labels[CAUSE_SLOTS] = {
    [CAUSE_NONE] = "other",
#define CAUSE(id, number, label, received, sent) [CAUSE_##id] = label,
#include "mib/causes.def"
#undef CAUSE
};

void sample_set_exact(struct sample *sample, uint64_t received_ipv4, uint64_t received_ipv6,
                      uint64_t sent_ipv4, uint64_t sent_ipv6)
{
    sample_set(sample, COUNTER_RECEIVED, received_ipv4 + received_ipv6);
    sample_set(sample, COUNTER_RECEIVED_IPV4, received_ipv4);
    sample_set(sample, COUNTER_RECEIVED_IPV6, received_ipv6);
    sample_set(sample, COUNTER_SENT, sent_ipv4 + sent_ipv6);
    sample_set(sample, COUNTER_SENT_IPV4, sent_ipv4);
    sample_set(sample, COUNTER_SENT_IPV6, sent_ipv6);
    sample->received_method = METHOD_EXACT;
    sample->sent_method = METHOD_EXACT;
}

uint64_t counter_growth(uint64_t before, uint64_t now, bool *backwards)
{
    uint64_t growth = now - before;

    if (growth >> 63) {
        *backwards = true;
        return 0;
    }
    return growth;
}

/*
 * No kernel counter means what these do: they count from when counting began,
 * so what a reader starts from (OutRsts since boot, say) is not passed on.
 */
static bool counts_from_zero(enum counter id)
{
    if (id >= COUNTER_BY_CAUSE)
        return true;
    switch (id) {
    case COUNTER_RECEIVED:
    case COUNTER_SENT:
    case COUNTER_RECEIVED_IPV4:
    case COUNTER_RECEIVED_IPV6:
    case COUNTER_SENT_IPV4:
    case COUNTER_SENT_IPV6:
        return true;
    default:
        return false;
    }
}

/* The value to publish for a counter that `read` has. */
static uint64_t next_value(const struct continuity *continuity, const struct sample *read,
                           enum counter id, bool *backwards)
{
    if (!sample_has(&continuity->published, id))
        return counts_from_zero(id) ? 0 : read->counter[id];

    uint64_t value = continuity->published.counter[id];

    if (sample_has(&continuity->read, id))
        value += counter_growth(continuity->read.counter[id], read->counter[id], backwards);
    return value;
}

/*
 * In `continuity` a valid bit means more than in a sample: in `read` that the
 * counter has a value to grow from, in `published` that it was ever published.
 * Both outlast readings without the counter.
 */
void continuity_next(struct continuity *continuity, const struct sample *read, struct sample *out)
{
    struct sample *base = &continuity->read;
    struct sample *published = &continuity->published;
    bool first = !continuity->started;
    bool broken = !first && (read->restarted || read->sources != base->sources);

    /* Another source, or one that restarted, counts from elsewhere: nothing to grow
       from, also for a counter that comes back later. */
    if (broken)
        base->valid = 0;

    for (enum counter id = 0; id < COUNTER_COUNT; id++) {
        if (!sample_has(read, id))
            continue;
        sample_set(published, id, next_value(continuity, read, id, &broken));
        sample_set(base, id, read->counter[id]);
    }
    base->sources = read->sources;
    if (first || broken)
        published->discontinuity_ns = read->time_ns;
    if (broken)
        published->discontinuities++;
    continuity->started = true;

    struct sample next = *read;

    for (enum counter id = 0; id < COUNTER_COUNT; id++)
        next.counter[id] = published->counter[id];
    next.discontinuities = published->discontinuities;
    next.discontinuity_ns = published->discontinuity_ns;
    *out = next;
}
