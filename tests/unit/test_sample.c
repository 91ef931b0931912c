/* Growth of a counter, and one continuous stream of what readers deliver. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "platform/sample.h"

#define LISTEN COUNTER_LISTEN_DROPS

static const uint32_t procfs = UINT32_C(1) << SOURCE_PROCFS;
static const uint32_t replay = UINT32_C(1) << SOURCE_REPLAY;

static struct continuity stream;
static struct sample out;

static struct sample reading(int64_t time_ns)
{
    return (struct sample){.time_ns = time_ns, .sources = procfs};
}

static void pass(struct sample read)
{
    continuity_next(&stream, &read, &out);
}

/* Passes a reading that has only `id`. */
static void pass_one(int64_t time_ns, enum counter id, uint64_t value)
{
    struct sample read = reading(time_ns);

    sample_set(&read, id, value);
    pass(read);
}

static void assert_counter(enum counter id, uint64_t value)
{
    assert_true(sample_has(&out, id));
    assert_int_equal(out.counter[id], value);
}

static void assert_discontinuities(uint32_t count, int64_t newest_ns)
{
    assert_int_equal(out.discontinuities, count);
    assert_int_equal(out.discontinuity_ns, newest_ns);
}

static int new_stream(void **state)
{
    (void)state;
    memset(&stream, 0, sizeof stream);
    memset(&out, 0xff, sizeof out);
    return 0;
}

static void names_are_those_of_the_table(void **state)
{
    (void)state;
    assert_string_equal(counter_names[COUNTER_RECEIVED], "tcpResetReceived");
    assert_string_equal(counter_names[COUNTER_SYN_QUEUE_FULL_DROPS], "tcpResetSynQueueFullDrops");
    for (int id = 0; id < COUNTER_COUNT; id++)
        assert_non_null(counter_names[id]);
}

static void growth_is_modulo_2_64(void **state)
{
    static const struct {
        uint64_t before, now, growth;
        bool backwards;
    } cases[] = {
        {0, 0, 0, false},
        {5, 12, 7, false},
        {UINT64_MAX, 0, 1, false},
        {UINT64_MAX - 4, 5, 10, false},
        {0, INT64_MAX, INT64_MAX, false},
        {0, UINT64_C(1) << 63, 0, true},
        {0, UINT64_MAX, 0, true},
        {1, 0, 0, true},
        {UINT32_MAX, 3, 0, true}, /* a wrap of 32 bits cannot be told from a step backwards */
    };
    (void)state;
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        bool backwards = false;

        assert_int_equal(counter_growth(cases[n].before, cases[n].now, &backwards),
                         cases[n].growth);
        assert_int_equal(backwards, cases[n].backwards);
    }
}

static void growth_forward_leaves_the_flag(void **state)
{
    bool backwards = true;

    (void)state;
    counter_growth(1, 2, &backwards);
    assert_true(backwards);
}

static void first_sample_counts_resets_from_zero(void **state)
{
    struct sample read = reading(1000);

    (void)state;
    for (enum counter id = 0; id < COUNTER_COUNT; id++)
        sample_set(&read, id, 500 + id);
    pass(read);
    for (enum counter id = 0; id < COUNTER_COUNT; id++)
        assert_counter(id, id <= COUNTER_SENT_IPV6 || id >= COUNTER_BY_CAUSE ? 0 : 500 + id);
    assert_discontinuities(0, 1000);
}

static void counters_grow_as_in_the_reader(void **state)
{
    (void)state;
    pass_one(1, COUNTER_SENT, 500);
    pass_one(2, COUNTER_SENT, 507);
    assert_counter(COUNTER_SENT, 7);
    pass_one(3, COUNTER_SENT, 507);
    assert_counter(COUNTER_SENT, 7);
    pass_one(4, COUNTER_SENT, 600);
    assert_counter(COUNTER_SENT, 100);
    assert_discontinuities(0, 1);
}

static void a_wrap_is_growth(void **state)
{
    (void)state;
    pass_one(1, LISTEN, UINT64_MAX - 1);
    pass_one(2, LISTEN, 3);
    assert_counter(LISTEN, 3);
    assert_discontinuities(0, 1);
}

static void a_step_backwards_stands_still(void **state)
{
    (void)state;
    pass_one(1, LISTEN, 100);
    pass_one(2, LISTEN, 40);
    assert_counter(LISTEN, 100);
    assert_discontinuities(1, 2);
    pass_one(3, LISTEN, 45);
    assert_counter(LISTEN, 105);
    assert_discontinuities(1, 2);
}

static void many_steps_in_a_sample_count_once(void **state)
{
    struct sample read = reading(1);

    (void)state;
    for (enum counter id = 0; id < COUNTER_COUNT; id++)
        sample_set(&read, id, 100);
    pass(read);
    for (enum counter id = 0; id < COUNTER_COUNT; id++)
        sample_set(&read, id, id == LISTEN ? 101 : 10);
    read.time_ns = 2;
    pass(read);
    assert_counter(LISTEN, 101);
    assert_counter(COUNTER_LISTEN_OVERFLOWS, 100);
    assert_discontinuities(1, 2);
    for (enum counter id = 0; id < COUNTER_COUNT; id++)
        sample_set(&read, id, 1);
    read.time_ns = 3;
    pass(read);
    assert_discontinuities(2, 3);
}

static void another_source_rebases_everything(void **state)
{
    struct sample read = reading(1);

    (void)state;
    sample_set(&read, LISTEN, 100);
    sample_set(&read, COUNTER_SENT, 50);
    pass(read);
    read = reading(2);
    read.sources = procfs | replay;
    sample_set(&read, LISTEN, 9000);
    sample_set(&read, COUNTER_SENT, 70);
    pass(read);
    assert_counter(LISTEN, 100);
    assert_counter(COUNTER_SENT, 0);
    assert_int_equal(out.sources, procfs | replay);
    assert_discontinuities(1, 2);
    read.time_ns = 3;
    sample_set(&read, LISTEN, 9001);
    sample_set(&read, COUNTER_SENT, 75);
    pass(read);
    assert_counter(LISTEN, 101);
    assert_counter(COUNTER_SENT, 5);
    assert_discontinuities(1, 2);
}

static void another_source_and_a_step_count_once(void **state)
{
    struct sample read = reading(2);

    (void)state;
    pass_one(1, LISTEN, 100);
    read.sources = replay;
    sample_set(&read, LISTEN, 3);
    pass(read);
    assert_counter(LISTEN, 100);
    assert_discontinuities(1, 2);
}

static void a_missing_counter_continues_when_it_is_back(void **state)
{
    (void)state;
    pass_one(1, LISTEN, 100);
    pass_one(2, COUNTER_SENT, 1);
    assert_false(sample_has(&out, LISTEN));
    pass_one(3, LISTEN, 130);
    assert_counter(LISTEN, 130);
    assert_false(sample_has(&out, COUNTER_SENT));
    assert_discontinuities(0, 1);
}

static void a_counter_missing_over_a_change_of_source_has_no_growth(void **state)
{
    struct sample read = reading(2);

    (void)state;
    pass_one(1, LISTEN, 100);
    read.sources = replay;
    pass(read);
    assert_discontinuities(1, 2);
    read.time_ns = 3;
    sample_set(&read, LISTEN, 7777);
    pass(read);
    assert_counter(LISTEN, 100);
    assert_discontinuities(1, 2);
    read.time_ns = 4;
    sample_set(&read, LISTEN, 7780);
    pass(read);
    assert_counter(LISTEN, 103);
}

static void a_counter_that_comes_late_starts_as_at_first(void **state)
{
    struct sample read = reading(2);

    (void)state;
    pass(reading(1));
    assert_int_equal(out.valid, 0);
    sample_set(&read, COUNTER_RECEIVED, 40);
    sample_set(&read, LISTEN, 40);
    pass(read);
    assert_counter(COUNTER_RECEIVED, 0);
    assert_counter(LISTEN, 40);
    assert_discontinuities(0, 1);
}

static void everything_else_is_passed_on(void **state)
{
    struct sample read = {
        .sequence = 7,
        .time_ns = 99,
        .sources = replay,
        .read_failures = 3,
        .received_method = METHOD_EXACT,
        .sent_method = METHOD_ESTIMATED,
        .syn_cookie_state = SYN_COOKIES_ALWAYS,
    };

    (void)state;
    pass(read);
    read.sequence = 8;
    read.time_ns = 100;
    read.received_method = METHOD_ESTIMATED;
    pass(read);
    assert_int_equal(out.sequence, 8);
    assert_int_equal(out.time_ns, 100);
    assert_int_equal(out.sources, replay);
    assert_int_equal(out.read_failures, 3);
    assert_int_equal(out.received_method, METHOD_ESTIMATED);
    assert_int_equal(out.sent_method, METHOD_ESTIMATED);
    assert_int_equal(out.syn_cookie_state, SYN_COOKIES_ALWAYS);
    assert_discontinuities(0, 99);
}

static void a_sample_may_be_continued_in_place(void **state)
{
    struct sample sample = reading(1);

    (void)state;
    sample_set(&sample, COUNTER_SENT, 20);
    continuity_next(&stream, &sample, &sample);
    assert_int_equal(sample.counter[COUNTER_SENT], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_those_of_the_table),
        cmocka_unit_test(growth_is_modulo_2_64),
        cmocka_unit_test(growth_forward_leaves_the_flag),
        cmocka_unit_test_setup(first_sample_counts_resets_from_zero, new_stream),
        cmocka_unit_test_setup(counters_grow_as_in_the_reader, new_stream),
        cmocka_unit_test_setup(a_wrap_is_growth, new_stream),
        cmocka_unit_test_setup(a_step_backwards_stands_still, new_stream),
        cmocka_unit_test_setup(many_steps_in_a_sample_count_once, new_stream),
        cmocka_unit_test_setup(another_source_rebases_everything, new_stream),
        cmocka_unit_test_setup(another_source_and_a_step_count_once, new_stream),
        cmocka_unit_test_setup(a_missing_counter_continues_when_it_is_back, new_stream),
        cmocka_unit_test_setup(a_counter_missing_over_a_change_of_source_has_no_growth, new_stream),
        cmocka_unit_test_setup(a_counter_that_comes_late_starts_as_at_first, new_stream),
        cmocka_unit_test_setup(everything_else_is_passed_on, new_stream),
        cmocka_unit_test_setup(a_sample_may_be_continued_in_place, new_stream),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
