/*
 * Resets received, estimated from kernel counters. The growths of each case were
 * measured with real packets on Linux 6.18, 100 events a case.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/estimate.h"

struct growths {
    uint64_t failed, reset, on_data, on_close, on_timeout, on_linger, on_memory, embryonic, sent;
};

static struct sample reading(struct growths at)
{
    struct sample sample = {0};

    sample_set(&sample, COUNTER_ATTEMPT_FAILS, 1000 + at.failed);
    sample_set(&sample, COUNTER_ESTAB_RESETS, 2000 + at.reset);
    sample_set(&sample, COUNTER_ABORTS_ON_DATA, 3000 + at.on_data);
    sample_set(&sample, COUNTER_ABORTS_ON_CLOSE, 4000 + at.on_close);
    sample_set(&sample, COUNTER_ABORTS_ON_TIMEOUT, 5000 + at.on_timeout);
    sample_set(&sample, COUNTER_ABORTS_ON_LINGER, 6000 + at.on_linger);
    sample_set(&sample, COUNTER_ABORTS_ON_MEMORY, 7000 + at.on_memory);
    sample_set(&sample, COUNTER_EMBRYONIC, 8000 + at.embryonic);
    sample_set(&sample, COUNTER_SENT, 9000 + at.sent);
    return sample;
}

static bool next(struct estimate *estimate, struct growths at)
{
    struct sample sample = reading(at);

    return estimate_next(estimate, &sample);
}

static void cases_that_were_measured(void **state)
{
    static const struct {
        const char *what;
        struct growths growths;
        uint64_t received; /* by the estimate; by the hook, if that differs, in the comment */
    } cases[] = {
        {"connect to a closed port", {.failed = 100}, 100},
        {"peer aborts", {.reset = 100}, 100},
        {"own abort, SO_LINGER 0", {.reset = 100, .on_data = 100}, 0},
        {"own close with unread data", {.reset = 100, .on_close = 100}, 0},
        {"RST for a half-open connection", {.failed = 100}, 100},
        {"connect timeout", {.failed = 100, .on_timeout = 100}, 0},
        {"keepalive timeout", {.reset = 100, .on_timeout = 100}, 0},
        {"retransmission timeout", {.reset = 100, .on_timeout = 100}, 0},
        {"timeout in FIN_WAIT1", {.on_timeout = 100}, 0},
        {"data after close, full socket", {.on_data = 100}, 0},
        {"TCP_LINGER2 -1", {.on_data = 100}, 0},
        {"TCP_LINGER2 -1, FIN acknowledged", {.on_linger = 100}, 0},
        {"shutdown, then close with unread data", {.on_close = 100}, 0},
        {"orphan limit", {.on_memory = 100}, 0},
        {"refused, and own aborts", {.failed = 100, .reset = 100, .on_data = 100}, 100},
        {"refused, and connect timeouts", {.failed = 200, .on_timeout = 100}, 100},
        {"peer aborts, and own ones", {.reset = 200, .on_data = 100}, 100},
        {"refused, and data after close", {.failed = 100, .on_data = 100}, 100},
        {"peer aborts, and orphan limit", {.reset = 100, .on_memory = 100}, 100},
        {"peer aborts, and TCP_LINGER2 -1", {.reset = 100, .on_linger = 100}, 100},
        {"connect, ICMP unreachable", {.failed = 100}, 100},                      /* 0 */
        {"own abort without a counter, ss -K", {.reset = 100}, 100},              /* 0 */
        {"peer aborts, and data after close", {.reset = 100, .on_data = 100}, 0}, /* 100 */
    };

    (void)state;
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        struct estimate estimate = {0};

        assert_true(next(&estimate, (struct growths){0}));
        assert_int_equal(estimate.received, 0);
        assert_true(next(&estimate, cases[n].growths));
        if (estimate.received != cases[n].received)
            fail_msg("%s: %llu", cases[n].what, (unsigned long long)estimate.received);
    }
}

static void it_only_grows(void **state)
{
    struct estimate estimate = {0};

    (void)state;
    next(&estimate, (struct growths){0});
    next(&estimate, (struct growths){.reset = 30});
    assert_int_equal(estimate.received, 30);
    next(&estimate, (struct growths){.reset = 30, .on_data = 500, .on_timeout = 500});
    assert_int_equal(estimate.received, 30);
    next(&estimate, (struct growths){.reset = 30, .on_data = 500, .on_timeout = 500});
    next(&estimate, (struct growths){.reset = 31, .on_data = 500, .on_timeout = 500});
    assert_int_equal(estimate.received, 31);
}

static void without_a_required_counter_there_is_none(void **state)
{
    static const enum counter required[] = {COUNTER_ATTEMPT_FAILS, COUNTER_ESTAB_RESETS};

    (void)state;
    for (size_t n = 0; n < 2; n++) {
        struct estimate estimate = {0};
        struct sample sample = reading((struct growths){.failed = 10, .reset = 10});

        next(&estimate, (struct growths){0});
        sample.valid &= ~(UINT64_C(1) << required[n]);
        assert_false(estimate_next(&estimate, &sample));
        assert_int_equal(estimate.received, 0);
        /* The next reading makes up for it. */
        assert_true(next(&estimate, (struct growths){.failed = 15, .reset = 15}));
        assert_int_equal(estimate.received, 30);
    }
}

static void missing_aborts_do_not_grow(void **state)
{
    struct estimate estimate = {0};
    struct sample sample = {0};

    (void)state;
    sample_set(&sample, COUNTER_ATTEMPT_FAILS, 1);
    sample_set(&sample, COUNTER_ESTAB_RESETS, 1);
    assert_true(estimate_next(&estimate, &sample));
    sample_set(&sample, COUNTER_ATTEMPT_FAILS, 3);
    sample_set(&sample, COUNTER_ESTAB_RESETS, 4);
    assert_true(estimate_next(&estimate, &sample));
    assert_int_equal(estimate.received, 5);
    /* One that appears has only just begun to be known. */
    sample_set(&sample, COUNTER_ESTAB_RESETS, 9);
    sample_set(&sample, COUNTER_ABORTS_ON_DATA, 1000);
    assert_true(estimate_next(&estimate, &sample));
    assert_int_equal(estimate.received, 10);
}

static void a_step_backwards_is_no_growth(void **state)
{
    struct estimate estimate = {0};

    (void)state;
    next(&estimate, (struct growths){.failed = 50, .reset = 50});
    next(&estimate, (struct growths){.failed = 3, .reset = 60});
    assert_int_equal(estimate.received, 10);
    next(&estimate, (struct growths){.failed = 5, .reset = 60});
    assert_int_equal(estimate.received, 12);
}

static uint64_t by_cause(const struct estimate *estimate, enum counter id)
{
    assert_true(sample_has(&estimate->by_cause, id));
    return estimate->by_cause.counter[id];
}

static void causes_as_far_as_counters_tell(void **state)
{
    static const struct {
        const char *what;
        struct growths growths;
        uint64_t refused, aborted, in_handshake;         /* received */
        uint64_t own_aborts, out_of_memory, unexplained; /* sent */
    } cases[] = {
        {"refused", {.failed = 100}, 100, 0, 0, 0, 0, 0},
        {"peer aborts", {.reset = 100}, 0, 100, 0, 0, 0, 0},
        {"RST in the handshake", {.failed = 100, .embryonic = 100}, 0, 0, 100, 0, 0, 0},
        {"connect timeouts beside", {.failed = 150, .on_timeout = 50}, 100, 0, 0, 0, 0, 0},
        {"keepalive timeouts", {.reset = 100, .on_timeout = 100, .sent = 100}, 0, 0, 0, 0, 0, 100},
        {"SO_LINGER 0", {.reset = 9, .on_data = 9, .sent = 9}, 0, 0, 0, 9, 0, 0},
        {"unread data", {.reset = 9, .on_close = 9, .sent = 9}, 0, 0, 0, 9, 0, 0},
        {"TCP_LINGER2 -1", {.on_linger = 9, .sent = 9}, 0, 0, 0, 9, 0, 0},
        {"orphan limit", {.on_memory = 9, .sent = 9}, 0, 0, 0, 0, 9, 0},
        {"no listener", {.sent = 9}, 0, 0, 0, 0, 0, 9},
        {"aborts that were not sent", {.reset = 9, .on_data = 9, .sent = 5}, 0, 0, 0, 9, 0, 0},
    };

    (void)state;
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        struct estimate estimate = {0};

        next(&estimate, (struct growths){0});
        next(&estimate, cases[n].growths);
        print_message("%s\n", cases[n].what);
        assert_int_equal(by_cause(&estimate, COUNTER_RECEIVED_NO_LISTENER), cases[n].refused);
        assert_int_equal(by_cause(&estimate, COUNTER_RECEIVED_ABORTED), cases[n].aborted);
        assert_int_equal(by_cause(&estimate, COUNTER_RECEIVED_HANDSHAKE_ABORTED),
                         cases[n].in_handshake);
        assert_int_equal(by_cause(&estimate, COUNTER_SENT_ABORTED), cases[n].own_aborts);
        assert_int_equal(by_cause(&estimate, COUNTER_SENT_MEMORY), cases[n].out_of_memory);
        assert_int_equal(by_cause(&estimate, COUNTER_SENT_UNEXPLAINED), cases[n].unexplained);
        assert_int_equal(estimate.received,
                         cases[n].refused + cases[n].aborted + cases[n].in_handshake);
        /* Nobody else counts these: nothing remains. */
        assert_false(sample_has(&estimate.by_cause, COUNTER_RECEIVED_UNEXPLAINED));
    }
}

static void what_another_source_counted_and_no_counter_tells_remains(void **state)
{
    struct estimate estimate = {0};
    struct sample sample = reading((struct growths){0});

    (void)state;
    sample_set(&sample, COUNTER_RECEIVED, 500);
    estimate_next(&estimate, &sample);
    assert_int_equal(by_cause(&estimate, COUNTER_RECEIVED_UNEXPLAINED), 0);

    sample = reading((struct growths){.failed = 10});
    sample_set(&sample, COUNTER_RECEIVED, 530);
    estimate_next(&estimate, &sample);
    assert_int_equal(by_cause(&estimate, COUNTER_RECEIVED_UNEXPLAINED), 20);

    /* Counted first, told later: what remains does not become less. */
    sample = reading((struct growths){.failed = 15});
    sample_set(&sample, COUNTER_RECEIVED, 530);
    estimate_next(&estimate, &sample);
    assert_int_equal(by_cause(&estimate, COUNTER_RECEIVED_UNEXPLAINED), 20);
    sample = reading((struct growths){.failed = 15});
    sample_set(&sample, COUNTER_RECEIVED, 537);
    estimate_next(&estimate, &sample);
    assert_int_equal(by_cause(&estimate, COUNTER_RECEIVED_UNEXPLAINED), 22);
}

/* The kernel's texts are read one after the other. */
static void what_moves_between_two_texts_is_no_reset(void **state)
{
    static const struct {
        struct growths first, then;
    } cases[] = {
        {{.on_close = 1}, {.on_close = 1, .reset = 1}},
        {{.on_data = 3, .reset = 2}, {.on_data = 3, .reset = 3}},
        {{.on_timeout = 1}, {.on_timeout = 1, .failed = 1}},
        {{.on_timeout = 1}, {.on_timeout = 1, .reset = 1}},
    };

    (void)state;
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        struct estimate estimate = {0};

        next(&estimate, (struct growths){0});
        next(&estimate, cases[n].first);
        next(&estimate, cases[n].then);
        assert_int_equal(estimate.received, 0);
    }
}

static void a_cause_that_is_read_early_is_kept(void **state)
{
    struct estimate estimate = {0};

    (void)state;
    next(&estimate, (struct growths){0});
    next(&estimate, (struct growths){.embryonic = 1});
    next(&estimate, (struct growths){.embryonic = 1, .failed = 1});
    assert_int_equal(by_cause(&estimate, COUNTER_RECEIVED_HANDSHAKE_ABORTED), 1);
    assert_int_equal(by_cause(&estimate, COUNTER_RECEIVED_NO_LISTENER), 0);
}

static void but_only_for_one_reading(void **state)
{
    struct estimate estimate = {0};

    (void)state;
    next(&estimate, (struct growths){0});
    next(&estimate, (struct growths){.on_data = 5}); /* after a close: these are no EstabResets */
    next(&estimate, (struct growths){.on_data = 5});
    next(&estimate, (struct growths){.on_data = 5, .reset = 5});
    assert_int_equal(estimate.received, 5);
}

static void causes_without_their_counter_are_unknown(void **state)
{
    struct estimate estimate = {0};
    struct sample sample = {0}, out = {0};

    (void)state;
    sample_set(&sample, COUNTER_ATTEMPT_FAILS, 1);
    estimate_next(&estimate, &sample);
    estimate_set_causes(&estimate, &out);
    assert_int_equal(out.valid, 0);
    assert_int_equal(out.cause_method, CAUSES_UNKNOWN);

    sample_set(&sample, COUNTER_ESTAB_RESETS, 1);
    estimate_next(&estimate, &sample);
    estimate_set_causes(&estimate, &out);
    assert_int_equal(out.valid, UINT64_C(1) << COUNTER_RECEIVED_NO_LISTENER |
                                    UINT64_C(1) << COUNTER_RECEIVED_ABORTED);
    assert_int_equal(out.cause_method, CAUSES_DERIVED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases_that_were_measured),
        cmocka_unit_test(it_only_grows),
        cmocka_unit_test(causes_as_far_as_counters_tell),
        cmocka_unit_test(what_another_source_counted_and_no_counter_tells_remains),
        cmocka_unit_test(what_moves_between_two_texts_is_no_reset),
        cmocka_unit_test(a_cause_that_is_read_early_is_kept),
        cmocka_unit_test(but_only_for_one_reading),
        cmocka_unit_test(causes_without_their_counter_are_unknown),
        cmocka_unit_test(without_a_required_counter_there_is_none),
        cmocka_unit_test(missing_aborts_do_not_grow),
        cmocka_unit_test(a_step_backwards_is_no_growth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
