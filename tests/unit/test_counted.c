/* Which cause stands out of what an alarm counts, and when none does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "subagent/counted.h"

#define S NS_PER_S

static struct history history; /* static: large */

static int start_history(void **state)
{
    (void)state;
    memset(&history, 0, sizeof history);
    return 0;
}

/* How many resets of some causes there have been so far; all others: none. */
struct resets {
    uint64_t refused, aborted, blind;
};

static struct sample received(int64_t time_ns, struct resets resets)
{
    struct sample sample = {.time_ns = time_ns, .cause_method = CAUSES_MEASURED};

    for (enum cause cause = CAUSE_NO_LISTENER; cause < CAUSE_SLOTS; cause++)
        sample_set(&sample, cause_counter(DIRECTION_RECEIVED, cause), 0);
    sample_set(&sample, COUNTER_RECEIVED_NO_LISTENER, resets.refused);
    sample_set(&sample, COUNTER_RECEIVED_ABORTED, resets.aborted);
    sample_set(&sample, COUNTER_RECEIVED_BLIND, resets.blind);
    sample_set(&sample, COUNTER_RECEIVED, resets.refused + resets.aborted + resets.blind);
    return sample;
}

static void push(struct sample sample)
{
    assert_true(history_push(&history, &sample));
}

static struct counted counted_of(enum metric metric, uint32_t causes)
{
    struct alarm_settings settings = settings_default();

    settings.value[SETTING_CAUSES] = causes;
    return counted_in_window(metric, &settings, &history);
}

static void assert_dominant(struct counted counted, enum cause cause, uint32_t percent)
{
    assert_int_equal(counted.dominant, cause);
    assert_int_equal(counted.percent, percent);
}

#define REFUSED (UINT32_C(1) << CAUSE_NO_LISTENER)
#define ABORTED (UINT32_C(1) << CAUSE_ABORTED)
#define BLIND   (UINT32_C(1) << CAUSE_BLIND)

static const struct {
    struct resets resets; /* in the window */
    uint32_t causes;
    enum cause cause;
    uint32_t percent;
} shares[] = {
    {{0, 0, 0}, CAUSE_MASK_ALL, CAUSE_NONE, 0},
    {{1, 0, 0}, CAUSE_MASK_ALL, CAUSE_NO_LISTENER, 100},
    {{500, 500, 0}, CAUSE_MASK_ALL, CAUSE_NONE, 0}, /* half is not more than half */
    {{501, 500, 0}, CAUSE_MASK_ALL, CAUSE_NO_LISTENER, 50},
    {{500, 501, 0}, CAUSE_MASK_ALL, CAUSE_ABORTED, 50},
    {{400, 300, 300}, CAUSE_MASK_ALL, CAUSE_NONE, 0}, /* the most, but not most of all */
    {{10, 10, 980}, CAUSE_MASK_ALL, CAUSE_BLIND, 98},
    {{1, 0, 999999}, CAUSE_MASK_ALL, CAUSE_BLIND, 99}, /* rounded down: not all */
    {{UINT64_C(1) << 60, 0, 7}, CAUSE_MASK_ALL, CAUSE_NO_LISTENER, 99},
    /* What is not counted has no share, and takes none. */
    {{1000, 60, 40}, ABORTED | BLIND, CAUSE_ABORTED, 60},
    {{1000, 50, 50}, ABORTED | BLIND, CAUSE_NONE, 0},
    {{1000, 5, 0}, ABORTED, CAUSE_ABORTED, 100},
    {{1000, 0, 0}, ABORTED, CAUSE_NONE, 0},
    {{1000, 60, 40}, CAUSE_MASK_ALL & ~REFUSED, CAUSE_ABORTED, 60},
};

static void test_more_than_half_stands_out(void **state)
{
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        start_history(state);
        push(received(10 * S, (struct resets){0}));
        push(received(15 * S, shares[i].resets));
        assert_dominant(counted_of(METRIC_RECEIVED, shares[i].causes), shares[i].cause,
                        shares[i].percent);
    }
}

static void test_what_was_before_the_window_does_not_count(void **state)
{
    (void)state;
    push(received(10 * S, (struct resets){0}));
    push(received(11 * S, (struct resets){.refused = 10000}));
    push(received(21 * S, (struct resets){.refused = 10010, .aborted = 20}));
    assert_dominant(counted_of(METRIC_RECEIVED, CAUSE_MASK_ALL), CAUSE_ABORTED, 66);
}

/* One that has been known for longer has no larger a share for it. */
static void test_shares_are_of_the_time_for_which_all_are_known(void **state)
{
    struct sample first = received(10 * S, (struct resets){0});

    (void)state;
    first.valid &= ~counter_bit(COUNTER_RECEIVED_BLIND);
    push(first);
    push(received(15 * S, (struct resets){.refused = 3}));
    push(received(16 * S, (struct resets){.refused = 7, .aborted = 1, .blind = 5}));
    assert_dominant(counted_of(METRIC_RECEIVED, CAUSE_MASK_ALL), CAUSE_NONE, 0);
    push(received(17 * S, (struct resets){.refused = 7, .aborted = 1, .blind = 6}));
    assert_dominant(counted_of(METRIC_RECEIVED, CAUSE_MASK_ALL), CAUSE_BLIND, 54);
}

static void test_causes_that_are_not_measured_do_not_stand_out(void **state)
{
    static const enum cause_method methods[] = {CAUSES_DERIVED, CAUSES_UNKNOWN};

    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        struct sample sample = received(15 * S, (struct resets){.refused = 1000});

        start_history(state);
        sample.cause_method = methods[i];
        push(received(10 * S, (struct resets){0}));
        push(sample);
        assert_dominant(counted_of(METRIC_RECEIVED, CAUSE_MASK_ALL), CAUSE_NONE, 0);
        assert_dominant(counted_of(METRIC_RECEIVED, REFUSED), CAUSE_NONE, 0);
        assert_false(counted_of(METRIC_RECEIVED, REFUSED).part);
    }
}

static void test_each_metric_has_its_own(void **state)
{
    (void)state;
    for (int n = 0; n < 2; n++) {
        struct sample sample = received((10 + n) * S, (struct resets){.refused = 10 * (uint64_t)n});

        sample_set(&sample, COUNTER_SENT_FIREWALL, 3 * (uint64_t)n);
        sample_set(&sample, COUNTER_SENT_UNEXPLAINED, (uint64_t)n);
        sample_set(&sample, COUNTER_SYN_COOKIES_SENT, 50 * (uint64_t)n);
        push(sample);
    }
    assert_dominant(counted_of(METRIC_RECEIVED, CAUSE_MASK_ALL), CAUSE_NO_LISTENER, 100);
    assert_dominant(counted_of(METRIC_SENT, CAUSE_MASK_ALL), CAUSE_FIREWALL, 75);
    assert_dominant(counted_of(METRIC_SENT, UINT32_C(1) << CAUSE_UNEXPLAINED), CAUSE_UNEXPLAINED,
                    100);
    assert_dominant(counted_of(METRIC_SYN_COOKIES, CAUSE_MASK_ALL), CAUSE_NONE, 0);
}

static void test_a_part_is_told(void **state)
{
    (void)state;
    push(received(10 * S, (struct resets){0}));
    assert_false(counted_of(METRIC_RECEIVED, CAUSE_MASK_ALL).part);
    assert_true(counted_of(METRIC_RECEIVED, CAUSE_MASK_ALL & ~ABORTED).part);
    assert_false(counted_of(METRIC_SENT, CAUSE_MASK_ALL & ~ABORTED).part); /* not measured */
}

/* ---- The peer ---- */

static struct peer_window window;

static struct counted peer_of(enum metric metric, uint32_t causes)
{
    struct counted counted = counted_of(metric, causes);

    counted_add_peer(&counted, metric, &history, &window);
    return counted;
}

#define RESETS 1000

/* 1000 resets received in the window; of what is ranked so many are the first peer's. */
static void fill_peers(uint32_t first, uint32_t total)
{
    struct sample sample = received(15 * S, (struct resets){.refused = RESETS});

    start_history(NULL);
    sample.peers_known = true;
    push(received(10 * S, (struct resets){0}));
    push(sample);
    window = (struct peer_window){
        .totals[PEERS_RECEIVED] = total,
        .counts[PEERS_RECEIVED] = 1,
        .peers[PEERS_RECEIVED] = {{.version = 4, .port = 443, .count = first}},
    };
}

static void test_a_peer_with_more_than_half_stands_out(void **state)
{
    static const struct {
        uint32_t first, total, count, percent;
    } cases[] = {
        {RESETS, RESETS, RESETS, 100},
        {501, RESETS, 501, 50},
        {500, RESETS, 0, 0},
        {501, 501, 501, 100}, /* what came since has not been told by peer */
        {500, 500, 0, 0},     /* it may all be another's */
        {800, 1600, 0, 0},    /* what is told goes further back */
        {801, 1600, 801, 50},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fill_peers(cases[i].first, cases[i].total);

        struct counted counted = peer_of(METRIC_RECEIVED, CAUSE_MASK_ALL);

        assert_int_equal(counted.peer.count, cases[i].count);
        assert_int_equal(counted.peer_percent, cases[i].percent);
        assert_int_equal(counted.peer.port, cases[i].count > 0 ? 443 : 0);
    }
}

static void test_peers_are_of_all_causes_and_of_their_direction(void **state)
{
    (void)state;
    fill_peers(RESETS, RESETS);
    assert_int_equal(peer_of(METRIC_RECEIVED, CAUSE_MASK_ALL & ~ABORTED).peer.count, 0);
    assert_int_equal(peer_of(METRIC_SENT, CAUSE_MASK_ALL).peer.count, 0);
    assert_int_equal(peer_of(METRIC_SYN_COOKIES, CAUSE_MASK_ALL).peer.count, 0);
    window.totals[PEERS_SENT] = RESETS;
    window.counts[PEERS_SENT] = 1;
    window.peers[PEERS_SENT][0] = window.peers[PEERS_RECEIVED][0];
    assert_int_equal(peer_of(METRIC_SENT, CAUSE_MASK_ALL).peer.count, RESETS);
    assert_int_equal(peer_of(METRIC_SYN_COOKIES, CAUSE_MASK_ALL).peer.count, 0);
}

/* What was told before a source was lost is not of now. */
static void test_a_source_without_peers_has_none(void **state)
{
    (void)state;
    fill_peers(RESETS, RESETS);
    push(received(16 * S, (struct resets){.refused = RESETS}));
    assert_int_equal(peer_of(METRIC_RECEIVED, CAUSE_MASK_ALL).peer.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_more_than_half_stands_out),
        cmocka_unit_test_setup(test_what_was_before_the_window_does_not_count, start_history),
        cmocka_unit_test_setup(test_shares_are_of_the_time_for_which_all_are_known, start_history),
        cmocka_unit_test(test_causes_that_are_not_measured_do_not_stand_out),
        cmocka_unit_test_setup(test_each_metric_has_its_own, start_history),
        cmocka_unit_test_setup(test_a_part_is_told, start_history),
        cmocka_unit_test(test_a_peer_with_more_than_half_stands_out),
        cmocka_unit_test(test_peers_are_of_all_causes_and_of_their_direction),
        cmocka_unit_test(test_a_source_without_peers_has_none),
    };

    return cmocka_run_group_tests_name("counted", tests, NULL, NULL);
}
