#include "subagent/alarm.h"

#define BASELINE_HISTORY_NS (ALARM_WINDOW_NS + ALARM_BASELINE_NS)

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

enum counter metric_counter(enum metric metric)
{
    static const enum counter counters[METRIC_SLOTS] = {
        [METRIC_RECEIVED] = COUNTER_RECEIVED,
        [METRIC_SENT] = COUNTER_SENT,
        [METRIC_SYN_COOKIES] = COUNTER_SYN_COOKIES_SENT,
    };

    return counters[metric];
}

/* Those of these causes whose counters the sample has. */
static counter_set measured(enum metric metric, uint32_t causes, const struct sample *sample)
{
    if (sample->cause_method != CAUSES_MEASURED || metric_causes[metric] == 0)
        return 0;
    return sample->valid &
           counters_by_cause(metric == METRIC_SENT ? DIRECTION_SENT : DIRECTION_RECEIVED, causes);
}

bool alarm_causes_measured(enum metric metric, const struct sample *sample)
{
    return measured(metric, CAUSE_MASK_ALL, sample) != 0;
}

counter_set alarm_by_cause(enum metric metric, const struct alarm_settings *settings,
                           const struct sample *sample)
{
    return measured(metric, settings->value[SETTING_CAUSES], sample);
}

bool alarm_counts_part(enum metric metric, const struct alarm_settings *settings,
                       const struct sample *sample)
{
    return settings->value[SETTING_CAUSES] != CAUSE_MASK_ALL &&
           alarm_by_cause(metric, settings, sample) != 0;
}

struct alarm alarm_new(void)
{
    return (struct alarm){.state = ALARM_NORMAL};
}

bool alarm_is_raised(const struct alarm *alarm)
{
    return alarm->state == ALARM_RAISED || alarm->state == ALARM_CLEARING;
}

struct alarm alarm_resume(const struct alarm *stored, int64_t now_ns, int64_t shift_ns)
{
    struct alarm alarm = *stored;

    alarm.state = alarm_is_raised(stored) ? ALARM_RAISED : ALARM_NORMAL;
    alarm.stepped_ns = 0;
    alarm.state_since_ns =
        alarm.state == stored->state ? stored->state_since_ns + shift_ns : now_ns;
    alarm.raised_ns = stored->raised_ns + shift_ns;
    alarm.normal_since_ns = now_ns;
    alarm.stand_in_centi = stored->baseline_centi;
    alarm.value_known = false;
    return alarm;
}

/* From `since_ns` on history is normal; what was the baseline stands in for the time before. */
static void restart_baseline(struct alarm *alarm, int64_t since_ns)
{
    alarm->normal_since_ns = since_ns;
    alarm->stand_in_centi = alarm->baseline_centi;
}

/* The minute that ended 10 s ago: what was seen of it in normal state, the rest stood in for. */
static uint32_t baseline_centi(const struct alarm *alarm, counter_set counters,
                               const struct history *history, int64_t now_ns)
{
    int64_t from_ns = now_ns - BASELINE_HISTORY_NS, to_ns = now_ns - ALARM_WINDOW_NS;
    int64_t seen_ns = alarm->normal_since_ns;
    unsigned __int128 sum;

    if (seen_ns < from_ns)
        seen_ns = from_ns;
    if (seen_ns > to_ns)
        seen_ns = to_ns;
    sum = (unsigned __int128)history_growth(history, counters, seen_ns, to_ns) * 100 * NS_PER_S;
    sum += (unsigned __int128)alarm->stand_in_centi * (uint64_t)(seen_ns - from_ns);
    sum = (sum + ALARM_BASELINE_NS / 2) / (uint64_t)ALARM_BASELINE_NS;
    return sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
}

static void update_baseline(struct alarm *alarm, counter_set counters,
                            const struct history *history, int64_t now_ns)
{
    int64_t known_ns = history_known_since(history, counters);

    if (alarm->has_baseline && known_ns > alarm->normal_since_ns)
        restart_baseline(alarm, known_ns);
    if (alarm->has_baseline && alarm->state != ALARM_NORMAL)
        return;
    alarm->baseline_centi = baseline_centi(alarm, counters, history, now_ns);
    if (now_ns - known_ns >= BASELINE_HISTORY_NS)
        alarm->has_baseline = true;
}

static void update_limits(struct alarm *alarm, const struct alarm_settings *settings)
{
    uint32_t factor = settings->value[SETTING_FACTOR];
    uint64_t multiple = (uint64_t)factor * alarm->baseline_centi;

    alarm->rising_centi = larger(settings->value[SETTING_RISING],
                                 multiple > UINT32_MAX ? UINT32_MAX : (uint32_t)multiple);
    alarm->falling_centi =
        larger(settings->value[SETTING_FALLING], factor > 0 ? alarm->baseline_centi : 0);
}

static void enter(struct alarm *alarm, enum alarm_state state, int64_t now_ns)
{
    alarm->state = state;
    alarm->state_since_ns = now_ns;
    if (state == ALARM_NORMAL && alarm->has_baseline)
        restart_baseline(alarm, now_ns);
}

static enum alarm_event raise_alarm(struct alarm *alarm, int64_t now_ns)
{
    enter(alarm, ALARM_RAISED, now_ns);
    alarm->raised_ns = now_ns;
    alarm->peak_centi = alarm->value_centi;
    alarm->raises++;
    return ALARM_EVENT_RAISED;
}

static enum alarm_event clear_alarm(struct alarm *alarm, int64_t now_ns)
{
    enter(alarm, ALARM_NORMAL, now_ns);
    return ALARM_EVENT_CLEARED;
}

static bool lasted(const struct alarm *alarm, uint32_t delay_s, int64_t now_ns)
{
    return now_ns - alarm->state_since_ns >= delay_s * NS_PER_S;
}

static enum alarm_event step_below(struct alarm *alarm, const struct alarm_settings *settings,
                                   int64_t now_ns)
{
    bool above = alarm->value_centi > alarm->rising_centi;

    if (!above) {
        if (alarm->state == ALARM_PENDING)
            enter(alarm, ALARM_NORMAL, now_ns);
        return ALARM_NO_EVENT;
    }
    if (alarm->state == ALARM_NORMAL)
        enter(alarm, ALARM_PENDING, now_ns);
    return lasted(alarm, settings->value[SETTING_RAISE_DELAY], now_ns) ? raise_alarm(alarm, now_ns)
                                                                       : ALARM_NO_EVENT;
}

static enum alarm_event step_raised(struct alarm *alarm, const struct alarm_settings *settings,
                                    bool window_seen, int64_t now_ns)
{
    bool below = window_seen && alarm->value_centi <= alarm->falling_centi;

    if (!below) {
        if (alarm->state == ALARM_CLEARING)
            enter(alarm, ALARM_RAISED, now_ns);
        return ALARM_NO_EVENT;
    }
    if (alarm->state == ALARM_RAISED)
        enter(alarm, ALARM_CLEARING, now_ns);
    return lasted(alarm, settings->value[SETTING_CLEAR_DELAY], now_ns) ? clear_alarm(alarm, now_ns)
                                                                       : ALARM_NO_EVENT;
}

static enum alarm_event step_disabled(struct alarm *alarm, int64_t now_ns)
{
    if (alarm_is_raised(alarm))
        return clear_alarm(alarm, now_ns);
    if (alarm->state != ALARM_NORMAL)
        enter(alarm, ALARM_NORMAL, now_ns);
    return ALARM_NO_EVENT;
}

enum alarm_event alarm_step(struct alarm *alarm, enum metric metric,
                            const struct alarm_settings *settings, const struct history *history)
{
    const struct sample *newest = history_newest(history);
    counter_set counters = alarm_counts_part(metric, settings, newest)
                               ? alarm_by_cause(metric, settings, newest)
                               : counter_bit(metric_counter(metric));
    int64_t now_ns = newest->time_ns;

    alarm->stepped_ns = now_ns;
    alarm->value_known = history_average(history, counters, ALARM_WINDOW_NS, &alarm->value_centi);
    if (alarm->value_known)
        update_baseline(alarm, counters, history, now_ns);
    update_limits(alarm, settings);
    if (alarm->value_known && alarm_is_raised(alarm))
        alarm->peak_centi = larger(alarm->peak_centi, alarm->value_centi);
    if (!settings->value[SETTING_ENABLED])
        return step_disabled(alarm, now_ns);
    if (!alarm->value_known)
        return ALARM_NO_EVENT;
    if (alarm_is_raised(alarm))
        return step_raised(alarm, settings,
                           now_ns - history_known_since(history, counters) >= ALARM_WINDOW_NS,
                           now_ns);
    return step_below(alarm, settings, now_ns);
}
