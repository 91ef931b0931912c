/*
 * The alarm rule in invented time. A bench turns loads into samples, steps the
 * alarm and checks after every step what must hold at all times; scenarios say
 * which events a load must give and when; random streams look for the rest.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "subagent/alarm.h"
#include "tests/unit/random.h"

#define MS       INT64_C(1000000)
#define S        NS_PER_S
#define TICK     (100 * MS)
#define HOUR     3600
#define DAY      86400
#define FULL_NS  (70 * S) /* the baseline's minute and the 10 s after it */
#define NEVER_NS INT64_MIN
#define STREAMS  1000

/* ---- the bench ---- */

struct occurrence {
    enum alarm_event event;
    int64_t at_ns;      /* on the bench's clock */
    struct alarm alarm; /* as it was after the step */
};

#define OCCURRENCES_MAX 4096

struct bench {
    const char *name; /* said when a check fails, with seed and time */
    uint64_t seed;
    struct random random;

    enum metric metric;
    struct alarm_settings settings;
    struct alarm alarm;

    int64_t elapsed_ns;              /* the bench's clock: goes on over restarts */
    int64_t next_sample_ns;          /* on it */
    int64_t clock_ns;                /* CLOCK_MONOTONIC when the bench's clock was 0 */
    int64_t shortest_ns, longest_ns; /* between two samples */

    bool part; /* two causes are chosen: the load is theirs, and everything else is noise */
    uint64_t counter_start;
    unsigned __int128 load; /* resets so far, times 10^9 */

    /* What the checks know by themselves. */
    bool resumed;
    int64_t above_since_ns, below_since_ns, not_normal_ns, raised_at_ns;
    uint32_t peak_centi;

    int occurrences;
    struct occurrence occurrence[OCCURRENCES_MAX];
};

static struct bench bench; /* static: large; one at a time */
static struct history history;

static void fail_at(const char *what, int line)
{
    fail_msg("%s (seed %" PRIu64 "), %.4f s, state %d, value %" PRIu32 ", limits %" PRIu32
             " %" PRIu32 ", baseline %" PRIu32 ": line %d: %s",
             bench.name, bench.seed, (double)bench.elapsed_ns / S, bench.alarm.state,
             bench.alarm.value_centi, bench.alarm.rising_centi, bench.alarm.falling_centi,
             bench.alarm.baseline_centi, line, what);
}

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_at(#condition, __LINE__);                                                         \
    } while (0)

static void start_bench(const char *name)
{
    memset(&bench, 0, sizeof bench);
    memset(&history, 0, sizeof history);
    bench.name = name;
    bench.metric = METRIC_RECEIVED;
    bench.settings = settings_default();
    bench.alarm = alarm_new();
    bench.clock_ns = 3 * S; /* soon after boot: 70 s ago is before the clock began */
    bench.shortest_ns = bench.longest_ns = TICK;
    bench.above_since_ns = bench.below_since_ns = bench.not_normal_ns = NEVER_NS;
}

static uint32_t *setting(enum setting id)
{
    return &bench.settings.value[id];
}

static int64_t clock_now(void)
{
    return bench.clock_ns + bench.elapsed_ns;
}

static enum counter watched(void)
{
    return metric_counter(bench.metric);
}

/* The two causes of a bench that counts a part; both directions have them. */
#define ONE_CAUSE     CAUSE_NO_LISTENER
#define ANOTHER_CAUSE CAUSE_UNEXPLAINED

static enum counter counter_of(enum cause cause)
{
    return cause_counter(bench.metric == METRIC_SENT ? DIRECTION_SENT : DIRECTION_RECEIVED, cause);
}

static counter_set counted(void)
{
    return bench.part ? counter_bit(counter_of(ONE_CAUSE)) | counter_bit(counter_of(ANOTHER_CAUSE))
                      : counter_bit(watched());
}

static void choose_a_part(void)
{
    bench.part = true;
    *setting(SETTING_CAUSES) = 1 << ONE_CAUSE | 1 << ANOTHER_CAUSE;
}

/* ---- what holds after every step ---- */

static uint32_t larger(uint64_t a, uint64_t b)
{
    uint64_t larger = a > b ? a : b;

    return larger > UINT32_MAX ? UINT32_MAX : (uint32_t)larger;
}

static uint32_t average_of(int64_t from_ns, int64_t to_ns)
{
    return rate_centi(history_growth(&history, counted(), from_ns, to_ns), to_ns - from_ns);
}

static int64_t known_for_ns(void)
{
    int64_t since_ns = history_known_since(&history, counted());

    return since_ns == INT64_MAX ? -1 : clock_now() - since_ns;
}

static void check_value(void)
{
    CHECK(bench.alarm.stepped_ns == clock_now());
    CHECK(bench.alarm.value_known == (known_for_ns() >= 0));
    if (bench.alarm.value_known)
        CHECK(bench.alarm.value_centi == average_of(clock_now() - 10 * S, clock_now()));
}

static void check_limits(void)
{
    uint64_t factor = *setting(SETTING_FACTOR), baseline = bench.alarm.baseline_centi;

    CHECK(bench.alarm.rising_centi == larger(*setting(SETTING_RISING), factor * baseline));
    CHECK(bench.alarm.falling_centi == larger(*setting(SETTING_FALLING), factor ? baseline : 0));
}

static void check_baseline(const struct alarm *before)
{
    const struct alarm *alarm = &bench.alarm;
    uint32_t plain = average_of(clock_now() - FULL_NS, clock_now() - 10 * S);

    CHECK(alarm->has_baseline == (before->has_baseline || known_for_ns() >= FULL_NS));
    if (known_for_ns() < 0 || (before->has_baseline && before->state != ALARM_NORMAL))
        CHECK(alarm->baseline_centi == before->baseline_centi);
    else if (!before->has_baseline && !bench.resumed)
        CHECK(alarm->baseline_centi == plain);
    else if (known_for_ns() >= FULL_NS &&
             (bench.not_normal_ns == NEVER_NS || clock_now() - bench.not_normal_ns >= FULL_NS))
        CHECK(alarm->baseline_centi == plain);
}

/* Since when a condition has held without a break; the alarm's delays run from there. */
static int64_t held_since(int64_t since_ns, bool holds)
{
    if (!holds)
        return NEVER_NS;
    return since_ns == NEVER_NS ? clock_now() : since_ns;
}

static bool held_for(int64_t since_ns, uint32_t seconds)
{
    return since_ns != NEVER_NS && clock_now() - since_ns >= seconds * S;
}

static void expect_step(enum alarm_state state, enum alarm_event event, enum alarm_event got)
{
    CHECK(got == event);
    CHECK(bench.alarm.state == state);
}

static void check_raised(enum alarm_event event)
{
    const struct alarm *alarm = &bench.alarm;
    bool below = known_for_ns() >= 10 * S && alarm->value_centi <= alarm->falling_centi;

    bench.below_since_ns = held_since(bench.below_since_ns, below);
    if (held_for(bench.below_since_ns, *setting(SETTING_CLEAR_DELAY)))
        expect_step(ALARM_NORMAL, ALARM_EVENT_CLEARED, event);
    else
        expect_step(below ? ALARM_CLEARING : ALARM_RAISED, ALARM_NO_EVENT, event);
}

static void check_not_raised(enum alarm_event event)
{
    const struct alarm *alarm = &bench.alarm;
    bool above = alarm->value_centi > alarm->rising_centi;

    bench.above_since_ns = held_since(bench.above_since_ns, above);
    if (held_for(bench.above_since_ns, *setting(SETTING_RAISE_DELAY)))
        expect_step(ALARM_RAISED, ALARM_EVENT_RAISED, event);
    else
        expect_step(above ? ALARM_PENDING : ALARM_NORMAL, ALARM_NO_EVENT, event);
}

static void check_state(const struct alarm *before, enum alarm_event event)
{
    if (!*setting(SETTING_ENABLED))
        expect_step(ALARM_NORMAL, alarm_is_raised(before) ? ALARM_EVENT_CLEARED : ALARM_NO_EVENT,
                    event);
    else if (!bench.alarm.value_known)
        expect_step(before->state, ALARM_NO_EVENT, event);
    else if (alarm_is_raised(before))
        check_raised(event);
    else
        check_not_raised(event);
    if (event != ALARM_NO_EVENT || !*setting(SETTING_ENABLED))
        bench.above_since_ns = bench.below_since_ns = NEVER_NS;
}

static void check_times(const struct alarm *before, enum alarm_event event)
{
    const struct alarm *alarm = &bench.alarm;

    CHECK(alarm->state_since_ns ==
          (alarm->state == before->state ? before->state_since_ns : clock_now()));
    if (event == ALARM_EVENT_RAISED)
        bench.raised_at_ns = clock_now();
    if (alarm_is_raised(alarm) || event == ALARM_EVENT_CLEARED)
        CHECK(alarm->raised_ns == bench.raised_at_ns);
}

static void check_peak(const struct alarm *before, enum alarm_event event)
{
    const struct alarm *alarm = &bench.alarm;
    bool raised = alarm_is_raised(before) || event == ALARM_EVENT_RAISED;

    CHECK(alarm->raises == before->raises + (event == ALARM_EVENT_RAISED));
    if (event == ALARM_EVENT_RAISED)
        bench.peak_centi = 0;
    if (raised && alarm->value_known)
        bench.peak_centi = larger(bench.peak_centi, alarm->value_centi);
    if (raised)
        CHECK(alarm->peak_centi == bench.peak_centi);
}

static void check_step(const struct alarm *before, enum alarm_event event)
{
    check_value();
    check_baseline(before);
    check_limits();
    check_state(before, event);
    check_times(before, event);
    check_peak(before, event);
    if (!bench.alarm.value_known || bench.alarm.state != ALARM_NORMAL ||
        before->state != ALARM_NORMAL)
        bench.not_normal_ns = clock_now();
}

/* ---- driving it ---- */

static struct sample sample_now(bool known)
{
    struct sample sample = {.time_ns = clock_now(),
                            .cause_method = bench.part ? CAUSES_MEASURED : CAUSES_DERIVED};
    uint64_t load = (uint64_t)(bench.load / S);

    for (int id = 0; id < COUNTER_COUNT; id++) /* what must not be looked at is in motion */
        sample_set(&sample, id, (uint64_t)clock_now() * 7);
    if (!known)
        sample.valid &= ~(counted() | counter_bit(watched()));
    else if (bench.part) {
        sample_set(&sample, counter_of(ONE_CAUSE), bench.counter_start + load / 3);
        sample_set(&sample, counter_of(ANOTHER_CAUSE), load - load / 3);
    } else
        sample_set(&sample, watched(), bench.counter_start + load);
    return sample;
}

static void record(enum alarm_event event)
{
    if (event == ALARM_NO_EVENT)
        return;
    CHECK(bench.occurrences < OCCURRENCES_MAX);
    bench.occurrence[bench.occurrences++] =
        (struct occurrence){event, bench.elapsed_ns, bench.alarm};
}

static void step(bool known)
{
    const struct alarm before = bench.alarm;
    const struct sample sample = sample_now(known);
    enum alarm_event event;

    assert_true(history_push(&history, &sample));
    event = alarm_step(&bench.alarm, bench.metric, &bench.settings, &history);
    check_step(&before, event);
    record(event);
}

static void let_pass(int64_t until_ns, uint64_t rate)
{
    bench.load += (unsigned __int128)(uint64_t)(until_ns - bench.elapsed_ns) * rate;
    bench.elapsed_ns = until_ns;
}

/* Samples up to and at the end of the span. */
static void run_ns(int64_t span_ns, uint64_t rate, bool known)
{
    int64_t end_ns = bench.elapsed_ns + span_ns;

    while (bench.next_sample_ns <= end_ns) {
        let_pass(bench.next_sample_ns, rate);
        step(known);
        bench.next_sample_ns += random_between(&bench.random, bench.shortest_ns, bench.longest_ns);
    }
    let_pass(end_ns, rate);
}

static void run_load(int seconds, uint64_t rate)
{
    run_ns(seconds * S, rate, true);
}

static void run_unknown(int seconds, uint64_t rate)
{
    run_ns(seconds * S, rate, false);
}

/* No sample for so long; the next one is taken at the end. */
static void run_gap(int seconds, uint64_t rate)
{
    let_pass(bench.elapsed_ns + seconds * S, rate);
    bench.next_sample_ns = bench.elapsed_ns;
}

static int64_t raised_ago(void)
{
    return alarm_is_raised(&bench.alarm) ? clock_now() - bench.alarm.raised_ns : 0;
}

static void check_resumed(const struct alarm *stored, int64_t ago_ns)
{
    const struct alarm *alarm = &bench.alarm;
    bool raised = alarm_is_raised(stored);

    CHECK(alarm->state == (raised ? ALARM_RAISED : ALARM_NORMAL));
    CHECK(alarm->baseline_centi == stored->baseline_centi);
    CHECK(alarm->has_baseline == stored->has_baseline);
    CHECK(alarm->raises == stored->raises);
    CHECK(!raised || alarm->peak_centi == stored->peak_centi);
    CHECK(!raised || clock_now() - alarm->raised_ns == ago_ns);
    CHECK(alarm->stepped_ns == 0);
    CHECK(!alarm->value_known);
}

/* The daemon is away for so long; then another clock, another counter, no history. */
static void run_restart(int seconds)
{
    const struct alarm stored = bench.alarm;
    int64_t ago_ns, shift_ns;

    bench.elapsed_ns += seconds * S;
    bench.next_sample_ns = bench.elapsed_ns;
    ago_ns = raised_ago();
    shift_ns = 5 * S - bench.elapsed_ns - bench.clock_ns;
    bench.clock_ns += shift_ns;
    bench.counter_start += 123456789;
    memset(&history, 0, sizeof history);
    bench.alarm = alarm_resume(&stored, clock_now(), shift_ns);
    check_resumed(&stored, ago_ns);
    bench.resumed = true;
    bench.raised_at_ns = bench.alarm.raised_ns;
    bench.above_since_ns = bench.below_since_ns = NEVER_NS;
    bench.not_normal_ns = clock_now();
}

/* ---- scenarios ---- */

enum act { END = 0, LOAD_ACT, UNKNOWN_ACT, GAP_ACT, RESTART_ACT, SET_ACT };

struct segment {
    enum act act;
    int seconds;
    uint64_t rate; /* resets per second */
    enum setting id;
    uint32_t value;
};

/* clang-format off */
#define LOAD(span, per_second)    {.act = LOAD_ACT, .seconds = span, .rate = per_second}
#define UNKNOWN(span, per_second) {.act = UNKNOWN_ACT, .seconds = span, .rate = per_second}
#define GAP(span, per_second)     {.act = GAP_ACT, .seconds = span, .rate = per_second}
#define RESTART(span)             {.act = RESTART_ACT, .seconds = span}
#define SET(setting, to)          {.act = SET_ACT, .id = SETTING_##setting, .value = to}
/* clang-format on */

struct expected {
    enum alarm_event event; /* ALARM_NO_EVENT: the end of the list */
    double from_s, to_s;
};

/* clang-format off */
#define NOTHING                 {ALARM_NO_EVENT, 0, 0}
#define RAISE_AT(seconds)       {ALARM_EVENT_RAISED, seconds, seconds}
#define CLEAR_AT(seconds)       {ALARM_EVENT_CLEARED, seconds, seconds}
#define CLEAR_BETWEEN(from, to) {ALARM_EVENT_CLEARED, from, to}
/* clang-format on */

/* ON_TIME: the load is a limit, so that one count more or less would matter. */
enum demand { ANY_TICKS, ON_TIME };

struct scenario {
    const char *name;
    enum demand demand;
    struct segment segment[12];
    struct expected expected[8];
    enum alarm_state last_state;
};

/*
 * With the default limits, 50/s and 5/s, of a window that held nothing: 100/s
 * cross in 5.1 s (the 51st sample makes 510 > 500); when they end, 50 remain
 * 9.5 s later. Before that, 100 s of history make a full baseline.
 */
static const struct scenario scenarios[] = {
    {"a crossing, and the end of the load",
     ANY_TICKS,
     {LOAD(100, 0), LOAD(30, 100), LOAD(30, 0)},
     {RAISE_AT(105.1), CLEAR_AT(139.5)},
     ALARM_NORMAL},
    {"the rising limit itself raises nothing",
     ON_TIME,
     {LOAD(100, 0), LOAD(60, 50), LOAD(30, 0)},
     {NOTHING},
     ALARM_NORMAL},
    {"a little more than the rising limit raises",
     ON_TIME,
     {LOAD(100, 0), LOAD(20, 51), LOAD(30, 0)},
     {RAISE_AT(109.9), CLEAR_AT(129.1)},
     ALARM_NORMAL},
    {"between the limits nothing changes; the falling limit itself clears",
     ON_TIME,
     {LOAD(100, 0), LOAD(20, 100), LOAD(60, 20), LOAD(20, 60), LOAD(60, 5)},
     {RAISE_AT(105.1), CLEAR_AT(210.0)},
     ALARM_NORMAL},
    {"a little more than the falling limit does not clear",
     ANY_TICKS,
     {LOAD(100, 0), LOAD(20, 100), LOAD(300, 6)},
     {RAISE_AT(105.1)},
     ALARM_RAISED},
    {"five times a baseline of 20/s is not ten times",
     ANY_TICKS,
     {LOAD(100, 20), LOAD(60, 100)},
     {NOTHING},
     ALARM_NORMAL},
    {"ten times a baseline of 20/s is not more than ten times",
     ON_TIME,
     {LOAD(100, 20), LOAD(15, 200)},
     {NOTHING},
     ALARM_NORMAL},
    {"fifteen times a baseline of 20/s raises above 200/s and clears at 20/s",
     ANY_TICKS,
     {LOAD(100, 20), LOAD(30, 300), LOAD(30, 20)},
     {RAISE_AT(106.5), CLEAR_AT(140.0)},
     ALARM_NORMAL},
    {"a baseline below the fixed limits changes nothing",
     ANY_TICKS,
     {LOAD(100, 4), LOAD(30, 100), LOAD(30, 4)},
     {RAISE_AT(104.8), CLEAR_AT(139.9)},
     ALARM_NORMAL},
    {"factor 0: fixed limits whatever the baseline",
     ANY_TICKS,
     {SET(FACTOR, 0), LOAD(100, 20), LOAD(30, 100), LOAD(30, 20), LOAD(30, 0)},
     {RAISE_AT(103.8), CLEAR_AT(167.5)},
     ALARM_NORMAL},
    {"factor 0: steady load above the limit from the first start on",
     ANY_TICKS,
     {SET(FACTOR, 0), LOAD(600, 100)},
     {RAISE_AT(5.1)},
     ALARM_RAISED},
    {"factor 1: the baseline is both limits",
     ON_TIME,
     {LOAD(100, 20), LOAD(100, 100), SET(FACTOR, 1), LOAD(5, 100), LOAD(30, 110), LOAD(30, 100)},
     {RAISE_AT(205.1), CLEAR_AT(245.0)},
     ALARM_NORMAL},
    {"raise delay",
     ANY_TICKS,
     {SET(RAISE_DELAY, 5), LOAD(100, 0), LOAD(30, 100), LOAD(30, 0)},
     {RAISE_AT(110.1), CLEAR_AT(139.5)},
     ALARM_NORMAL},
    {"raise delay not over",
     ANY_TICKS,
     {SET(RAISE_DELAY, 30), LOAD(100, 0), LOAD(20, 100)},
     {NOTHING},
     ALARM_PENDING},
    {"a burst shorter than the raise delay, twice: the second does not add to the first",
     ANY_TICKS,
     {SET(RAISE_DELAY, 8), LOAD(100, 0), LOAD(6, 100), LOAD(6, 0), LOAD(6, 100), LOAD(60, 0)},
     {NOTHING},
     ALARM_NORMAL},
    {"clear delay",
     ANY_TICKS,
     {SET(CLEAR_DELAY, 20), LOAD(100, 0), LOAD(30, 100), LOAD(30, 0)},
     {RAISE_AT(105.1), CLEAR_AT(159.5)},
     ALARM_NORMAL},
    {"clear delay not over",
     ANY_TICKS,
     {SET(CLEAR_DELAY, 60), LOAD(100, 0), LOAD(30, 100), LOAD(30, 0)},
     {RAISE_AT(105.1)},
     ALARM_CLEARING},
    {"clearing goes back to raised, and its delay begins anew",
     ANY_TICKS,
     {SET(CLEAR_DELAY, 20), LOAD(100, 0), LOAD(20, 100), LOAD(15, 0), LOAD(30, 20), LOAD(60, 0)},
     {RAISE_AT(105.1), CLEAR_AT(192.5)},
     ALARM_NORMAL},
    {"disabled: nothing is raised",
     ANY_TICKS,
     {SET(ENABLED, 0), LOAD(100, 0), LOAD(60, 100), LOAD(60, 0)},
     {NOTHING},
     ALARM_NORMAL},
    {"disabled while raised: clears at once, raises anew when enabled",
     ANY_TICKS,
     {LOAD(100, 0), LOAD(20, 100), SET(ENABLED, 0), LOAD(5, 100), SET(ENABLED, 1), LOAD(10, 100)},
     {RAISE_AT(105.1), CLEAR_AT(120.1), RAISE_AT(125.1)},
     ALARM_RAISED},
    {"disabled while raised and unknown: clears at once",
     ANY_TICKS,
     {LOAD(100, 0), LOAD(20, 100), UNKNOWN(5, 100), SET(ENABLED, 0), UNKNOWN(5, 100)},
     {RAISE_AT(105.1), CLEAR_AT(125.1)},
     ALARM_NORMAL},
    {"disabled while clearing: clears at once, clear delay or not",
     ANY_TICKS,
     {SET(CLEAR_DELAY, 60), LOAD(100, 0), LOAD(20, 100), LOAD(15, 0), SET(ENABLED, 0), LOAD(5, 0)},
     {RAISE_AT(105.1), CLEAR_AT(135.1)},
     ALARM_NORMAL},
    {"disabled while pending: normal, and the delay begins anew",
     ANY_TICKS,
     {SET(RAISE_DELAY, 20), LOAD(100, 0), LOAD(10, 100), SET(ENABLED, 0), LOAD(1, 100),
      SET(ENABLED, 1), LOAD(20, 100), LOAD(1, 100)},
     {RAISE_AT(131.1)},
     ALARM_RAISED},
    {"a steady flood after 70 s of history does not become normal in 5 minutes",
     ANY_TICKS,
     {LOAD(75, 0), LOAD(300, 100)},
     {RAISE_AT(80.1)},
     ALARM_RAISED},
    {"nor in an hour",
     ANY_TICKS,
     {LOAD(75, 0), LOAD(HOUR, 100), LOAD(30, 0)},
     {RAISE_AT(80.1), CLEAR_AT(3684.5)},
     ALARM_NORMAL},
    {"first start under a steady load: raises, clears, never raises again",
     ANY_TICKS,
     {LOAD(900, 100)},
     {RAISE_AT(5.1), CLEAR_BETWEEN(60, 80)},
     ALARM_NORMAL},
    {"restart under the same steady load: nothing",
     ANY_TICKS,
     {LOAD(200, 100), RESTART(30), LOAD(900, 100)},
     {RAISE_AT(5.1), CLEAR_BETWEEN(60, 80)},
     ALARM_NORMAL},
    {"restart after a restart, before a new baseline was seen: nothing",
     ANY_TICKS,
     {LOAD(200, 100), RESTART(1), LOAD(20, 100), RESTART(1), LOAD(40, 100), RESTART(1),
      LOAD(300, 100)},
     {RAISE_AT(5.1), CLEAR_BETWEEN(60, 80)},
     ALARM_NORMAL},
    {"restart while quiet into a flood: raises",
     ANY_TICKS,
     {LOAD(100, 0), RESTART(30), LOAD(30, 100)},
     {RAISE_AT(135.1)},
     ALARM_RAISED},
    {"restart while raised, load gone: clears when 10 s have been seen",
     ANY_TICKS,
     {LOAD(100, 0), LOAD(20, 100), RESTART(30), LOAD(30, 0)},
     {RAISE_AT(105.1), CLEAR_AT(160.0)},
     ALARM_NORMAL},
    {"restart while raised, load goes on: stays raised until it ends",
     ANY_TICKS,
     {LOAD(100, 0), LOAD(20, 100), RESTART(30), LOAD(300, 100), LOAD(30, 0)},
     {RAISE_AT(105.1), CLEAR_AT(459.5)},
     ALARM_NORMAL},
    {"restart while clearing: raised, and the clear delay begins anew",
     ANY_TICKS,
     {SET(CLEAR_DELAY, 20), LOAD(100, 0), LOAD(20, 100), LOAD(15, 0), RESTART(5), LOAD(40, 0)},
     {RAISE_AT(105.1), CLEAR_AT(170.0)},
     ALARM_NORMAL},
    {"restart while pending: the raise delay begins anew",
     ANY_TICKS,
     {SET(RAISE_DELAY, 20), LOAD(100, 0), LOAD(10, 100), RESTART(5), LOAD(40, 100)},
     {RAISE_AT(140.1)},
     ALARM_RAISED},
    {"restart while raised and disabled meanwhile: clears at the first sample",
     ANY_TICKS,
     {LOAD(100, 0), LOAD(20, 100), RESTART(30), SET(ENABLED, 0), LOAD(30, 100)},
     {RAISE_AT(105.1), CLEAR_AT(150.0)},
     ALARM_NORMAL},
    {"a flood does not enter the baseline: an equal one 15 s later raises as soon",
     ANY_TICKS,
     {LOAD(100, 0), LOAD(60, 100), LOAD(15, 0), LOAD(60, 100), LOAD(15, 0), LOAD(60, 100),
      LOAD(30, 0)},
     {RAISE_AT(105.1), CLEAR_AT(169.5), RAISE_AT(180.1), CLEAR_AT(244.5), RAISE_AT(255.1),
      CLEAR_AT(319.5)},
     ALARM_NORMAL},
    {"a burst that only pended does not enter the baseline either",
     ANY_TICKS,
     {SET(RAISE_DELAY, 60), LOAD(100, 0), LOAD(50, 100), LOAD(15, 0), SET(RAISE_DELAY, 0),
      LOAD(30, 100)},
     {RAISE_AT(170.1)},
     ALARM_RAISED},
    {"unknown while normal: no event, then history counts as zero",
     ANY_TICKS,
     {LOAD(100, 0), UNKNOWN(30, 100), LOAD(10, 100)},
     {RAISE_AT(135.2)},
     ALARM_RAISED},
    {"unknown while raised: no clear before 10 s are known again",
     ANY_TICKS,
     {LOAD(100, 0), LOAD(20, 100), UNKNOWN(30, 0), LOAD(30, 0)},
     {RAISE_AT(105.1), CLEAR_AT(160.1)},
     ALARM_NORMAL},
    {"unknown while raised, the flood goes on: one alarm",
     ANY_TICKS,
     {LOAD(100, 0), LOAD(20, 100), UNKNOWN(30, 100), LOAD(100, 100), LOAD(30, 0)},
     {RAISE_AT(105.1), CLEAR_AT(259.5)},
     ALARM_NORMAL},
    {"unknown under a steady load with a baseline: nothing",
     ANY_TICKS,
     {LOAD(200, 100), UNKNOWN(30, 100), LOAD(300, 100), UNKNOWN(1, 100), LOAD(300, 100)},
     {RAISE_AT(5.1), CLEAR_BETWEEN(60, 80)},
     ALARM_NORMAL},
    {"never known: nothing", ANY_TICKS, {UNKNOWN(300, 100)}, {NOTHING}, ALARM_NORMAL},
    {"a day without samples at the same load: nothing",
     ANY_TICKS,
     {LOAD(100, 20), GAP(DAY, 20), LOAD(100, 20)},
     {NOTHING},
     ALARM_NORMAL},
    {"a day without samples, raised: clears at the first sample after it",
     ANY_TICKS,
     {LOAD(100, 0), LOAD(20, 100), GAP(DAY, 0), LOAD(30, 0)},
     {RAISE_AT(105.1), CLEAR_AT(86520.0)},
     ALARM_NORMAL},
    {"a day without samples above a fixed limit: raises at the first sample after it",
     ANY_TICKS,
     {SET(FACTOR, 0), LOAD(100, 0), GAP(DAY, 60), LOAD(30, 60)},
     {RAISE_AT(86500.0)},
     ALARM_RAISED},
    {"a rising limit set below the value raises at the next sample",
     ANY_TICKS,
     {SET(FACTOR, 0), LOAD(100, 0), LOAD(60, 40), SET(RISING, 3000), LOAD(10, 40)},
     {RAISE_AT(160.1)},
     ALARM_RAISED},
    {"a falling limit set above the value clears at the next sample",
     ON_TIME,
     {LOAD(100, 0), LOAD(20, 100), LOAD(30, 20), SET(FALLING, 2000), LOAD(10, 20)},
     {RAISE_AT(105.1), CLEAR_AT(150.1)},
     ALARM_NORMAL},
};

/* The same scenarios must give the same under any clock, counter and tick. */
static const struct variation {
    const char *name;
    int64_t clock_ns;
    uint64_t counter_start;
    int64_t shortest_ns, longest_ns; /* between two samples */
    double slack_s;                  /* of the expected times */
    enum metric metric;
} variations[] = {
    {"just booted", 3 * S, 0, TICK, TICK, 0, METRIC_RECEIVED},
    {"counter wraps", 20 * DAY *S, UINT64_MAX - 450, TICK, TICK, 0, METRIC_SENT},
    {"late ticks", 3 * S, 77, TICK, 400 * MS, 1.2, METRIC_SYN_COOKIES},
    {"jitter and a wrap", DAY *S, UINT64_MAX - 700, 40 * MS, 160 * MS, 0.6, METRIC_RECEIVED},
};

static void run_segment(const struct segment *segment)
{
    switch (segment->act) {
    case LOAD_ACT:
        run_load(segment->seconds, segment->rate);
        break;
    case UNKNOWN_ACT:
        run_unknown(segment->seconds, segment->rate);
        break;
    case GAP_ACT:
        run_gap(segment->seconds, segment->rate);
        break;
    case RESTART_ACT:
        run_restart(segment->seconds);
        break;
    case SET_ACT:
        *setting(segment->id) = segment->value;
        break;
    case END:
        break;
    }
}

static void fail_scenario(const struct scenario *scenario, const struct variation *variation)
{
    for (int i = 0; i < bench.occurrences; i++)
        print_error("got: %s at %.3f s\n",
                    bench.occurrence[i].event == ALARM_EVENT_RAISED ? "raised" : "cleared",
                    (double)bench.occurrence[i].at_ns / S);
    fail_msg("%s (%s): other events than expected, or state %d, not %d", scenario->name,
             variation->name, bench.alarm.state, scenario->last_state);
}

static bool happened_as_expected(const struct occurrence *occurrence,
                                 const struct expected *expected, double slack_s)
{
    const double at_s = (double)occurrence->at_ns / S, rounding_s = 0.001;

    return occurrence->event == expected->event &&
           at_s >= expected->from_s - slack_s - rounding_s &&
           at_s <= expected->to_s + slack_s + rounding_s;
}

static void run_scenario(const struct scenario *scenario, const struct variation *variation)
{
    bool right = true;
    int n = 0;

    start_bench(scenario->name);
    bench.clock_ns = variation->clock_ns;
    bench.counter_start = variation->counter_start;
    bench.shortest_ns = variation->shortest_ns;
    bench.longest_ns = variation->longest_ns;
    bench.metric = variation->metric;
    for (const struct segment *segment = scenario->segment; segment->act != END; segment++)
        run_segment(segment);
    for (; scenario->expected[n].event != ALARM_NO_EVENT; n++)
        right =
            right && n < bench.occurrences &&
            happened_as_expected(&bench.occurrence[n], &scenario->expected[n], variation->slack_s);
    if (!right || n != bench.occurrences || bench.alarm.state != scenario->last_state)
        fail_scenario(scenario, variation);
}

static void test_scenarios(void **state)
{
    (void)state;
    for (size_t v = 0; v < ARRAY_SIZE(variations); v++)
        for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++)
            if (variations[v].slack_s == 0 || scenarios[i].demand == ANY_TICKS)
                run_scenario(&scenarios[i], &variations[v]);
}

/* ---- the time of a raise ---- */

/* Resets of a load that began at start_ns, up to time_ns. */
static uint64_t truth(int64_t rate, int64_t start_ns, int64_t time_ns)
{
    return time_ns <= start_ns ? 0 : (uint64_t)((__int128)rate * (time_ns - start_ns) / S);
}

static bool truly_crossed(int64_t rate, int64_t start_ns)
{
    int64_t now_ns = bench.elapsed_ns;

    return truth(rate, start_ns, now_ns) - truth(rate, start_ns, now_ns - 10 * S) > 500;
}

/*
 * Out of the quiet, at any instant between two samples and with any ticks: the
 * raise comes with the first sample that can know of the 501st reset. From 60/s
 * on the window still begins in the quiet then, more than a tick before the load.
 */
static void test_a_raise_comes_with_the_first_sample_after_the_crossing(void **state)
{
    (void)state;
    for (uint64_t n = 0; n < 200; n++) {
        struct random random = {random_first_seed() + n};
        int64_t rate = random_between(&random, 60, 3000), start_ns;

        start_bench("crossing");
        bench.seed = random_first_seed() + n;
        bench.random = random;
        bench.longest_ns = random_one_in(&random, 2) ? TICK : 900 * MS;
        run_load(75, 0);
        run_ns(random_between(&random, 0, 2 * S), 0, true);
        start_ns = bench.elapsed_ns;
        while (!truly_crossed(rate, start_ns)) {
            CHECK(bench.alarm.state == ALARM_NORMAL);
            run_ns(bench.next_sample_ns - bench.elapsed_ns, (uint64_t)rate, true);
        }
        CHECK(bench.alarm.state == ALARM_RAISED);
        CHECK(bench.alarm.raised_ns == clock_now());
    }
}

/* ---- the baseline ---- */

static void run_until(int64_t at_s, uint64_t rate)
{
    run_ns(at_s * S - bench.elapsed_ns, rate, true);
}

static void expect_baseline(uint32_t centi)
{
    CHECK(bench.alarm.baseline_centi == centi);
}

/* Steady 100/s with a full baseline of it. */
static void start_with_baseline_of_100(void)
{
    run_until(200, 100);
    CHECK(bench.alarm.state == ALARM_NORMAL);
    CHECK(bench.alarm.has_baseline);
    expect_baseline(10000);
}

static void test_on_the_first_start_unseen_history_is_zero(void **state)
{
    (void)state;
    start_bench("first start");
    run_until(10, 20);
    expect_baseline(0);
    run_until(40, 20);
    expect_baseline(1000);
    CHECK(!bench.alarm.has_baseline);
    run_ns(30 * S - TICK, 20, true);
    CHECK(!bench.alarm.has_baseline);
    run_until(70, 20);
    CHECK(bench.alarm.has_baseline);
    expect_baseline(2000);
}

static void test_a_raise_before_70_s_has_no_baseline_which_goes_on_until_70_s(void **state)
{
    (void)state;
    start_bench("raise before 70 s");
    run_until(40, 100);
    CHECK(bench.occurrences == 1 && bench.occurrence[0].event == ALARM_EVENT_RAISED);
    CHECK(!bench.occurrence[0].alarm.has_baseline);
    CHECK(bench.alarm.state == ALARM_RAISED);
    expect_baseline(5000);
    run_until(120, 200); /* twice the load: no clear at 70 s, where the baseline freezes */
    CHECK(bench.alarm.state == ALARM_RAISED);
    expect_baseline(13333);
}

static void test_a_raise_after_70_s_has_a_baseline_which_stands_still(void **state)
{
    (void)state;
    start_bench("raise after 70 s");
    run_until(100, 20);
    run_until(400, 300);
    CHECK(bench.occurrences == 1 && bench.occurrence[0].alarm.has_baseline);
    CHECK(bench.alarm.state == ALARM_RAISED);
    expect_baseline(2000);
    CHECK(bench.alarm.rising_centi == 20000 && bench.alarm.falling_centi == 2000);
}

static void test_the_baseline_is_the_minute_that_ended_10_s_ago(void **state)
{
    (void)state;
    start_bench("minute");
    run_until(100, 0);
    run_until(110, 40);
    expect_baseline(0);
    run_until(140, 40);
    expect_baseline(2000);
    run_until(170, 40);
    expect_baseline(4000);
    run_until(180, 0);
    expect_baseline(4000);
    run_until(210, 0);
    expect_baseline(2000);
    run_until(240, 0);
    expect_baseline(0);
}

static void test_the_stored_baseline_fades_as_history_is_seen_after_a_restart(void **state)
{
    (void)state;
    start_bench("restart");
    start_with_baseline_of_100();
    run_restart(100);
    expect_baseline(10000);
    run_until(310, 0);
    expect_baseline(10000);
    run_until(340, 0);
    expect_baseline(5000);
    run_until(355, 0);
    expect_baseline(2500);
    run_until(370, 0);
    expect_baseline(0);
    CHECK(bench.alarm.has_baseline);
}

static void test_a_restart_before_the_stored_baseline_has_faded_keeps_its_rest(void **state)
{
    (void)state;
    start_bench("two restarts");
    start_with_baseline_of_100();
    run_restart(100);
    run_until(340, 0);
    expect_baseline(5000);
    run_restart(60);
    expect_baseline(5000);
    run_until(440, 0);
    expect_baseline(2500);
}

static void test_a_restart_while_raised_keeps_the_frozen_baseline(void **state)
{
    (void)state;
    start_bench("restart while raised");
    run_until(100, 20);
    run_until(130, 300);
    CHECK(bench.alarm.state == ALARM_RAISED);
    run_restart(10);
    run_until(400, 300);
    CHECK(bench.alarm.state == ALARM_RAISED);
    expect_baseline(2000);
    CHECK(bench.alarm.peak_centi == 30000 && bench.alarm.raises == 1);
}

static void test_the_last_baseline_stands_in_for_an_outage(void **state)
{
    (void)state;
    start_bench("outage");
    run_until(100, 30);
    run_unknown(20, 30);
    expect_baseline(3000);
    run_ns(TICK, 0, true); /* known from here on */
    expect_baseline(3000);
    run_ns(10 * S, 0, true);
    expect_baseline(3000);
    run_ns(30 * S, 0, true);
    expect_baseline(1500);
    run_ns(30 * S, 0, true);
    expect_baseline(0);
}

static void test_the_frozen_baseline_stands_in_for_the_flood(void **state)
{
    (void)state;
    start_bench("flood");
    run_until(100, 30);
    run_until(200, 600);
    CHECK(bench.alarm.state == ALARM_RAISED);
    run_until(210, 30);
    CHECK(bench.alarm.state == ALARM_NORMAL); /* from this sample on */
    run_until(220, 0);
    expect_baseline(3000);
    run_until(250, 0);
    expect_baseline(1500);
    run_until(280, 0);
    expect_baseline(0);
}

static void test_the_baseline_stands_still_while_pending(void **state)
{
    (void)state;
    start_bench("pending");
    *setting(SETTING_RAISE_DELAY) = 300;
    run_until(100, 4);
    run_until(300, 100);
    CHECK(bench.alarm.state == ALARM_PENDING);
    expect_baseline(400);
}

static void test_a_product_beyond_32_bits_saturates(void **state)
{
    (void)state;
    start_bench("saturation");
    *setting(SETTING_RISING) = UINT32_MAX;
    *setting(SETTING_FACTOR) = 1000;
    run_until(100, 10000000); /* 10^9 hundredths per second, times 1000 */
    expect_baseline(1000000000);
    CHECK(bench.alarm.rising_centi == UINT32_MAX);
    CHECK(bench.alarm.falling_centi == 1000000000);
    *setting(SETTING_RISING) = 5000;
    run_until(110, 10000000);
    CHECK(bench.alarm.rising_centi == UINT32_MAX);
    CHECK(bench.alarm.state == ALARM_NORMAL);
}

/* ---- the rest of the contract ---- */

static void test_a_new_alarm_is_normal_and_has_seen_nothing(void **state)
{
    const struct alarm alarm = alarm_new();

    (void)state;
    assert_int_equal(alarm.state, ALARM_NORMAL);
    assert_int_equal(alarm.stepped_ns, 0);
    assert_int_equal(alarm.raises, 0);
    assert_int_equal(alarm.baseline_centi, 0);
    assert_false(alarm.has_baseline);
    assert_false(alarm.value_known);
    assert_false(alarm_is_raised(&alarm));
}

static void test_each_metric_watches_its_counter(void **state)
{
    (void)state;
    assert_int_equal(metric_counter(METRIC_RECEIVED), COUNTER_RECEIVED);
    assert_int_equal(metric_counter(METRIC_SENT), COUNTER_SENT);
    assert_int_equal(metric_counter(METRIC_SYN_COOKIES), COUNTER_SYN_COOKIES_SENT);
}

static void test_raised_and_clearing_are_a_raise_without_its_clear(void **state)
{
    static const bool raised[] = {[ALARM_NORMAL] = false,
                                  [ALARM_PENDING] = false,
                                  [ALARM_RAISED] = true,
                                  [ALARM_CLEARING] = true};

    (void)state;
    for (int s = ALARM_NORMAL; s <= ALARM_CLEARING; s++) {
        struct alarm alarm = {.state = s};

        assert_int_equal(alarm_is_raised(&alarm), raised[s]);
    }
}

static void test_resuming_keeps_what_outlives_a_restart(void **state)
{
    static const enum alarm_state resumed[] = {[ALARM_NORMAL] = ALARM_NORMAL,
                                               [ALARM_PENDING] = ALARM_NORMAL,
                                               [ALARM_RAISED] = ALARM_RAISED,
                                               [ALARM_CLEARING] = ALARM_RAISED};

    (void)state;
    for (int s = ALARM_NORMAL; s <= ALARM_CLEARING; s++) {
        const struct alarm stored = {.state = s,
                                     .stepped_ns = 900 * S,
                                     .state_since_ns = 800 * S,
                                     .raised_ns = 700 * S,
                                     .normal_since_ns = 600 * S,
                                     .has_baseline = true,
                                     .baseline_centi = 10000,
                                     .stand_in_centi = 3,
                                     .value_centi = 60000,
                                     .value_known = true,
                                     .peak_centi = 70000,
                                     .raises = 9};
        struct alarm alarm = alarm_resume(&stored, 40 * S, -910 * S);

        assert_int_equal(alarm.state, resumed[s]);
        assert_int_equal(alarm.stepped_ns, 0);
        /* A state that goes on has been there for as long; before this clock began. */
        assert_int_equal(alarm.state_since_ns, s == (int)resumed[s] ? -110 * S : 40 * S);
        assert_int_equal(alarm.baseline_centi, 10000);
        assert_true(alarm.has_baseline);
        assert_false(alarm.value_known);
        assert_int_equal(alarm.raises, 9);
        if (alarm_is_raised(&stored)) {
            assert_int_equal(alarm.raised_ns, -210 * S);
            assert_int_equal(alarm.peak_centi, 70000);
        }
    }
}

/* An operator reads the limits also where the metric is not known, or not yet. */
static void test_limits_follow_the_settings_while_the_metric_is_unknown(void **state)
{
    (void)state;
    start_bench("limits");
    run_unknown(1, 0);
    CHECK(bench.alarm.rising_centi == 5000 && bench.alarm.falling_centi == 500);
    run_load(100, 20);
    run_unknown(1, 0);
    CHECK(bench.alarm.rising_centi == 20000 && bench.alarm.falling_centi == 2000);
    *setting(SETTING_RISING) = 30000;
    *setting(SETTING_FALLING) = 25000;
    run_unknown(1, 0);
    CHECK(bench.alarm.rising_centi == 30000 && bench.alarm.falling_centi == 25000);
}

/* The clear that a SET causes reports value and peak of one sample: peak >= value. */
static void test_the_peak_has_seen_the_sample_that_clears(void **state)
{
    (void)state;
    start_bench("peak");
    run_load(100, 0);
    run_load(7, 100);
    CHECK(bench.alarm.peak_centi == 7000);
    *setting(SETTING_ENABLED) = 0;
    run_ns(TICK, 100, true);
    CHECK(bench.alarm.state == ALARM_NORMAL);
    CHECK(bench.alarm.peak_centi == 7100);
}

static void test_the_peak_begins_anew_with_each_raise(void **state)
{
    (void)state;
    start_bench("peaks");
    run_load(100, 0);
    run_load(20, 900);
    run_load(20, 200);
    CHECK(bench.alarm.state == ALARM_RAISED && bench.alarm.peak_centi == 90000);
    run_load(20, 0);
    run_load(20, 200);
    CHECK(bench.alarm.state == ALARM_RAISED && bench.alarm.peak_centi == 20000);
    CHECK(bench.alarm.raises == 2);
}

/* ---- causes ---- */

/* Samples for 20 s: 300 resets received a second are refused, 20 aborted, 2 in TIME-WAIT. */
static void run_three_causes(enum cause_method method)
{
    for (int n = 0; n <= 200; n++) {
        struct sample sample = {.time_ns = S + n * TICK, .cause_method = method};

        for (enum cause cause = 1; cause < CAUSE_SLOTS; cause++)
            sample_set(&sample, cause_counter(DIRECTION_RECEIVED, cause), 7);
        sample_set(&sample, COUNTER_RECEIVED_NO_LISTENER, 30 * n);
        sample_set(&sample, COUNTER_RECEIVED_ABORTED, 2 * n);
        sample_set(&sample, COUNTER_RECEIVED_TIME_WAIT, n / 5);
        sample_set(&sample, COUNTER_RECEIVED, 32 * n + n / 5);
        sample_set(&sample, COUNTER_SYN_COOKIES_SENT, 5 * n);
        assert_true(history_push(&history, &sample));
        alarm_step(&bench.alarm, bench.metric, &bench.settings, &history);
    }
}

static const struct {
    enum metric metric;
    enum cause_method method;
    uint32_t causes;
    bool part;
    uint32_t value_centi;
} parts[] = {
    {METRIC_RECEIVED, CAUSES_MEASURED, CAUSE_MASK_ALL, false, 32200},
    {METRIC_RECEIVED, CAUSES_MEASURED, CAUSE_MASK_ALL & ~UINT32_C(1), true, 32200},
    {METRIC_RECEIVED, CAUSES_MEASURED, CAUSE_MASK_ALL & ~(1 << CAUSE_NO_LISTENER), true, 2200},
    {METRIC_RECEIVED, CAUSES_MEASURED, 1 << CAUSE_ABORTED, true, 2000},
    {METRIC_RECEIVED, CAUSES_MEASURED, 1 << CAUSE_ABORTED | 1 << CAUSE_TIME_WAIT | 1, true, 2200},
    {METRIC_RECEIVED, CAUSES_MEASURED, 1 << CAUSE_BLIND, true, 0},
    /* Where causes are not measured the mask leaves nothing out. */
    {METRIC_RECEIVED, CAUSES_DERIVED, 1 << CAUSE_ABORTED, false, 32200},
    {METRIC_RECEIVED, CAUSES_UNKNOWN, 1 << CAUSE_ABORTED, false, 32200},
    {METRIC_SYN_COOKIES, CAUSES_MEASURED, CAUSE_MASK_ALL, false, 5000},
};

static void test_the_value_is_of_the_causes_chosen(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        start_bench("part");
        bench.metric = parts[i].metric;
        *setting(SETTING_CAUSES) = parts[i].causes;
        run_three_causes(parts[i].method);
        CHECK(bench.alarm.value_known);
        CHECK(bench.alarm.value_centi == parts[i].value_centi);
        CHECK(alarm_is_raised(&bench.alarm) == (parts[i].value_centi > 5000));
        CHECK(alarm_counts_part(bench.metric, &bench.settings, history_newest(&history)) ==
              parts[i].part);
    }
}

/* Causes of received resets say nothing of those sent. */
static void test_a_direction_without_counters_by_cause_is_counted_as_a_whole(void **state)
{
    const struct sample sample = {.cause_method = CAUSES_MEASURED,
                                  .valid = counter_bit(COUNTER_RECEIVED_ABORTED) |
                                           counter_bit(COUNTER_RECEIVED_BLIND)};
    struct alarm_settings settings = settings_default();

    (void)state;
    assert_true(alarm_causes_measured(METRIC_RECEIVED, &sample));
    assert_false(alarm_causes_measured(METRIC_SENT, &sample));
    assert_false(alarm_causes_measured(METRIC_SYN_COOKIES, &sample));
    assert_true(alarm_by_cause(METRIC_RECEIVED, &settings, &sample) == sample.valid);
    settings.value[SETTING_CAUSES] = 1 << CAUSE_ABORTED;
    assert_true(alarm_by_cause(METRIC_RECEIVED, &settings, &sample) ==
                counter_bit(COUNTER_RECEIVED_ABORTED));
    assert_true(alarm_counts_part(METRIC_RECEIVED, &settings, &sample));
    assert_false(alarm_counts_part(METRIC_SENT, &settings, &sample));
    settings.value[SETTING_CAUSES] = 1 << CAUSE_TIME_WAIT; /* the source has not got it */
    assert_false(alarm_counts_part(METRIC_RECEIVED, &settings, &sample));
}

/* A source that is lost takes the causes along: from the next sample on all is counted, and
   the baseline is of all, too. */
static void test_a_part_becomes_the_whole_when_causes_are_lost(void **state)
{
    struct sample sample;

    (void)state;
    start_bench("causes lost");
    *setting(SETTING_CAUSES) = 1 << CAUSE_ABORTED;
    *setting(SETTING_FACTOR) = 0;
    run_three_causes(CAUSES_MEASURED);
    CHECK(bench.alarm.value_centi == 2000 && bench.alarm.state == ALARM_NORMAL);
    sample = *history_newest(&history);
    sample.time_ns += TICK;
    sample.counter[COUNTER_RECEIVED] += 32;
    sample.cause_method = CAUSES_DERIVED;
    assert_true(history_push(&history, &sample));
    CHECK(alarm_step(&bench.alarm, METRIC_RECEIVED, &bench.settings, &history) ==
          ALARM_EVENT_RAISED);
    CHECK(bench.alarm.value_centi == 32200);
    CHECK(bench.alarm.baseline_centi == 5420);
}

/* ---- random streams ---- */

static const struct {
    int64_t shortest_ns, longest_ns;
} tick_ranges[] = {
    {TICK, TICK}, {60 * MS, 140 * MS}, {TICK, 3 * S}, {1, 600 * MS}, {15 * MS, 30 * MS},
};

/* Loads at and around the limits are the ones that find something. */
static uint64_t random_rate(struct random *random)
{
    uint64_t rising = *setting(SETTING_RISING) / 100, falling = *setting(SETTING_FALLING) / 100;

    switch (random_between(random, 0, 7)) {
    case 0:
        return 0;
    case 1:
        return falling;
    case 2:
        return falling + 1;
    case 3:
        return rising;
    case 4:
        return rising + 1;
    case 5:
        return 2 * rising + 10;
    case 6:
        return 20 * rising;
    default:
        return random_magnitude(random, 26);
    }
}

static void choose_settings(struct random *random)
{
    static const uint32_t factors[] = {0, 1, 2, 10, 10, 10, 1000};
    static const uint32_t delays[] = {0, 0, 0, 1, 5, 30};

    *setting(SETTING_RISING) = (uint32_t)random_between(random, 1, 15000);
    *setting(SETTING_FALLING) = (uint32_t)random_between(random, 1, *setting(SETTING_RISING));
    *setting(SETTING_FACTOR) = factors[random_between(random, 0, ARRAY_SIZE(factors) - 1)];
    *setting(SETTING_RAISE_DELAY) = delays[random_between(random, 0, ARRAY_SIZE(delays) - 1)];
    *setting(SETTING_CLEAR_DELAY) = delays[random_between(random, 0, ARRAY_SIZE(delays) - 1)];
}

static struct random start_random_bench(const char *name, uint64_t seed)
{
    struct random random = {seed};
    size_t kind = (size_t)random_between(&random, 0, ARRAY_SIZE(tick_ranges) - 1);

    start_bench(name);
    bench.seed = seed;
    bench.random = (struct random){~seed};
    bench.metric = (enum metric)random_between(&random, METRIC_FIRST, METRIC_LAST);
    bench.shortest_ns = tick_ranges[kind].shortest_ns;
    bench.longest_ns = tick_ranges[kind].longest_ns;
    bench.clock_ns = random_between(&random, 1, random_one_in(&random, 2) ? 70 * S : DAY * S);
    bench.counter_start = random_one_in(&random, 2) ? UINT64_MAX - random_magnitude(&random, 14)
                                                    : random_next(&random);
    choose_settings(&random);
    if (bench.metric != METRIC_SYN_COOKIES && random_one_in(&random, 3))
        choose_a_part();
    return random;
}

static void run_anything(struct random *random)
{
    int seconds = (int)random_between(random, 1, 25);
    uint64_t rate = random_rate(random);

    if (random_one_in(random, 25))
        run_unknown((int)random_between(random, 1, 20), rate);
    else if (random_one_in(random, 40))
        run_restart((int)random_between(random, 0, 300));
    else if (random_one_in(random, 60))
        run_gap((int)random_between(random, 1, DAY), rate);
    else if (random_one_in(random, 40))
        *setting(SETTING_ENABLED) ^= 1;
    else if (random_one_in(random, 60))
        choose_settings(random);
    else
        run_load(seconds, rate);
}

static void check_that_raises_and_clears_alternate(void)
{
    uint32_t raises = 0;

    for (int i = 0; i < bench.occurrences; i++) {
        CHECK(bench.occurrence[i].event == (i % 2 == 0 ? ALARM_EVENT_RAISED : ALARM_EVENT_CLEARED));
        raises += bench.occurrence[i].event == ALARM_EVENT_RAISED;
    }
    CHECK(bench.alarm.raises == raises);
    CHECK(alarm_is_raised(&bench.alarm) == (bench.occurrences % 2 == 1));
}

/* What holds after every step is checked by step(). */
static void test_any_stream_keeps_the_rule(void **state)
{
    (void)state;
    for (uint64_t n = 0; n < STREAMS; n++) {
        struct random random = start_random_bench("any stream", random_first_seed() + n);
        int64_t segments = random_between(&random, 1, 14);

        for (int64_t i = 0; i < segments; i++)
            run_anything(&random);
        check_that_raises_and_clears_alternate();
    }
}

/* ---- replay ---- */

/* One step of the original: what went in and what came out. */
struct recorded {
    struct sample sample;
    struct alarm alarm;
    enum alarm_event event;
};

#define RECORDED_MAX 3000

static struct recorded recorded[RECORDED_MAX];

static int record_stream(struct random *random)
{
    int length = (int)random_between(random, 100, RECORDED_MAX), n = 0;
    uint64_t rate = 0;
    bool known = true;

    for (; n < length; n++) {
        int occurrences = bench.occurrences;

        if (random_one_in(random, 100))
            rate = random_rate(random);
        if (random_one_in(random, known ? 700 : 40))
            known = !known;
        run_ns(bench.next_sample_ns - bench.elapsed_ns, rate, known);
        recorded[n].sample = *history_newest(&history);
        recorded[n].alarm = bench.alarm;
        recorded[n].event =
            bench.occurrences > occurrences ? bench.occurrence[occurrences].event : ALARM_NO_EVENT;
    }
    return length;
}

/* All that the world can see of an alarm. */
static void check_same(const struct alarm *got, const struct alarm *want)
{
    CHECK(got->state == want->state);
    CHECK(got->stepped_ns == want->stepped_ns);
    CHECK(got->state_since_ns == want->state_since_ns);
    CHECK(got->has_baseline == want->has_baseline);
    CHECK(got->baseline_centi == want->baseline_centi);
    CHECK(got->value_known == want->value_known);
    CHECK(!want->value_known || got->value_centi == want->value_centi);
    CHECK(got->rising_centi == want->rising_centi && got->falling_centi == want->falling_centi);
    CHECK(!alarm_is_raised(want) || got->raised_ns == want->raised_ns);
    CHECK(!alarm_is_raised(want) || got->peak_centi == want->peak_centi);
    CHECK(got->raises == want->raises);
}

/* The samples before `middle` that the sampler still has: 70 s and one at the far end. */
static void refill_history(int middle)
{
    int first = middle;

    while (first > 0 && recorded[first].sample.time_ns > recorded[middle].sample.time_ns - FULL_NS)
        first--;
    memset(&history, 0, sizeof history);
    for (int n = first; n <= middle; n++)
        history_push(&history, &recorded[n].sample);
}

/* A new agent takes up the alarm as it was stored after step `middle`. */
static void replay(int middle, int length)
{
    struct alarm alarm = recorded[middle].alarm;

    refill_history(middle);
    for (int n = middle + 1; n < length; n++) {
        enum alarm_event event;

        history_push(&history, &recorded[n].sample);
        event = alarm_step(&alarm, bench.metric, &bench.settings, &history);
        bench.elapsed_ns = recorded[n].sample.time_ns - bench.clock_ns;
        CHECK(event == recorded[n].event);
        check_same(&alarm, &recorded[n].alarm);
    }
}

static void test_a_replay_from_any_sample_on_gives_the_same(void **state)
{
    (void)state;
    for (uint64_t n = 0; n < STREAMS / 6; n++) {
        struct random random = start_random_bench("replay", random_first_seed() + n);
        int length;

        if (bench.longest_ns < TICK) /* too fast for 70 s to be kept */
            bench.shortest_ns = bench.longest_ns = TICK;
        length = record_stream(&random);
        for (int i = 0; i < 3; i++)
            replay((int)random_between(&random, 0, length - 1), length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_new_alarm_is_normal_and_has_seen_nothing),
        cmocka_unit_test(test_each_metric_watches_its_counter),
        cmocka_unit_test(test_raised_and_clearing_are_a_raise_without_its_clear),
        cmocka_unit_test(test_resuming_keeps_what_outlives_a_restart),
        cmocka_unit_test(test_limits_follow_the_settings_while_the_metric_is_unknown),
        cmocka_unit_test(test_the_peak_has_seen_the_sample_that_clears),
        cmocka_unit_test(test_the_peak_begins_anew_with_each_raise),
        cmocka_unit_test(test_on_the_first_start_unseen_history_is_zero),
        cmocka_unit_test(test_a_raise_before_70_s_has_no_baseline_which_goes_on_until_70_s),
        cmocka_unit_test(test_a_raise_after_70_s_has_a_baseline_which_stands_still),
        cmocka_unit_test(test_the_baseline_is_the_minute_that_ended_10_s_ago),
        cmocka_unit_test(test_the_stored_baseline_fades_as_history_is_seen_after_a_restart),
        cmocka_unit_test(test_a_restart_before_the_stored_baseline_has_faded_keeps_its_rest),
        cmocka_unit_test(test_a_restart_while_raised_keeps_the_frozen_baseline),
        cmocka_unit_test(test_the_last_baseline_stands_in_for_an_outage),
        cmocka_unit_test(test_the_frozen_baseline_stands_in_for_the_flood),
        cmocka_unit_test(test_the_baseline_stands_still_while_pending),
        cmocka_unit_test(test_a_product_beyond_32_bits_saturates),
        cmocka_unit_test(test_a_raise_comes_with_the_first_sample_after_the_crossing),
        cmocka_unit_test(test_scenarios),
        cmocka_unit_test(test_the_value_is_of_the_causes_chosen),
        cmocka_unit_test(test_a_direction_without_counters_by_cause_is_counted_as_a_whole),
        cmocka_unit_test(test_a_part_becomes_the_whole_when_causes_are_lost),
        cmocka_unit_test(test_any_stream_keeps_the_rule),
        cmocka_unit_test(test_a_replay_from_any_sample_on_gives_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
