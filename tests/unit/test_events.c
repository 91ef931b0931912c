/* The event log in memory, and the one line for people. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "subagent/events.h"
#include "subagent/summary.h"

static void add(struct event_log *log, uint32_t number)
{
    event_log_add(log, &(struct event){.number = number, .kind = EVENT_RAISED});
}

static void assert_numbers(const struct event_log *log, uint32_t first, uint32_t last)
{
    uint32_t number = first;

    for (const struct event *event = event_log_after(log, 0); event;
         event = event_log_after(log, event->number))
        assert_int_equal(event->number, number++);
    assert_int_equal(number, last + 1);
}

static void test_empty(void **state)
{
    struct event_log log;

    (void)state;
    assert_true(event_log_open(&log, 10));
    assert_null(event_log_find(&log, 0));
    assert_null(event_log_find(&log, 1));
    assert_null(event_log_after(&log, 0));
    assert_null(event_log_pending(&log));
    assert_int_equal(log.dropped, 0);
    event_log_close(&log);
}

static void test_keeps_the_newest(void **state)
{
    struct event_log log;

    (void)state;
    assert_true(event_log_open(&log, 3));
    for (uint32_t number = 1; number <= 5; number++)
        add(&log, number);
    assert_numbers(&log, 3, 5);
    assert_null(event_log_find(&log, 2));
    assert_int_equal(event_log_find(&log, 3)->number, 3);
    assert_null(event_log_find(&log, 6));
    assert_int_equal(log.dropped, 2);
    event_log_close(&log);
}

/* A log that starts with number 7, as after a restart: what is dropped is counted elsewhere. */
static void test_goes_on(void **state)
{
    struct event_log log;

    (void)state;
    assert_true(event_log_open(&log, 3));
    add(&log, 7);
    add(&log, 8);
    assert_numbers(&log, 7, 8);
    assert_int_equal(log.dropped, 0);
    event_log_close(&log);
}

static void test_gap(void **state)
{
    struct event_log log;

    (void)state;
    assert_true(event_log_open(&log, 10));
    add(&log, 1);
    add(&log, 2);
    add(&log, 5);
    add(&log, 6);
    assert_int_equal(log.newest, 6);
    assert_int_equal(event_log_find(&log, 2)->number, 2);
    assert_null(event_log_find(&log, 3));
    assert_null(event_log_find(&log, 4));
    assert_int_equal(event_log_after(&log, 2)->number, 5);
    assert_int_equal(event_log_after(&log, 3)->number, 5);
    assert_int_equal(event_log_after(&log, 5)->number, 6);
    log.delivered = 2;
    assert_int_equal(event_log_pending(&log)->number, 5);
    assert_int_equal(event_log_pending_count(&log), 2);
    event_log_close(&log);
}

static void test_renumber(void **state)
{
    struct event_log log;

    (void)state;
    assert_true(event_log_open(&log, 3));
    for (uint32_t number = 1; number <= 5; number++)
        add(&log, number);
    event_log_renumber(&log, 5, 100); /* none */
    assert_numbers(&log, 3, 5);
    event_log_renumber(&log, 3, 100);
    assert_int_equal(log.newest, 101);
    assert_int_equal(event_log_after(&log, 0)->number, 3);
    assert_int_equal(event_log_after(&log, 3)->number, 100);
    assert_int_equal(event_log_after(&log, 100)->number, 101);
    assert_null(event_log_find(&log, 4));
    event_log_renumber(&log, 3, 2); /* never below what is there */
    assert_int_equal(event_log_after(&log, 3)->number, 4);
    assert_int_equal(log.newest, 5);
    event_log_close(&log);
}

static void test_numbers_above_all(void **state)
{
    (void)state;
    assert_int_equal(event_number_above_all(INT64_C(1577836800000)), 0);
    assert_int_equal(event_number_above_all(INT64_C(1577836801999)), 1);
    assert_int_equal(event_number_above_all(0), 0);
    assert_int_equal(event_number_above_all(INT64_MAX), 0);
}

static void test_pending(void **state)
{
    struct event_log log;

    (void)state;
    assert_true(event_log_open(&log, 3));
    add(&log, 1);
    add(&log, 2);
    assert_int_equal(event_log_pending(&log)->number, 1);
    assert_int_equal(event_log_pending_count(&log), 2);
    log.delivered = 1;
    assert_int_equal(event_log_pending(&log)->number, 2);
    assert_int_equal(event_log_pending_count(&log), 1);
    log.delivered = 2;
    assert_null(event_log_pending(&log));
    assert_int_equal(event_log_pending_count(&log), 0);
    for (uint32_t number = 3; number <= 9; number++) /* more than there is room for */
        add(&log, number);
    assert_int_equal(event_log_pending(&log)->number, 7);
    assert_int_equal(event_log_pending_count(&log), 3);
    event_log_close(&log);
}

static const struct {
    struct event event;
    bool has_baseline;
    struct counted counted;
    const char *summary;
} summaries[] = {
    {{.kind = EVENT_RAISED,
      .metric = METRIC_RECEIVED,
      .value_centi = 41230,
      .threshold_centi = 5000},
     true,
     {.part = false, .dominant = CAUSE_NONE, .percent = 0},
     "received 412.30/s (limit 50.00)"},
    {{.kind = EVENT_RAISED, .metric = METRIC_SENT, .value_centi = 5001, .threshold_centi = 5000},
     false,
     {.part = false, .dominant = CAUSE_NONE, .percent = 0},
     "sent 50.01/s (limit 50.00), no baseline yet"},
    {{.kind = EVENT_CLEARED,
      .metric = METRIC_RECEIVED,
      .value_centi = 320,
      .threshold_centi = 500,
      .duration_s = 73,
      .peak_centi = 41230},
     true,
     {.part = false, .dominant = CAUSE_NONE, .percent = 0},
     "received back to 3.20/s (limit 5.00) after 73 s, peak 412.30/s"},
    {{.kind = EVENT_CLEARED,
      .metric = METRIC_RECEIVED,
      .value_centi = 9000,
      .threshold_centi = 500,
      .duration_s = 2,
      .peak_centi = 9100},
     true,
     {.part = false, .dominant = CAUSE_NONE, .percent = 0},
     "received alarm switched off at 90.00/s after 2 s"},
    {{.kind = EVENT_SYN_COOKIE_STATE,
      .metric = METRIC_SYN_COOKIES,
      .syn_cookie_state = SYN_COOKIES_ALWAYS},
     true,
     {.part = false, .dominant = CAUSE_NONE, .percent = 0},
     "SYN cookies are now always"},
    {{.kind = EVENT_METHOD, .metric = METRIC_SENT, .method = METHOD_EXACT},
     true,
     {.part = false, .dominant = CAUSE_NONE, .percent = 0},
     "sent is now exact"},
    {{.kind = EVENT_RAISED,
      .metric = METRIC_RECEIVED,
      .value_centi = 41230,
      .threshold_centi = 5000},
     true,
     {.part = false, .dominant = CAUSE_NO_LISTENER, .percent = 93},
     "received 412.30/s (limit 50.00): 93 % refused"},
    {{.kind = EVENT_RAISED,
      .metric = METRIC_RECEIVED,
      .value_centi = 6000,
      .threshold_centi = 5000},
     false,
     {.part = false, .dominant = CAUSE_ABORTED, .percent = 100},
     "received 60.00/s (limit 50.00), no baseline yet: 100 % aborted by the peer"},
    {{.kind = EVENT_RAISED, .metric = METRIC_SENT, .value_centi = 6000, .threshold_centi = 5000},
     true,
     {.part = true, .dominant = CAUSE_ABORTED, .percent = 51},
     "sent of chosen causes 60.00/s (limit 50.00): 51 % aborted here"},
    {{.kind = EVENT_RAISED, .metric = METRIC_SENT, .value_centi = 6000, .threshold_centi = 5000},
     true,
     {.part = true, .dominant = CAUSE_NONE, .percent = 0},
     "sent of chosen causes 60.00/s (limit 50.00)"},
    /* A cause that should not occur in this direction has no phrase, but a name. */
    {{.kind = EVENT_RAISED,
      .metric = METRIC_RECEIVED,
      .value_centi = 6000,
      .threshold_centi = 5000},
     true,
     {.part = false, .dominant = CAUSE_FIREWALL, .percent = 99},
     "received 60.00/s (limit 50.00): 99 % firewall"},
    /* What is left when it clears is not what the peak was made of. */
    {{.kind = EVENT_CLEARED,
      .metric = METRIC_RECEIVED,
      .value_centi = 320,
      .threshold_centi = 500,
      .duration_s = 73,
      .peak_centi = 41230},
     true,
     {.part = true, .dominant = CAUSE_BLIND, .percent = 80},
     "received of chosen causes back to 3.20/s (limit 5.00) after 73 s, peak 412.30/s"},
};

static void test_summaries(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof summaries / sizeof *summaries; i++) {
        char summary[SUMMARY_SIZE];

        summary_of_event(summary, &summaries[i].event, summaries[i].has_baseline,
                         &summaries[i].counted);
        assert_string_equal(summary, summaries[i].summary);
    }
}

static void test_summary_of_alarm(void **state)
{
    struct alarm alarm = alarm_new();
    struct counted counted = {.part = false};
    char summary[SUMMARY_SIZE];

    (void)state;
    summary_of_alarm(summary, METRIC_SENT, &alarm, &counted);
    assert_string_equal(summary, "sent unknown");
    alarm.value_known = true;
    alarm.value_centi = 1234;
    alarm.rising_centi = 5000;
    alarm.falling_centi = 500;
    summary_of_alarm(summary, METRIC_SENT, &alarm, &counted);
    assert_string_equal(summary, "sent 12.34/s (limit 50.00), normal");
    alarm.state = ALARM_RAISED;
    summary_of_alarm(summary, METRIC_SENT, &alarm, &counted);
    assert_string_equal(summary, "sent 12.34/s (limit 5.00), raised");
    counted = (struct counted){.part = true, .dominant = CAUSE_QUEUE_FULL, .percent = 77};
    summary_of_alarm(summary, METRIC_SENT, &alarm, &counted);
    assert_string_equal(
        summary, "sent of chosen causes 12.34/s (limit 5.00), raised: 77 % listen queue full");
    alarm.state = ALARM_CLEARING;
    summary_of_alarm(summary, METRIC_SENT, &alarm, &counted);
    assert_string_equal(
        summary, "sent of chosen causes 12.34/s (limit 5.00), clearing: 77 % listen queue full");
    alarm.state = ALARM_PENDING;
    summary_of_alarm(summary, METRIC_SENT, &alarm, &counted);
    assert_string_equal(summary, "sent of chosen causes 12.34/s (limit 50.00), pending");
    alarm.value_known = false;
    summary_of_alarm(summary, METRIC_SENT, &alarm, &counted);
    assert_string_equal(summary, "sent of chosen causes unknown");
}

/* The longest of each part: nothing is cut. */
static void test_every_cause_has_its_phrase(void **state)
{
    const struct event event = {.kind = EVENT_RAISED,
                                .metric = METRIC_RECEIVED,
                                .value_centi = UINT32_MAX,
                                .threshold_centi = UINT32_MAX};
    char summary[SUMMARY_SIZE];

    (void)state;
    for (enum cause cause = CAUSE_NO_LISTENER; cause < CAUSE_SLOTS; cause++) {
        const struct counted counted = {.part = true, .dominant = cause, .percent = 100};

        summary_of_event(summary, &event, false, &counted);
        assert_ptr_equal(strstr(summary, "received of chosen causes 42949672.95/s (limit "
                                         "42949672.95), no baseline yet: 100 % "),
                         summary);
        assert_true(summary[strlen(summary) - 1] != ' ');
        if (cause == CAUSE_BLIND)
            assert_non_null(strstr(summary, ": 100 % with an unexpected sequence number"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_keeps_the_newest),
        cmocka_unit_test(test_goes_on),
        cmocka_unit_test(test_gap),
        cmocka_unit_test(test_renumber),
        cmocka_unit_test(test_numbers_above_all),
        cmocka_unit_test(test_pending),
        cmocka_unit_test(test_summaries),
        cmocka_unit_test(test_summary_of_alarm),
        cmocka_unit_test(test_every_cause_has_its_phrase),
    };

    return cmocka_run_group_tests_name("events", tests, NULL, NULL);
}
