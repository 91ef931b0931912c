/*
 * The averages against a reference that is slow and plain: it keeps the whole
 * stream, adds up the overlap of each interval with the window, and counts in
 * exact fractions.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "subagent/average.h"
#include "tests/unit/random.h"

#define MS        INT64_C(1000000)
#define S         NS_PER_S
#define DAY       (86400 * S)
#define TICK      (100 * MS)
#define SHORT     (10 * S)
#define LONG      (60 * S)
#define STREAMS   2500
#define NOT_KNOWN INT64_MAX

/* Two counters of one stream: one always known, one with outages. */
#define STEADY COUNTER_RECEIVED
#define BROKEN COUNTER_SYN_QUEUE_FULL_DROPS
#define BOTH   COUNTER_SENT /* no counter of its own: stands for the two as a set */

static struct history history; /* static: large */

static counter_set set_of(enum counter id)
{
    return id == BOTH ? counter_bit(STEADY) | counter_bit(BROKEN) : counter_bit(id);
}

static const char *name_of(enum counter id)
{
    return id == BOTH ? "both" : id == STEADY ? "steady" : "broken";
}

/* ---- pushing ---- */

static void start_history(void)
{
    memset(&history, 0, sizeof history);
}

static bool push_known(int64_t time_ns, uint64_t count)
{
    struct sample sample = {.time_ns = time_ns};

    sample_set(&sample, STEADY, count);
    return history_push(&history, &sample);
}

static bool push_unknown(int64_t time_ns)
{
    struct sample sample = {.time_ns = time_ns};

    return history_push(&history, &sample);
}

static uint64_t growth(int64_t from_ns, int64_t to_ns)
{
    return history_growth(&history, counter_bit(STEADY), from_ns, to_ns);
}

static int64_t known_since(void)
{
    return history_known_since(&history, counter_bit(STEADY));
}

static uint32_t average(int64_t window_ns)
{
    uint32_t centi = 0;

    assert_true(history_average(&history, counter_bit(STEADY), window_ns, &centi));
    return centi;
}

/* ---- the reference ---- */

#define STREAM_MAX 4096

struct point {
    int64_t time_ns;
    bool known;
    uint64_t count;
};

struct stream {
    size_t length;
    struct point point[STREAM_MAX];
};

static struct stream streams[COUNTER_COUNT];

static void record(enum counter id, int64_t time_ns, bool known, uint64_t count)
{
    struct stream *stream = &streams[id];

    stream->point[stream->length++] = (struct point){time_ns, known, count};
}

/* The first point of the newest unbroken run of known ones that is still kept; -1: none. */
static long run_start(const struct stream *stream)
{
    long newest = (long)stream->length - 1;
    long oldest = newest < HISTORY_SAMPLES ? 0 : newest - HISTORY_SAMPLES + 1;
    long i = newest;

    if (newest < 0 || !stream->point[newest].known)
        return -1;
    while (i > oldest && stream->point[i - 1].known)
        i--;
    return i;
}

static int64_t reference_known_since(enum counter id)
{
    long start = run_start(&streams[id]);

    return start < 0 ? NOT_KNOWN : streams[id].point[start].time_ns;
}

/* A sum of whole counts and of the fractions of the two intervals that a window can cut. */
struct exact {
    uint64_t whole;
    int fractions;
    unsigned __int128 part[2], of[2];
};

static void add_interval(struct exact *sum, const struct point *a, const struct point *b,
                         int64_t from_ns, int64_t to_ns)
{
    int64_t start_ns = from_ns > a->time_ns ? from_ns : a->time_ns;
    int64_t end_ns = to_ns < b->time_ns ? to_ns : b->time_ns;
    uint64_t length = (uint64_t)(b->time_ns - a->time_ns);
    unsigned __int128 product;

    if (start_ns >= end_ns)
        return;
    product = (unsigned __int128)(b->count - a->count) * (uint64_t)(end_ns - start_ns);
    sum->whole += (uint64_t)(product / length);
    if (product % length == 0)
        return;
    sum->part[sum->fractions] = product % length;
    sum->of[sum->fractions++] = length;
}

static uint64_t rounded_half_up(const struct exact *sum)
{
    unsigned __int128 part = 0, of = 1;

    for (int i = 0; i < sum->fractions; i++) {
        part = part * sum->of[i] + sum->part[i] * of;
        of *= sum->of[i];
    }
    return sum->whole + (uint64_t)((2 * part + of) / (2 * of));
}

static uint64_t reference_growth(enum counter id, int64_t from_ns, int64_t to_ns)
{
    const struct stream *stream = &streams[id];
    struct exact sum = {0};
    long start = run_start(stream);

    if (start < 0)
        return 0;
    for (long i = (long)stream->length - 2; i >= start && stream->point[i + 1].time_ns > from_ns;
         i--)
        add_interval(&sum, &stream->point[i], &stream->point[i + 1], from_ns, to_ns);
    return rounded_half_up(&sum);
}

static uint32_t reference_rate(uint64_t count, int64_t duration_ns)
{
    unsigned __int128 twice = (unsigned __int128)count * 200 * S / (uint64_t)duration_ns;
    unsigned __int128 centi = (twice + 1) / 2;

    return centi > UINT32_MAX ? UINT32_MAX : (uint32_t)centi;
}

/* ---- streams: how ticks come ---- */

static int64_t on_time(struct random *random)
{
    (void)random;
    return TICK;
}

static int64_t jittered(struct random *random)
{
    return random_between(random, 60 * MS, 140 * MS);
}

static int64_t sometimes_late(struct random *random)
{
    return random_one_in(random, 20) ? random_between(random, 150 * MS, 4 * S) : TICK;
}

static int64_t missed(struct random *random)
{
    return random_one_in(random, 4) ? TICK * random_between(random, 2, 30) : TICK;
}

static int64_t irregular(struct random *random)
{
    return 1 + (int64_t)random_magnitude(random, 33);
}

/* A stall, then everything that was waiting at once. */
static int64_t burst(struct random *random)
{
    return random_one_in(random, 40) ? random_between(random, 2 * S, 20 * S)
                                     : random_between(random, 1, 2 * MS);
}

static int64_t with_long_gaps(struct random *random)
{
    return random_one_in(random, 60) ? random_between(random, 60 * S, 3 * DAY) : TICK;
}

/* More than HISTORY_SAMPLES of them in 60 s. */
static int64_t too_fast(struct random *random)
{
    return random_between(random, 20 * MS, 50 * MS);
}

static const struct {
    const char *name;
    int64_t (*next)(struct random *random);
} ticks[] = {
    {"on time", on_time},
    {"jittered", jittered},
    {"sometimes late", sometimes_late},
    {"missed", missed},
    {"irregular", irregular},
    {"burst", burst},
    {"with long gaps", with_long_gaps},
    {"too fast", too_fast},
};

/* ---- streams: what they count ---- */

static uint64_t none(struct random *random)
{
    (void)random;
    return 0;
}

static uint64_t one_by_one(struct random *random)
{
    return random_one_in(random, 10);
}

static uint64_t steady(struct random *random)
{
    (void)random;
    return 10;
}

static uint64_t rough(struct random *random)
{
    return random_one_in(random, 3) ? random_magnitude(random, 20) : 0;
}

/* The counter wraps within a stream, the growth of all that is kept stays below 2^64. */
static uint64_t enormous(struct random *random)
{
    return random_magnitude(random, 52);
}

static uint64_t (*const loads[])(struct random *random) = {none, one_by_one, steady, rough,
                                                           enormous};

static uint64_t first_count(struct random *random)
{
    switch (random_between(random, 0, 2)) {
    case 0:
        return 0;
    case 1:
        return UINT64_MAX - random_magnitude(random, 12); /* wraps soon */
    default:
        return random_next(random);
    }
}

/* ---- streams: pushed and compared ---- */

struct run {
    uint64_t seed;
    const char *ticks;
    struct random random;
    int64_t (*next_tick)(struct random *random);
    uint64_t (*load)(struct random *random);
    int64_t now_ns;
    uint64_t count[COUNTER_COUNT];
    bool broken;
};

static struct run start_run(uint64_t seed)
{
    struct run run = {.seed = seed, .random = {seed}};
    size_t kind = (size_t)random_between(&run.random, 0, ARRAY_SIZE(ticks) - 1);

    run.ticks = ticks[kind].name;
    run.next_tick = ticks[kind].next;
    run.load = loads[random_between(&run.random, 0, ARRAY_SIZE(loads) - 1)];
    run.now_ns = random_between(&run.random, 1, random_one_in(&run.random, 2) ? 20 * S : 400 * DAY);
    run.count[STEADY] = first_count(&run.random);
    run.count[BROKEN] = first_count(&run.random);
    start_history();
    streams[STEADY].length = streams[BROKEN].length = streams[BOTH].length = 0;
    return run;
}

static void push_next(struct run *run)
{
    struct sample sample = {.time_ns = run->now_ns};

    if (random_one_in(&run->random, run->broken ? 8 : 150))
        run->broken = !run->broken;
    sample_set(&sample, STEADY, run->count[STEADY]);
    if (!run->broken)
        sample_set(&sample, BROKEN, run->count[BROKEN]);
    else
        sample.counter[BROKEN] = random_next(&run->random); /* not valid: must not be looked at */
    assert_true(history_push(&history, &sample));
    record(STEADY, run->now_ns, true, run->count[STEADY]);
    record(BROKEN, run->now_ns, !run->broken, run->count[BROKEN]);
    record(BOTH, run->now_ns, !run->broken, run->count[STEADY] + run->count[BROKEN]);
}

/* What a confused caller might push: the same instant again, or an earlier one. */
static void push_too_early(struct run *run)
{
    struct sample sample = {.time_ns = run->now_ns};

    if (random_one_in(&run->random, 2))
        sample.time_ns -= (int64_t)random_magnitude(&run->random, 40);
    sample_set(&sample, STEADY, random_next(&run->random));
    assert_false(history_push(&history, &sample));
}

static void advance(struct run *run)
{
    run->now_ns += run->next_tick(&run->random);
    run->count[STEADY] += run->load(&run->random);
    run->count[BROKEN] += run->load(&run->random);
}

static void compare_growth(const struct run *run, enum counter id, int64_t from_ns, int64_t to_ns)
{
    uint64_t got = history_growth(&history, set_of(id), from_ns, to_ns);
    uint64_t want = reference_growth(id, from_ns, to_ns);

    if (got != want)
        fail_msg("seed %" PRIu64 " (%s), sample %zu: growth of %s in (now - %" PRId64
                 " ns, now - %" PRId64 " ns] is %" PRIu64 ", not %" PRIu64,
                 run->seed, run->ticks, streams[id].length, name_of(id), run->now_ns - from_ns,
                 run->now_ns - to_ns, got, want);
}

static void compare_average(const struct run *run, enum counter id, int64_t window_ns)
{
    uint32_t got = 0, want;
    bool known = history_average(&history, set_of(id), window_ns, &got);

    if (known != streams[id].point[streams[id].length - 1].known)
        fail_msg("seed %" PRIu64 " (%s), sample %zu: average known: %d", run->seed, run->ticks,
                 streams[id].length, known);
    if (!known)
        return;
    want = reference_rate(reference_growth(id, run->now_ns - window_ns, run->now_ns), window_ns);
    if (got != want)
        fail_msg("seed %" PRIu64 " (%s), sample %zu: average of %" PRId64 " s is %" PRIu32
                 ", not %" PRIu32,
                 run->seed, run->ticks, streams[id].length, window_ns / S, got, want);
}

static void compare_known_since(const struct run *run, enum counter id)
{
    int64_t got = history_known_since(&history, set_of(id)), want = reference_known_since(id);

    if (got != want)
        fail_msg("seed %" PRIu64 " (%s), sample %zu: known since now - %" PRId64
                 " ns, not now - %" PRId64 " ns",
                 run->seed, run->ticks, streams[id].length, run->now_ns - got, run->now_ns - want);
}

/* Any window, also one that reaches beyond what is kept or into the future. */
static void compare_any_window(struct run *run, enum counter id)
{
    int64_t from_ns = run->now_ns - (int64_t)random_magnitude(&run->random, 38) + TICK;
    int64_t to_ns = from_ns + (int64_t)random_magnitude(&run->random, 38);

    compare_growth(run, id, from_ns, to_ns);
    compare_growth(run, id, from_ns, from_ns);
}

static void compare(struct run *run, enum counter id)
{
    compare_known_since(run, id);
    compare_average(run, id, SHORT);
    compare_average(run, id, LONG);
    compare_growth(run, id, run->now_ns - SHORT, run->now_ns);
    compare_growth(run, id, run->now_ns - LONG - SHORT, run->now_ns - SHORT);
    compare_any_window(run, id);
}

static void test_any_stream_gives_what_the_reference_gives(void **state)
{
    (void)state;
    for (uint64_t n = 0; n < STREAMS; n++) {
        struct run run = start_run(random_first_seed() + n);
        int64_t length = 1 + (int64_t)random_magnitude(&run.random, 12);

        for (int64_t i = 0; i < length; i++) {
            push_next(&run);
            if (random_one_in(&run.random, 30))
                push_too_early(&run);
            if (i < 3 || i == length - 1 || random_one_in(&run.random, 12)) {
                compare(&run, STEADY);
                compare(&run, BROKEN);
                compare(&run, BOTH);
            }
            advance(&run);
        }
    }
}

/* ---- against the truth, not against the same interpolation ---- */

/* Resets since time 0 at a steady rate per second. */
static uint64_t truth(int64_t rate, int64_t time_ns)
{
    return (uint64_t)((__int128)rate * time_ns / S);
}

static void expect_true_count(const struct run *run, int64_t rate, int64_t since_ns,
                              int64_t window_ns)
{
    int64_t from_ns = run->now_ns - window_ns > since_ns ? run->now_ns - window_ns : since_ns;
    int64_t count = (int64_t)((truth(rate, run->now_ns) - truth(rate, from_ns)));
    int64_t got = (int64_t)(((__int128)average(window_ns) * window_ns / S + 50) / 100);

    if (got < count - 1 || got > count + 1)
        fail_msg("seed %" PRIu64 " (%s): %" PRId64 " resets in %" PRId64 " s, not %" PRId64,
                 run->seed, run->ticks, got, window_ns / S, count);
}

static void test_a_steady_rate_is_never_off_by_more_than_one_count(void **state)
{
    (void)state;
    for (uint64_t n = 0; n < 300; n++) {
        struct run run = start_run(random_first_seed() + n);
        uint64_t offset = first_count(&run.random);
        int64_t rate = (int64_t)random_magnitude(&run.random, 16), since_ns = run.now_ns;

        if (run.next_tick == too_fast || run.next_tick == burst || run.next_tick == irregular)
            run.next_tick = jittered; /* of the others 60 s are kept */
        for (int i = 0; i < 900; i++) {
            push_known(run.now_ns, offset + truth(rate, run.now_ns));
            expect_true_count(&run, rate, since_ns, SHORT);
            expect_true_count(&run, rate, since_ns, LONG);
            run.now_ns += run.next_tick(&run.random);
        }
    }
}

/* ---- the newest sample ---- */

static void test_an_empty_history_knows_nothing(void **state)
{
    uint32_t centi;

    (void)state;
    start_history();
    assert_null(history_newest(&history));
    assert_true(known_since() == NOT_KNOWN);
    assert_int_equal(growth(0, LONG), 0);
    assert_false(history_average(&history, counter_bit(STEADY), SHORT, &centi));
}

static void test_the_newest_sample_is_the_one_pushed_last(void **state)
{
    (void)state;
    start_history();
    for (int n = 1; n <= 2 * HISTORY_SAMPLES + 1; n++) {
        assert_true(push_known(n * TICK, 1000 + n));
        assert_int_equal(history.pushed, n);
        assert_int_equal(history_newest(&history)->time_ns, n * TICK);
        assert_int_equal(history_newest(&history)->counter[STEADY], 1000 + n);
    }
}

static void test_a_sample_that_is_not_later_changes_nothing(void **state)
{
    static struct history before;

    (void)state;
    start_history();
    push_known(10 * S, 5);
    push_known(11 * S, 8);
    before = history;
    assert_false(push_known(11 * S, 8));
    assert_false(push_known(11 * S, 9));
    assert_false(push_known(11 * S - 1, 9));
    assert_false(push_known(1, 0));
    assert_false(push_unknown(11 * S));
    assert_memory_equal(&history, &before, sizeof before);
    assert_true(push_known(11 * S + 1, 9));
}

static void test_one_sample_has_no_growth_yet(void **state)
{
    (void)state;
    start_history();
    push_known(5 * S, 1234567);
    assert_int_equal(known_since(), 5 * S);
    assert_int_equal(growth(0, 10 * S), 0);
    assert_int_equal(average(SHORT), 0);
}

/* ---- what is known ---- */

static void test_known_since_starts_again_after_an_outage(void **state)
{
    (void)state;
    start_history();
    push_unknown(1 * S);
    assert_true(known_since() == NOT_KNOWN);
    push_known(2 * S, 100);
    push_known(3 * S, 110);
    assert_int_equal(known_since(), 2 * S);
    push_unknown(4 * S);
    push_unknown(5 * S);
    assert_true(known_since() == NOT_KNOWN);
    assert_int_equal(growth(0, 6 * S), 0);
    push_known(6 * S, 900);
    assert_int_equal(known_since(), 6 * S);
    assert_int_equal(average(SHORT), 0);
    push_known(7 * S, 904);
    assert_int_equal(known_since(), 6 * S);
    assert_int_equal(growth(0, 7 * S), 4);
}

static void test_known_since_moves_on_with_what_is_kept(void **state)
{
    (void)state;
    start_history();
    for (int n = 0; n < 3 * HISTORY_SAMPLES; n++) {
        int oldest = n < HISTORY_SAMPLES ? 0 : n - HISTORY_SAMPLES + 1;

        push_known(S + n * TICK, 0);
        assert_int_equal(known_since(), S + oldest * TICK);
    }
}

static void test_an_outage_is_forgotten_when_it_is_no_longer_kept(void **state)
{
    const int outage = 500;

    (void)state;
    start_history();
    for (int n = 0; n < 3 * HISTORY_SAMPLES; n++) {
        int oldest = n < HISTORY_SAMPLES ? 0 : n - HISTORY_SAMPLES + 1;
        int run = n > outage ? outage + 1 : 0;

        if (n == outage)
            push_unknown(S + n * TICK);
        else
            push_known(S + n * TICK, 0);
        if (n != outage)
            assert_int_equal(known_since(), S + (run > oldest ? run : oldest) * TICK);
    }
}

static void test_seventy_seconds_are_kept_at_the_shortest_interval(void **state)
{
    (void)state;
    start_history();
    for (int n = 0; n < 5000; n++)
        push_known(S + n * TICK, n);
    assert_true(history_newest(&history)->time_ns - known_since() >= HISTORY_NS);
    assert_int_equal(average(HISTORY_NS), 1000);
}

/* ---- growth, by hand ---- */

static void test_growth_between_two_samples_is_even(void **state)
{
    (void)state;
    start_history();
    push_known(10 * S, 1000);
    push_known(20 * S, 1100);
    assert_int_equal(growth(10 * S, 20 * S), 100);
    assert_int_equal(growth(10 * S, 15 * S), 50);
    assert_int_equal(growth(13 * S, 14 * S), 10);
    assert_int_equal(growth(0, 11 * S), 10);
    assert_int_equal(growth(19 * S, 30 * S), 10);
    assert_int_equal(growth(0, 10 * S), 0);
    assert_int_equal(growth(20 * S, 30 * S), 0);
    assert_int_equal(growth(INT64_MIN / 2, INT64_MAX), 100);
    assert_int_equal(growth(15 * S, 15 * S), 0);
}

static void test_growth_is_rounded_half_up(void **state)
{
    (void)state;
    start_history();
    push_known(10 * S, 0);
    push_known(20 * S, 10);
    assert_int_equal(growth(10 * S, 10 * S + S / 2), 1);
    assert_int_equal(growth(10 * S, 10 * S + S / 2 - 1), 0);
    assert_int_equal(growth(10 * S, 11 * S + S / 2 - 1), 1);
    assert_int_equal(growth(10 * S, 11 * S + S / 2), 2);
    assert_int_equal(growth(19 * S + S / 2, 20 * S), 1);
    assert_int_equal(growth(19 * S + S / 2 + 1, 20 * S), 0);
    assert_int_equal(growth(12 * S + S / 4, 12 * S + 3 * S / 4), 1);
}

/* 100000/200001 of a count must not become half a one on the way. */
static void test_a_hair_less_than_half_a_count_is_none(void **state)
{
    (void)state;
    start_history();
    push_known(10 * S, 0);
    push_known(10 * S + 200001, 1);
    assert_int_equal(growth(10 * S + 100001, 10 * S + 200001), 0);
    assert_int_equal(growth(10 * S + 100000, 10 * S + 200001), 1);
}

static void test_a_wrap_is_growth(void **state)
{
    (void)state;
    start_history();
    push_known(10 * S, UINT64_MAX - 4);
    push_known(11 * S, UINT64_MAX);
    push_known(12 * S, 5);
    push_known(13 * S, 10);
    assert_int_equal(growth(10 * S, 13 * S), 15);
    assert_int_equal(growth(11 * S, 12 * S), 6);
    assert_int_equal(growth(11 * S + S / 2, 13 * S), 8);
    assert_int_equal(average(SHORT), 150);
}

/* As large as struct sample and counter_growth() allow, over a suspended month. */
static void test_a_month_and_half_of_all_counts_do_not_overflow(void **state)
{
    const int64_t month = 31 * DAY;
    const uint64_t half = UINT64_C(1) << 62;

    (void)state;
    start_history();
    push_known(10 * S, 77);
    push_known(10 * S + month, 77 + half);
    assert_true(growth(10 * S, 10 * S + month) == half);
    assert_true(growth(10 * S, 10 * S + month / 2) == half / 2);
    assert_true(growth(10 * S + month / 2, 10 * S + month) == half / 2);
    assert_int_equal(average(SHORT), UINT32_MAX);
}

static void test_a_day_without_samples_is_an_even_day(void **state)
{
    (void)state;
    start_history();
    push_known(10 * S, 0);
    push_known(10 * S + DAY, 86400 * 3);
    assert_int_equal(average(SHORT), 300);
    assert_int_equal(average(LONG), 300);
    assert_int_equal(known_since(), 10 * S);
}

static void test_history_not_seen_counts_as_zero(void **state)
{
    (void)state;
    start_history();
    push_known(10 * S, 1000000);
    push_known(15 * S, 1000500);
    assert_int_equal(average(SHORT), 5000);
    assert_int_equal(average(LONG), 833);
}

static void test_counters_do_not_mix(void **state)
{
    struct sample first = {.time_ns = 10 * S}, second = {.time_ns = 20 * S};

    (void)state;
    start_history();
    for (int id = 0; id < COUNTER_COUNT; id++) {
        sample_set(&first, id, 1000 * id);
        sample_set(&second, id, 1000 * id + id + 1);
    }
    history_push(&history, &first);
    history_push(&history, &second);
    for (int id = 0; id < COUNTER_COUNT; id++) {
        assert_int_equal(history_growth(&history, counter_bit(id), 10 * S, 20 * S), id + 1);
        assert_int_equal(history_known_since(&history, counter_bit(id)), 10 * S);
    }
}

/* One and a half of three counters: each half alone would be rounded up. */
static void test_a_set_is_rounded_once(void **state)
{
    struct sample first = {.time_ns = 10 * S}, second = {.time_ns = 20 * S};
    counter_set three = 0;

    (void)state;
    start_history();
    for (int id = 0; id < 3; id++) {
        sample_set(&first, id, 1000 * id);
        sample_set(&second, id, 1000 * id + 1);
        three |= counter_bit(id);
    }
    history_push(&history, &first);
    history_push(&history, &second);
    assert_int_equal(history_growth(&history, three, 10 * S, 15 * S), 2);
    assert_int_equal(history_growth(&history, counter_bit(0), 10 * S, 15 * S), 1);
    assert_int_equal(history_growth(&history, three, 10 * S, 20 * S), 3);
}

/* As long as one of them is not known, nothing is known of the set. */
static void test_a_set_is_known_since_the_newest_of_it_is(void **state)
{
    const counter_set both = set_of(BOTH);
    uint32_t centi;

    (void)state;
    start_history();
    for (int n = 0; n <= 10; n++) {
        struct sample sample = {.time_ns = (10 + n) * S};

        sample_set(&sample, STEADY, 100 * n);
        if (n >= 4)
            sample_set(&sample, BROKEN, 10 * n);
        history_push(&history, &sample);
        assert_int_equal(history_average(&history, both, SHORT, &centi), n >= 4);
    }
    assert_int_equal(history_known_since(&history, both), 14 * S);
    assert_int_equal(history_growth(&history, both, 10 * S, 20 * S), 6 * 110);
    assert_int_equal(centi, 6 * 110 * 10);
    push_known(21 * S, 0);
    assert_true(history_known_since(&history, both) == NOT_KNOWN);
    assert_int_equal(history_growth(&history, both, 10 * S, 21 * S), 0);
}

/* ---- rates ---- */

static const struct {
    uint64_t count;
    int64_t duration_ns;
    uint32_t centi;
} rates[] = {
    {0, 10 * S, 0},
    {0, 1, 0},
    {1, 10 * S, 10},
    {1, 60 * S, 2},  /* 1.67 */
    {4, 60 * S, 7},  /* 6.67 */
    {5, 60 * S, 8},  /* 8.33 */
    {1, 201 * S, 0}, /* 0.498 */
    {1, 199 * S, 1}, /* 0.503 */
    {3, 201 * S, 1}, /* 1.49 */
    {3, 199 * S, 2}, /* 1.51 */
    {501, 10 * S, 5010},
    {UINT32_MAX - 1, 100 * S, UINT32_MAX - 1},
    {UINT32_MAX, 100 * S, UINT32_MAX},
    {UINT64_C(1) << 32, 100 * S, UINT32_MAX},
    {(UINT64_C(1) << 32) + 5, 100 * S, UINT32_MAX},
    {UINT64_MAX, 10 * S, UINT32_MAX},
    {UINT64_MAX, 1, UINT32_MAX},
    {UINT64_MAX / 100, 60 * S, UINT32_MAX},
    {1, 1, UINT32_MAX},
    {1, INT64_MAX, 0},
    {UINT64_MAX, INT64_MAX, UINT32_MAX}, /* 2 a nanosecond */
    {UINT64_C(46116860184), INT64_MAX, 500},
};

static void test_rates_are_rounded_and_saturate(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rates); i++)
        if (rate_centi(rates[i].count, rates[i].duration_ns) != rates[i].centi)
            fail_msg("%" PRIu64 " in %" PRId64 " ns is %" PRIu32 ", not %" PRIu32, rates[i].count,
                     rates[i].duration_ns, rate_centi(rates[i].count, rates[i].duration_ns),
                     rates[i].centi);
}

static void test_any_rate_is_what_the_reference_gives(void **state)
{
    struct random random = {random_first_seed()};

    (void)state;
    for (int i = 0; i < 200000; i++) {
        uint64_t count = random_magnitude(&random, 64);
        int64_t duration_ns = 1 + (int64_t)random_magnitude(&random, 62);
        uint32_t got = rate_centi(count, duration_ns), want = reference_rate(count, duration_ns);

        if (got != want)
            fail_msg("%" PRIu64 " in %" PRId64 " ns is %" PRIu32 ", not %" PRIu32, count,
                     duration_ns, got, want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_history_knows_nothing),
        cmocka_unit_test(test_the_newest_sample_is_the_one_pushed_last),
        cmocka_unit_test(test_a_sample_that_is_not_later_changes_nothing),
        cmocka_unit_test(test_one_sample_has_no_growth_yet),
        cmocka_unit_test(test_known_since_starts_again_after_an_outage),
        cmocka_unit_test(test_known_since_moves_on_with_what_is_kept),
        cmocka_unit_test(test_an_outage_is_forgotten_when_it_is_no_longer_kept),
        cmocka_unit_test(test_seventy_seconds_are_kept_at_the_shortest_interval),
        cmocka_unit_test(test_growth_between_two_samples_is_even),
        cmocka_unit_test(test_growth_is_rounded_half_up),
        cmocka_unit_test(test_a_hair_less_than_half_a_count_is_none),
        cmocka_unit_test(test_a_wrap_is_growth),
        cmocka_unit_test(test_a_month_and_half_of_all_counts_do_not_overflow),
        cmocka_unit_test(test_a_day_without_samples_is_an_even_day),
        cmocka_unit_test(test_history_not_seen_counts_as_zero),
        cmocka_unit_test(test_counters_do_not_mix),
        cmocka_unit_test(test_a_set_is_rounded_once),
        cmocka_unit_test(test_a_set_is_known_since_the_newest_of_it_is),
        cmocka_unit_test(test_rates_are_rounded_and_saturate),
        cmocka_unit_test(test_any_rate_is_what_the_reference_gives),
        cmocka_unit_test(test_any_stream_gives_what_the_reference_gives),
        cmocka_unit_test(test_a_steady_rate_is_never_off_by_more_than_one_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
