#include "subagent/snapshot.h"

#include <stddef.h>

static void set_rate(struct snapshot *snapshot, enum rate rate, uint32_t centi)
{
    snapshot->rate_centi[rate] = centi;
    snapshot->rates_valid |= UINT32_C(1) << rate;
}

/* A peak outlives the times at which its average is not known. */
static void raise_peak(struct snapshot *snapshot, enum rate average, enum rate peak)
{
    if (snapshot_has_rate(snapshot, average) &&
        snapshot->rate_centi[average] >= snapshot->rate_centi[peak])
        set_rate(snapshot, peak, snapshot->rate_centi[average]);
}

void snapshot_update(struct snapshot *snapshot, const struct history *history)
{
    static const struct {
        enum rate rate;
        enum counter counter;
        int64_t window_ns;
    } averages[] = {
        {RATE_RECEIVED_AVG10S, COUNTER_RECEIVED, 10 * NS_PER_S},
        {RATE_SENT_AVG10S, COUNTER_SENT, 10 * NS_PER_S},
        {RATE_RECEIVED_AVG60S, COUNTER_RECEIVED, 60 * NS_PER_S},
        {RATE_SENT_AVG60S, COUNTER_SENT, 60 * NS_PER_S},
        {RATE_SYN_COOKIES_AVG10S, COUNTER_SYN_COOKIES_SENT, 10 * NS_PER_S},
    };
    const uint32_t peaks = UINT32_C(1) << RATE_RECEIVED_PEAK10S | UINT32_C(1) << RATE_SENT_PEAK10S;

    snapshot->sample = *history_newest(history);
    snapshot->rates_valid &= peaks;
    for (size_t i = 0; i < sizeof averages / sizeof *averages; i++) {
        uint32_t centi;

        if (history_average(history, counter_bit(averages[i].counter), averages[i].window_ns,
                            &centi))
            set_rate(snapshot, averages[i].rate, centi);
    }
    for (enum counter id = COUNTER_BY_CAUSE; id < COUNTER_COUNT; id++)
        history_average(history, counter_bit(id), 10 * NS_PER_S,
                        &snapshot->by_cause_centi[id - COUNTER_BY_CAUSE]);
    for (enum metric metric = METRIC_FIRST; metric <= METRIC_LAST; metric++) {
        snapshot->counted[metric] =
            counted_in_window(metric, &snapshot->settings.value[metric], history);
        counted_add_peer(&snapshot->counted[metric], metric, history,
                         &snapshot->peers[WINDOW_10_S]);
    }
    raise_peak(snapshot, RATE_RECEIVED_AVG10S, RATE_RECEIVED_PEAK10S);
    raise_peak(snapshot, RATE_SENT_AVG10S, RATE_SENT_PEAK10S);
}
