#include "subagent/counted.h"

/* Shares are of the time for which all the counters are known: no part is larger than the whole. */
static void find_dominant(struct counted *counted, counter_set by_cause,
                          const struct history *history)
{
    int64_t now_ns = history_newest(history)->time_ns, from_ns = now_ns - ALARM_WINDOW_NS;
    int64_t known_ns = history_known_since(history, by_cause);
    uint64_t whole;

    if (from_ns < known_ns)
        from_ns = known_ns;
    whole = history_growth(history, by_cause, from_ns, now_ns);
    for (enum counter id = COUNTER_BY_CAUSE; id < COUNTER_COUNT; id++) {
        uint64_t part;

        if (!(by_cause & counter_bit(id)))
            continue;
        part = history_growth(history, counter_bit(id), from_ns, now_ns);
        if (part > whole - part) {
            counted->dominant = counter_cause(id);
            counted->percent = (uint32_t)((unsigned __int128)part * 100 / whole);
        }
    }
}

struct counted counted_in_window(enum metric metric, const struct alarm_settings *settings,
                                 const struct history *history)
{
    const struct sample *newest = history_newest(history);
    counter_set by_cause = alarm_by_cause(metric, settings, newest);
    struct counted counted = {.part = alarm_counts_part(metric, settings, newest)};

    if (by_cause != 0)
        find_dominant(&counted, by_cause, history);
    return counted;
}

static bool has_peer(const struct counted *counted, enum metric metric, const struct sample *newest)
{
    return newest->peers_known && metric != METRIC_SYN_COOKIES && !counted->part;
}

/* Slices come late: one that has most of what they tell may have little of what the alarm has
   counted since. So it must have more than half of both. */
void counted_add_peer(struct counted *counted, enum metric metric, const struct history *history,
                      const struct peer_window *window)
{
    enum peer_list list = metric == METRIC_SENT ? PEERS_SENT : PEERS_RECEIVED;
    const struct peer *peer = &window->peers[list][0];
    const struct sample *newest = history_newest(history);
    uint64_t resets, whole;

    if (!has_peer(counted, metric, newest) || window->counts[list] == 0)
        return;
    resets = history_growth(history, counter_bit(metric_counter(metric)),
                            newest->time_ns - ALARM_WINDOW_NS, newest->time_ns);
    whole = resets > window->totals[list] ? resets : window->totals[list];
    if (peer->count <= whole - peer->count)
        return;
    counted->peer = *peer;
    counted->peer_percent = peer_window_percent(window, list, peer->count);
}
