/*
 * The alarm rule. Pure: one step per sample, the time is the sample's, so the
 * same samples from the same state give the same events.
 *
 *   effective rising  = max(rising,  factor x baseline)
 *   effective falling = max(falling, baseline)
 *   raise when value > effective rising, clear when value <= effective falling
 *
 * value     the 10 s average of the metric
 * baseline  the average of the minute that ended 10 s ago. What of that minute
 *           does not count as normal history (not seen because the daemon did
 *           not run, or because the alarm was not normal then) is stood in for
 *           by the baseline known before. While the alarm is not normal the
 *           baseline stands still, so a steady flood does not become normal.
 *           On the first start ever nothing stands in: unseen history is zero,
 *           and until 70 s have been seen the baseline goes on updating even
 *           while raised ("no baseline yet").
 * factor 0  the thresholds are fixed (RMON alarm behaviour).
 * causes    value and baseline are of the resets with the causes chosen. Where the
 *           newest sample does not tell causes, every reset is counted: an alarm too
 *           many is better than one too few.
 *
 * A raise needs no full window: unseen history counts as zero, so the value is
 * a lower bound. A clear does: as long as the last 10 s are not all seen, the
 * alarm stays raised.
 */
#ifndef RSTWATCH_ALARM_H
#define RSTWATCH_ALARM_H

#include "subagent/average.h"
#include "subagent/settings.h"

#define ALARM_WINDOW_NS   (10 * NS_PER_S) /* the value's window, and the baseline's distance */
#define ALARM_BASELINE_NS (60 * NS_PER_S) /* the baseline's window */

/* Values: tcpResetAlarmState of the MIB. */
enum alarm_state {
    ALARM_NORMAL = 1,
    ALARM_PENDING = 2, /* above the rising limit, raise delay not over */
    ALARM_RAISED = 3,
    ALARM_CLEARING = 4, /* at or below the falling limit, clear delay not over */
};

enum alarm_event { ALARM_NO_EVENT, ALARM_EVENT_RAISED, ALARM_EVENT_CLEARED };

/* All there is to know of one alarm: written to the database as it is. */
struct alarm {
    enum alarm_state state;
    int64_t stepped_ns;      /* time of the newest sample stepped through; 0 = none */
    int64_t state_since_ns;  /* time at which state was entered */
    int64_t raised_ns;       /* time of the newest raise; meaningful while raised or clearing */
    int64_t normal_since_ns; /* history from here on counts for the baseline */
    bool has_baseline;       /* a full baseline has been seen, in this run or an earlier one */
    uint32_t baseline_centi; /* now in force */
    uint32_t stand_in_centi; /* stands in for history before normal_since_ns */
    uint32_t value_centi;
    bool value_known;                     /* the newest sample knows the metric */
    uint32_t rising_centi, falling_centi; /* effective limits */
    uint32_t peak_centi;                  /* highest value since the newest raise */
    uint32_t raises;
};

/* A new alarm: normal, nothing seen. */
struct alarm alarm_new(void);

/*
 * Takes up an alarm of an earlier run, whose clock was another: what was then the
 * time t is now t + shift_ns; `now_ns` is the time of the first sample of this run.
 * Pending and clearing fall back to normal and raised; the last baseline stands in
 * for the history not seen.
 */
struct alarm alarm_resume(const struct alarm *stored, int64_t now_ns, int64_t shift_ns);

/*
 * One step: `history` ends with the sample to step through. Called for every
 * sample, in order. A raised alarm that settings disable clears at once.
 */
enum alarm_event alarm_step(struct alarm *alarm, enum metric metric,
                            const struct alarm_settings *settings, const struct history *history);

/* Raised or clearing: a raise without its clear yet. */
bool alarm_is_raised(const struct alarm *alarm);

/* The counter that a metric watches. */
enum counter metric_counter(enum metric metric);

/* Whether a sample tells the cause of each reset of the metric. */
bool alarm_causes_measured(enum metric metric, const struct sample *sample);

/* The counters by cause that make up what the alarm counts; empty where causes are not
   measured, and the whole of the metric is counted. */
counter_set alarm_by_cause(enum metric metric, const struct alarm_settings *settings,
                           const struct sample *sample);

/* Whether the alarm counts a part of the causes only. */
bool alarm_counts_part(enum metric metric, const struct alarm_settings *settings,
                       const struct sample *sample);

#endif
