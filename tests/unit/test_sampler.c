/* Which source is opened, and what happens when it fails: in invented time, with invented sources.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#define platform_readers invented_readers
#define log_write        keep_log
#define clock_gettime    invented_clock

static int invented_clock(clockid_t clock, struct timespec *now);

#include "subagent/sampler.c"

#define MS INT64_C(1000000)

static int64_t now_ns;
static char said[4096];

static int invented_clock(clockid_t clock, struct timespec *now)
{
    assert_int_equal(clock, CLOCK_MONOTONIC);
    *now = (struct timespec){now_ns / NS_PER_S, now_ns % NS_PER_S};
    return 0;
}

void keep_log(int priority, const char *format, ...)
{
    va_list arguments;
    size_t used = strlen(said);

    (void)priority;
    va_start(arguments, format);
    vsnprintf(said + used, sizeof said - used, format, arguments);
    va_end(arguments);
    strncat(said, "\n", sizeof said - strlen(said) - 1);
}

/* ---- Two invented sources: the first is exact, the second estimates ---- */

struct reader {
    enum reader_open opens;
    bool fails;
    bool restarts;  /* at the next reading */
    bool has_slice; /* after the next reading; only the first source tells peers */
    uint64_t sent;
    uint32_t source;
    int opened;
};

static struct reader first, second;
static struct ring *ring;

static enum reader_open open_it(struct reader *it, struct reader **opened, char *error, size_t size)
{
    if (it->opens == READER_OPEN) {
        it->opened++;
        *opened = it;
    } else
        snprintf(error, size, "no such kernel");
    return it->opens;
}

static enum reader_open open_first(struct reader **opened, const char *argument, char *error,
                                   size_t size)
{
    (void)argument;
    return open_it(&first, opened, error, size);
}

static enum reader_open open_second(struct reader **opened, const char *argument, char *error,
                                    size_t size)
{
    (void)argument;
    return open_it(&second, opened, error, size);
}

static bool read_it(struct reader *it, struct sample *sample, char *error, size_t size)
{
    if (it->fails) {
        snprintf(error, size, "it is gone");
        return false;
    }
    sample_set(sample, COUNTER_SENT, it->sent);
    sample->sources = it->source;
    sample->restarted = it->restarts;
    it->restarts = false;
    return true;
}

static bool read_peers_of_first(struct reader *it, int64_t time_ns, struct peer_slice *slice)
{
    bool told = it->has_slice;
    struct sample sample;
    uint64_t from = 1;

    /* The sample of this reading comes after: who has it, has the slice. */
    while (ring_read(ring, &from, &sample))
        assert_true(sample.time_ns < time_ns);
    it->has_slice = false;
    slice->end_ns = time_ns - 1;
    return told;
}

static void close_it(struct reader *it)
{
    it->opened--;
}

static const struct reader_type first_type = {.name = "first",
                                              .automatic = true,
                                              .open = open_first,
                                              .read = read_it,
                                              .read_peers = read_peers_of_first,
                                              .close = close_it};
static const struct reader_type missing_type = {
    .name = "absent", .automatic = true, .missing = "not in this build"};
static const struct reader_type second_type = {
    .name = "second", .automatic = true, .open = open_second, .read = read_it, .close = close_it};

const struct reader_type *const platform_readers[] = {&first_type, &missing_type, &second_type,
                                                      NULL};

/* ---- The tests ---- */

static struct sampler sampler;
static uint64_t next;
static char error[512];

static int set_up(void **state)
{
    (void)state;
    first = (struct reader){.opens = READER_OPEN, .source = 4};
    second = (struct reader){.opens = READER_OPEN, .source = 1};
    said[0] = error[0] = '\0';
    now_ns = 100 * NS_PER_S;
    ring = ring_create(1);
    next = 1;
    return ring ? 0 : -1;
}

static enum sampler_result open_source(const char *source)
{
    return sampler_open(&sampler, source, error, sizeof error);
}

static void tick_every_100_ms(int64_t for_ms)
{
    for (int64_t end_ns = now_ns + for_ms * MS; now_ns < end_ns; now_ns += 100 * MS)
        sampler_tick(&sampler, ring);
}

static struct sample newest(void)
{
    struct sample sample = {0};

    while (ring_read(ring, &next, &sample))
        ;
    return sample;
}

static void auto_takes_the_best(void **state)
{
    (void)state;
    assert_int_equal(open_source("auto"), SAMPLER_OPEN);
    assert_string_equal(sampler.type->name, "first");
    assert_string_equal(sampler.passed_over, "");
    assert_string_equal(said, "");
}

static void auto_tells_what_it_passed_over(void **state)
{
    (void)state;
    first.opens = READER_FAILED;
    assert_int_equal(open_source("auto"), SAMPLER_OPEN);
    assert_string_equal(sampler.type->name, "second");
    assert_string_equal(sampler.passed_over,
                        "not first: no such kernel; not absent: not in this build");
}

static void auto_without_any_tells_why(void **state)
{
    (void)state;
    first.opens = second.opens = READER_FAILED;
    assert_int_equal(open_source("auto"), SAMPLER_FAILED);
    assert_string_equal(error, "no source: not first: no such kernel; "
                               "not absent: not in this build; not second: no such kernel");
}

static void what_is_taken_is_not_counted_again(void **state)
{
    (void)state;
    first.opens = READER_TAKEN;
    assert_int_equal(open_source("auto"), SAMPLER_FAILED);
    assert_string_equal(error, "no such kernel");
    assert_int_equal(second.opened, 0);
    assert_int_equal(open_source("first"), SAMPLER_FAILED);
}

static void a_source_of_another_build_says_so(void **state)
{
    (void)state;
    assert_int_equal(open_source("absent"), SAMPLER_FAILED);
    assert_string_equal(error, "not in this build");
}

static void a_short_failure_is_waited_for(void **state)
{
    (void)state;
    open_source("auto");
    first.sent = 10;
    tick_every_100_ms(100);
    first.fails = true;
    tick_every_100_ms(900);
    first.fails = false;
    first.sent = 17;
    tick_every_100_ms(100);
    assert_string_equal(sampler.type->name, "first");
    assert_int_equal(newest().counter[COUNTER_SENT], 7);
    assert_string_equal(said, "source first: it is gone\nsource first: reads again\n");
}

static void a_lost_source_is_left_without_a_step(void **state)
{
    struct sample sample;

    (void)state;
    open_source("auto");
    first.sent = 1000;
    second.sent = 90000;
    tick_every_100_ms(100);
    first.sent = 1500;
    tick_every_100_ms(100);
    first.fails = true;
    tick_every_100_ms(1200);
    assert_string_equal(sampler.type->name, "second");
    assert_int_equal(first.opened, 0);
    assert_int_equal(second.opened, 1);

    sample = newest();
    assert_int_equal(sample.counter[COUNTER_SENT], 500);
    assert_int_equal(sample.discontinuities, 1);
    assert_int_equal(sample.sources, 1);
    second.sent = 90003;
    tick_every_100_ms(100);
    sample = newest();
    assert_int_equal(sample.counter[COUNTER_SENT], 503);
    assert_int_equal(sample.discontinuities, 1);
    assert_string_equal(said, "source first: it is gone\n"
                              "source first is given up until a restart; now source second: "
                              "not absent: not in this build\n");
}

static void without_another_source_it_goes_on_trying(void **state)
{
    (void)state;
    second.opens = READER_FAILED;
    open_source("auto");
    tick_every_100_ms(100);
    first.fails = true;
    tick_every_100_ms(3000);
    assert_string_equal(sampler.type->name, "first");
    assert_int_equal(first.opened, 1);
    first.fails = false;
    first.sent = 4;
    tick_every_100_ms(100);
    assert_int_equal(newest().counter[COUNTER_SENT], 4);
    assert_string_equal(said, "source first: it is gone\n"
                              "source first is given up until a restart; now source none: "
                              "not absent: not in this build; not second: no such kernel\n"
                              "source first: reads again\n");
}

static void a_named_source_is_never_left(void **state)
{
    (void)state;
    open_source("first");
    tick_every_100_ms(100);
    first.fails = true;
    tick_every_100_ms(11000);
    assert_string_equal(sampler.type->name, "first");
    assert_int_equal(second.opened, 0);
    assert_int_equal(newest().valid, 0);
}

static void a_source_that_restarts_makes_no_step(void **state)
{
    struct sample sample;

    (void)state;
    open_source("auto");
    first.sent = 5;
    tick_every_100_ms(100);
    first.restarts = true;
    first.sent = 100; /* more than before, yet no growth */
    tick_every_100_ms(100);
    sample = newest();
    assert_int_equal(sample.counter[COUNTER_SENT], 0);
    assert_int_equal(sample.discontinuities, 1);
    first.sent = 101;
    tick_every_100_ms(100);
    assert_int_equal(newest().counter[COUNTER_SENT], 1);
}

static void slices_are_passed_on(void **state)
{
    struct peer_slice slice;
    uint64_t next_slice = 1;

    (void)state;
    open_source("auto");
    first.has_slice = true;
    tick_every_100_ms(300);
    assert_true(ring_read_slice(ring, &next_slice, &slice));
    assert_int_equal(slice.end_ns, 100 * NS_PER_S - 1);
    assert_false(ring_read_slice(ring, &next_slice, &slice));
}

/* One that is to be read only when there is a sample to go with it. */
static void a_reading_that_fails_has_no_slice(void **state)
{
    struct peer_slice slice;
    uint64_t next_slice = 1;

    (void)state;
    open_source("auto");
    first.has_slice = first.fails = true;
    tick_every_100_ms(300);
    assert_false(ring_read_slice(ring, &next_slice, &slice));
    first.fails = false;
    tick_every_100_ms(100);
    assert_true(ring_read_slice(ring, &next_slice, &slice));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(auto_takes_the_best, set_up),
        cmocka_unit_test_setup(auto_tells_what_it_passed_over, set_up),
        cmocka_unit_test_setup(auto_without_any_tells_why, set_up),
        cmocka_unit_test_setup(what_is_taken_is_not_counted_again, set_up),
        cmocka_unit_test_setup(a_source_of_another_build_says_so, set_up),
        cmocka_unit_test_setup(a_short_failure_is_waited_for, set_up),
        cmocka_unit_test_setup(a_lost_source_is_left_without_a_step, set_up),
        cmocka_unit_test_setup(without_another_source_it_goes_on_trying, set_up),
        cmocka_unit_test_setup(a_named_source_is_never_left, set_up),
        cmocka_unit_test_setup(a_source_that_restarts_makes_no_step, set_up),
        cmocka_unit_test_setup(slices_are_passed_on, set_up),
        cmocka_unit_test_setup(a_reading_that_fails_has_no_slice, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
