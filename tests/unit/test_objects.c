/* GET and GETNEXT over the table of objects: order, and no name without its answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "mib/objects.h"
#include "tests/unit/random.h"

struct name {
    uint32_t arcs[MIB_NAME_MAX];
    size_t length;
};

static struct snapshot snapshot;
static struct event_log events;
static const struct mib_view view = {
    .snapshot = &snapshot,
    .events = &events,
    .sample_interval_ms = 100,
    .now_ns = 100 * NS_PER_S,
    .master_start_ns = 50 * NS_PER_S,
};

/* Everything known, three alarms, events 4 to 6 of which 6 is a clear. */
static int fill(void **state)
{
    size_t count;

    (void)state;
    mib_objects(&count);
    snapshot = (struct snapshot){
        .sample = {.sequence = 1,
                   .time_ns = 99 * NS_PER_S,
                   .good_ns = 98 * NS_PER_S,
                   .valid = (UINT64_C(1) << COUNTER_COUNT) - 1,
                   .sources = 1,
                   .received_method = METHOD_ESTIMATED,
                   .sent_method = METHOD_ESTIMATED,
                   .syn_cookie_state = SYN_COOKIES_ON_OVERFLOW},
        .rates_valid = UINT32_MAX,
    };
    for (enum metric metric = METRIC_FIRST; metric <= METRIC_LAST; metric++) {
        snapshot.alarm[metric] = alarm_new();
        snapshot.alarm[metric].state = ALARM_RAISED;
        snapshot.alarm[metric].value_known = true;
        snapshot.alarm[metric].rising_centi = 5000;
        snapshot.alarm[metric].falling_centi = 500;
        snapshot.settings.value[metric] = settings_default();
    }
    event_log_open(&events, 3);
    for (uint32_t number = 4; number <= 6; number++)
        event_log_add(&events, &(struct event){.number = number,
                                               .kind = number == 6 ? EVENT_CLEARED : EVENT_RAISED,
                                               .metric = METRIC_SENT,
                                               .time_ns = (50 + number) * NS_PER_S,
                                               .method = METHOD_ESTIMATED,
                                               .syn_cookie_state = SYN_COOKIES_ALWAYS,
                                               .summary = "x"});
    events.delivered = 4;
    return 0;
}

static int empty(void **state)
{
    (void)state;
    event_log_close(&events);
    return 0;
}

static int compare(const struct name *a, const uint32_t *b, size_t b_length)
{
    for (size_t i = 0; i < a->length && i < b_length; i++)
        if (a->arcs[i] != b[i])
            return a->arcs[i] < b[i] ? -1 : 1;
    return (a->length > b_length) - (a->length < b_length);
}

static bool next(const uint32_t *name, size_t length, struct name *found, struct mib_value *value)
{
    return mib_next(&view, name, length, found->arcs, &found->length, value);
}

static uint64_t number_at(const uint32_t *name, size_t length)
{
    struct mib_value value;

    assert_int_equal(mib_get(&view, name, length, &value), MIB_FOUND);
    return value.number;
}

#define NUMBER_AT(...)                                                                             \
    number_at((const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / 4)
#define ANSWER_AT(...)                                                                             \
    mib_get(&view, (const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / 4,   \
            &(struct mib_value){0})

static void assert_same(const struct mib_value *a, const struct mib_value *b)
{
    assert_int_equal(a->syntax, b->syntax);
    if (a->syntax == MIB_STRING || a->syntax == MIB_BITS) {
        assert_int_equal(a->length, b->length);
        assert_memory_equal(a->bytes, b->bytes, a->length);
    } else {
        assert_int_equal(a->number, b->number);
    }
}

/* What a walk visits is what the tables say: sorted, and each name answers a GET alike. */
static void test_walk(void **state)
{
    struct name name = {.length = 0}, found;
    struct mib_value by_next, by_get;
    size_t objects, visited = 0, expected = 0;
    const struct mib_object *object = mib_objects(&objects);

    (void)state;
    for (size_t i = 0; i < objects; i++)
        expected += object[i].arc_count == 3 ? 1 : 3; /* a scalar; three alarms or three events */
    expected -= 4;                                    /* peak and duration of two raises */
    while (next(name.arcs, name.length, &found, &by_next)) {
        assert_true(compare(&found, name.arcs, name.length) > 0);
        assert_int_equal(mib_get(&view, found.arcs, found.length, &by_get), MIB_FOUND);
        assert_same(&by_get, &by_next);
        name = found;
        visited++;
    }
    assert_int_equal(visited, expected);
}

/* From any name at all, GETNEXT gives the first name of the walk that is larger. */
static void test_next_from_anywhere(void **state)
{
    struct random random = {random_first_seed()};

    (void)state;
    for (int i = 0; i < 200000; i++) {
        uint32_t from[8];
        size_t length = (size_t)random_between(&random, 0, 8);
        struct name found, walked = {.length = 0};
        struct mib_value value;
        bool has;

        for (size_t arc = 0; arc < length; arc++)
            from[arc] = random_one_in(&random, 20) ? (uint32_t)random_magnitude(&random, 32)
                                                   : (uint32_t)random_between(&random, 0, 6);
        has = next(from, length, &found, &value);
        if (has)
            assert_true(compare(&found, from, length) > 0);
        if (i % 100 != 0) /* the walk is slow */
            continue;
        while (next(walked.arcs, walked.length, &walked, &value))
            if (compare(&walked, from, length) > 0)
                break;
        assert_int_equal(has, compare(&walked, from, length) > 0);
        if (has)
            assert_int_equal(compare(&found, walked.arcs, walked.length), 0);
    }
}

static void test_no_such(void **state)
{
    (void)state;
    assert_int_equal(ANSWER_AT(1, 2, 1, 0), MIB_FOUND);
    assert_int_equal(ANSWER_AT(1, 2, 1), MIB_NO_INSTANCE);
    assert_int_equal(ANSWER_AT(1, 2, 1, 1), MIB_NO_INSTANCE);
    assert_int_equal(ANSWER_AT(1, 2, 1, 0, 0), MIB_NO_INSTANCE);
    assert_int_equal(ANSWER_AT(1, 2, 99, 0), MIB_NO_OBJECT);
    assert_int_equal(ANSWER_AT(1, 2), MIB_NO_OBJECT);
    assert_int_equal(ANSWER_AT(1, 5, 1, 1, 1, 1), MIB_NO_OBJECT); /* the INDEX: not-accessible */
    assert_int_equal(ANSWER_AT(1, 5, 1, 1, 4, 0), MIB_NO_INSTANCE);
    assert_int_equal(ANSWER_AT(1, 5, 1, 1, 4, 4), MIB_NO_INSTANCE);
    assert_int_equal(ANSWER_AT(1, 6, 5, 1, 2, 3), MIB_NO_INSTANCE);
    assert_int_equal(ANSWER_AT(1, 6, 5, 1, 2, 7), MIB_NO_INSTANCE);
    assert_int_equal(ANSWER_AT(1, 6, 5, 1, 10, 5), MIB_NO_INSTANCE); /* peak of a raise */
}

/* Not one value is made up before the first sample. */
static void test_unknown(void **state)
{
    static const struct snapshot nothing;
    const struct mib_view blank = {.snapshot = &nothing, .events = &events};
    size_t count;
    const struct mib_object *object = mib_objects(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        uint32_t name[MIB_NAME_MAX];
        struct mib_value value;

        if (object[i].arcs[1] == 1 && object[i].arcs[2] <= 2)
            continue; /* version and interval are known */
        if (object[i].arcs[1] > 4)
            continue; /* alarms and events have states before any sample */
        memcpy(name, object[i].arcs, sizeof object[i].arcs);
        name[object[i].arc_count] = 0;
        if (mib_get(&blank, name, object[i].arc_count + 1, &value) != MIB_NO_INSTANCE)
            fail_msg("%s has a value", object[i].name);
    }
}

static void test_values(void **state)
{
    struct mib_value value;

    (void)state;
    assert_int_equal(NUMBER_AT(1, 1, 6, 0), 2000);                   /* sample age, ms */
    assert_int_equal(NUMBER_AT(1, 4, 1, 0), 2);                      /* onOverflow */
    assert_int_equal(NUMBER_AT(1, 5, 1, 1, 3, 1), 1);                /* enabled: TruthValue */
    assert_int_equal(NUMBER_AT(1, 6, 5, 1, 4, 4), 400);              /* up-time at the event */
    assert_int_equal(NUMBER_AT(1, 6, 5, 1, 16, 4), 2);               /* delivered */
    assert_int_equal(NUMBER_AT(1, 6, 5, 1, 16, 5), 1);               /* pending */
    assert_int_equal(NUMBER_AT(1, 6, 4, 0), 2);                      /* pending in all */
    assert_int_equal(NUMBER_AT(1, 1, 9, 0), 0);                      /* before the master's start */
    mib_get(&view, (const uint32_t[]){1, 5, 1, 1, 9, 1}, 6, &value); /* causes: BITS */
    assert_int_equal(value.length, 2);
    assert_int_equal(value.bytes[0], 0xff);
    assert_int_equal(value.bytes[1], 0xf0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walk),    cmocka_unit_test(test_next_from_anywhere),
        cmocka_unit_test(test_no_such), cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_values),
    };

    return cmocka_run_group_tests_name("objects", tests, fill, empty);
}
