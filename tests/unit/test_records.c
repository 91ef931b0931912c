/* Evidence from the rings of records: each reset once, thinned in a flood, what is left out
 * counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "platform/Linux/records.h"

#define S     INT64_C(1000000000)
#define START (100 * S)
#define TCP   20 /* offset of the TCP header */

static struct count_ring rings[COUNT_RECORD_KINDS];
static struct records_reader reader;
static struct evidence evidence;
static unsigned long long time_ns;
static uint64_t counted[COUNT_DIRECTIONS];
static uint64_t missed_of[3]; /* by enum direction, of the newest read_all() */

static int begin(void **state)
{
    (void)state;
    memset(rings, 0, sizeof rings);
    memset(counted, 0, sizeof counted);
    records_open(&reader, rings);
    time_ns = (unsigned long long)START;
    records_begin(&reader, counted, START);
    return records_read(&reader, &evidence) ? -1 : 0;
}

static struct count_record *put(enum count_record_kind kind, unsigned char direction,
                                unsigned char source, unsigned char destination)
{
    unsigned long long number = ++rings[kind].newest;
    struct count_record *record = &rings[kind].records[number % COUNT_RECORDS];

    memset(record, 0, sizeof *record);
    record->number = number;
    record->time_ns = ++time_ns;
    record->direction = direction;
    record->tcp = TCP;
    record->header_size = TCP + 20;
    record->length = TCP + 20;
    record->headers[0] = 0x45;
    record->headers[12] = record->headers[TCP + 1] = source;
    record->headers[16] = destination;
    counted[direction] += kind == COUNT_RECORD_RESET;
    record->headers[TCP + 3] = destination;
    return record;
}

static void put_received(int count)
{
    for (int n = 0; n < count; n++)
        put(COUNT_RECORD_RESET, COUNT_RECEIVED, 1, 2);
}

/* How many resets are passed on now, the last one to evidence; what was missed goes to *missed. */
static uint64_t read_all(int64_t now_ns, uint64_t *missed)
{
    struct evidence read;
    uint64_t count = 0;

    memset(missed_of, 0, sizeof missed_of);
    records_begin(&reader, counted, now_ns);
    while (records_read(&reader, &read)) {
        if (read.kind == EVIDENCE_MISSED) {
            assert_int_equal(read.time_ns, now_ns);
            missed_of[read.direction] += read.missed;
            continue;
        }
        evidence = read;
        count++;
    }
    *missed = missed_of[DIRECTION_RECEIVED] + missed_of[DIRECTION_SENT];
    return count;
}

static void each_is_passed_on_once(void **state)
{
    uint64_t missed;

    (void)state;
    assert_int_equal(read_all(START, &missed), 0);
    put_received(3);
    assert_int_equal(read_all(START + S, &missed), 3);
    assert_int_equal(missed, 0);
    assert_int_equal(evidence.kind, EVIDENCE_RESET);
    assert_int_equal(evidence.direction, DIRECTION_RECEIVED);
    assert_int_equal(evidence.header_size, TCP + 20);
    assert_int_equal(evidence.time_ns, time_ns);
    assert_int_equal(read_all(START + 2 * S, &missed), 0);
}

static void a_trigger_stands_before_its_answer(void **state)
{
    (void)state;
    put(COUNT_RECORD_TRIGGER, COUNT_RECEIVED, 7, 8); /* its answer never left */
    put(COUNT_RECORD_TRIGGER, COUNT_RECEIVED, 1, 2);
    put(COUNT_RECORD_RESET, COUNT_SENT, 2, 1);
    put(COUNT_RECORD_RESET, COUNT_SENT, 2, 1); /* an abort: answers nothing */
    put(COUNT_RECORD_TRIGGER, COUNT_RECEIVED, 3, 4);
    records_begin(&reader, counted, START + S);
    assert_true(records_read(&reader, &evidence));
    assert_int_equal(evidence.kind, EVIDENCE_TRIGGER);
    assert_int_equal(evidence.direction, DIRECTION_RECEIVED);
    assert_int_equal(evidence.headers[TCP + 1], 1);
    assert_true(records_read(&reader, &evidence));
    assert_int_equal(evidence.kind, EVIDENCE_RESET);
    assert_int_equal(evidence.direction, DIRECTION_SENT);
    assert_true(records_read(&reader, &evidence));
    assert_int_equal(evidence.kind, EVIDENCE_RESET);
    assert_false(records_read(&reader, &evidence));

    put(COUNT_RECORD_RESET, COUNT_SENT, 4, 3);
    records_begin(&reader, counted, START + 2 * S);
    assert_true(records_read(&reader, &evidence));
    assert_int_equal(evidence.kind, EVIDENCE_TRIGGER);
}

static void what_is_written_over_is_missed(void **state)
{
    uint64_t missed, passed;

    (void)state;
    put_received(3 * COUNT_RECORDS + 7);
    passed = read_all(START + S, &missed);
    assert_in_range(passed, COUNT_RECORDS / 2, COUNT_RECORDS);
    assert_int_equal(passed + missed, 3 * COUNT_RECORDS + 7);
}

/* 2,000 in each of 100 tenths of a second: the burst first, then 50 each, all the time. */
static void a_flood_is_thinned_evenly_and_counted(void **state)
{
    uint64_t passed = 0, last = 0, missed;

    (void)state;
    for (int n = 1; n <= 100; n++) {
        put_received(2000);
        last = read_all(START + n * S / 10, &missed);
        passed += last;
        assert_true(last > 0);
        assert_int_equal(last + missed, 2000);
    }
    assert_in_range(passed, 8192 + 4500, 8192 + 5100);
    assert_in_range(last, 40, 60);
}

/* Three are sent for each one received. */
static void what_is_missed_is_told_by_direction(void **state)
{
    uint64_t missed, passed;

    (void)state;
    for (int n = 0; n < COUNT_RECORDS; n++) {
        put(COUNT_RECORD_RESET, n % 4 ? COUNT_SENT : COUNT_RECEIVED, 1, 2);
        put(COUNT_RECORD_RESET, n % 4 ? COUNT_SENT : COUNT_RECEIVED, 1, 2);
    }
    passed = read_all(START + S, &missed);
    assert_int_equal(passed + missed, 2 * COUNT_RECORDS);
    assert_in_range(passed, COUNT_RECORDS - 64, COUNT_RECORDS - 1);
    /* The newest of both, so the missed ones are the oldest, one in four. */
    assert_in_range(missed_of[DIRECTION_RECEIVED], missed / 4, missed / 4 + 2);
}

/* One that is recorded, but not counted yet when the daemon counts. */
static void one_that_is_counted_later_is_not_missed(void **state)
{
    uint64_t missed;

    (void)state;
    put_received(2);
    counted[COUNT_RECEIVED]--;
    assert_int_equal(read_all(START + S, &missed), 2);
    assert_int_equal(missed, 0);
    counted[COUNT_RECEIVED]++;
    assert_int_equal(read_all(START + 2 * S, &missed), 0);
    assert_int_equal(missed, 0);
}

static void what_came_while_nobody_read_is_nobodys(void **state)
{
    uint64_t missed;

    (void)state;
    assert_int_equal(read_all(START + S, &missed), 0);
    put_received(5);
    records_begin(&reader, counted, START + 2 * S);
    put_received(5);
    records_begin(&reader, counted, START + 3 * S);
    put_received(3);
    records_begin(&reader, counted, START + 4 * S);
    assert_int_equal(read_all(START + 5 * S, &missed), 0);
    assert_int_equal(missed, 0);
    put_received(2);
    assert_int_equal(read_all(START + 6 * S, &missed), 2);
    assert_int_equal(missed, 0);
}

/* The same ports between other hosts. */
static void a_trigger_has_the_addresses_too(void **state)
{
    (void)state;
    put(COUNT_RECORD_TRIGGER, COUNT_RECEIVED, 1, 2)->headers[13] = 1;
    put(COUNT_RECORD_TRIGGER, COUNT_RECEIVED, 1, 2)->length = 99;
    put(COUNT_RECORD_RESET, COUNT_SENT, 2, 1);
    records_begin(&reader, counted, START + S);
    assert_true(records_read(&reader, &evidence));
    assert_int_equal(evidence.kind, EVIDENCE_TRIGGER);
    assert_int_equal(evidence.length, 99);
}

static void one_that_is_being_written_is_waited_for(void **state)
{
    struct count_record *record;
    uint64_t missed;

    (void)state;
    put_received(1);
    record = put(COUNT_RECORD_RESET, COUNT_RECEIVED, 1, 2);
    record->number = 0;
    put_received(1);
    assert_int_equal(read_all(START + S, &missed), 1);
    assert_int_equal(read_all(START + S, &missed), 0);
    record->number = 2;
    assert_int_equal(read_all(START + 2 * S, &missed), 2);
    assert_int_equal(missed, 0);
}

/* A program that never ends it, as when its CPU is gone. */
static void but_not_for_ever(void **state)
{
    uint64_t missed;

    (void)state;
    put(COUNT_RECORD_RESET, COUNT_RECEIVED, 1, 2)->number = 0;
    put_received(COUNT_RECORDS * 3 / 4);
    assert_int_equal(read_all(START + S, &missed), COUNT_RECORDS * 3 / 4);
    assert_int_equal(missed, 1);
}

static void states_have_names(void **state)
{
    (void)state;
    put(COUNT_RECORD_RESET, COUNT_RECEIVED, 1, 2)->state = 12;
    put(COUNT_RECORD_RESET, COUNT_RECEIVED, 1, 2)->state = 200;
    records_begin(&reader, counted, START + S);
    assert_true(records_read(&reader, &evidence));
    assert_string_equal(evidence.why, "NEW_SYN_RECV");
    assert_true(records_read(&reader, &evidence));
    assert_string_equal(evidence.why, "");
}

int main(void)
{
#define RECORDS_TEST(test) cmocka_unit_test_setup(test, begin)
    const struct CMUnitTest tests[] = {
        RECORDS_TEST(each_is_passed_on_once),
        RECORDS_TEST(a_trigger_stands_before_its_answer),
        RECORDS_TEST(what_is_written_over_is_missed),
        RECORDS_TEST(a_flood_is_thinned_evenly_and_counted),
        RECORDS_TEST(what_is_missed_is_told_by_direction),
        RECORDS_TEST(one_that_is_counted_later_is_not_missed),
        RECORDS_TEST(what_came_while_nobody_read_is_nobodys),
        RECORDS_TEST(a_trigger_has_the_addresses_too),
        RECORDS_TEST(one_that_is_being_written_is_waited_for),
        RECORDS_TEST(but_not_for_ever),
        RECORDS_TEST(states_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
