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
    .storage_state = 3,
    .storage_error = "disk full",
    .state_directory = "/state",
    .now_ns = 100 * NS_PER_S,
    .master_start_ns = 50 * NS_PER_S,
};

/* Rows of the cause table that are not there: the last of a direction and the first of another. */
#define ABSENT_CAUSES                                                                              \
    (counter_bit(COUNTER_RECEIVED_UNEXPLAINED) | counter_bit(COUNTER_SENT_NO_LISTENER))
#define CAUSE_ROWS (2 * (CAUSE_SLOTS - 1) - 2)

/* Received in 10 s: two peers; sent in 60 s: one peer and one port. */
#define PEER_ROWS 3
#define PORT_ROWS 1

static void fill_peers(void)
{
    struct peer_window *short_one = &snapshot.peers[WINDOW_10_S];
    struct peer_window *long_one = &snapshot.peers[WINDOW_60_S];

    snapshot.sample.peers_known = true;
    short_one->totals[PEERS_RECEIVED] = 100;
    short_one->others[PEERS_RECEIVED] = 3;
    short_one->counts[PEERS_RECEIVED] = 2;
    short_one->peers[PEERS_RECEIVED][0] = (struct peer){.address = {192, 0, 2, 7},
                                                        .version = 4,
                                                        .cause = CAUSE_NO_LISTENER,
                                                        .port = 443,
                                                        .count = 93};
    short_one->peers[PEERS_RECEIVED][1] =
        (struct peer){.address = {[15] = 1}, .version = 6, .cause = CAUSE_BLIND, .count = 4};
    long_one->totals[PEERS_SENT] = long_one->totals[PORTS_SENT] = 8;
    long_one->counts[PEERS_SENT] = long_one->counts[PORTS_SENT] = 1;
    long_one->peers[PEERS_SENT][0] = (struct peer){
        .address = {192, 0, 2, 8}, .version = 4, .cause = CAUSE_ABORTED, .port = 80, .count = 8};
    long_one->peers[PORTS_SENT][0] = (struct peer){.cause = CAUSE_ABORTED, .port = 80, .count = 7};
    long_one->others[PORTS_SENT] = 1;
}

/* All else known, three alarms, events 4 to 6 of which 6 is a clear; 4 has a file, 6 a failed one.
 */
static int fill(void **state)
{
    size_t count;

    (void)state;
    mib_objects(&count);
    snapshot = (struct snapshot){
        .sample = {.sequence = 1,
                   .time_ns = 99 * NS_PER_S,
                   .good_ns = 98 * NS_PER_S,
                   .valid = (counter_bit(COUNTER_COUNT) - 1) & ~ABSENT_CAUSES,
                   .sources = 1,
                   .received_method = METHOD_ESTIMATED,
                   .sent_method = METHOD_ESTIMATED,
                   .cause_method = CAUSES_DERIVED,
                   .syn_cookie_state = SYN_COOKIES_ON_OVERFLOW},
        .rates_valid = UINT32_MAX,
    };
    fill_peers();
    for (enum counter id = COUNTER_BY_CAUSE; id < COUNTER_COUNT; id++) {
        snapshot.sample.counter[id] = UINT64_MAX - id;
        snapshot.by_cause_centi[id - COUNTER_BY_CAUSE] = 1000 + id;
    }
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
                                               .cause = number == 5 ? CAUSE_BLIND : CAUSE_NONE,
                                               .summary = "x"});
    events.delivered = 4;
    event_log_find(&events, 4)->evidence = (struct evidence_file){EVIDENCE_COMPLETE, 7, 8, 9};
    event_log_find(&events, 6)->evidence = (struct evidence_file){EVIDENCE_FAILED, 1, 2, 3};
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

static size_t rows_of(const struct mib_object *object)
{
    if (object->arc_count == 3)
        return 1; /* a scalar */
    if (object->arcs[1] == 8)
        return object->arcs[2] == 3 ? 4 : object->arcs[2] == 1 ? PEER_ROWS : PORT_ROWS;
    if (object->arcs[1] == 10)
        return 2;
    return object->arcs[1] == 7 ? CAUSE_ROWS : 3; /* three alarms or three events */
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
        expected += rows_of(&object[i]);
    expected -= 4; /* peak and duration of two raises */
    expected -= 3; /* packets, bytes and loss of a file that failed */
    while (next(name.arcs, name.length, &found, &by_next)) {
        assert_true(compare(&found, name.arcs, name.length) > 0);
        assert_int_equal(mib_get(&view, found.arcs, found.length, &by_get), MIB_FOUND);
        assert_same(&by_get, &by_next);
        name = found;
        visited++;
    }
    assert_int_equal(visited, expected);
}

#define WALK_MAX 300

/* Every name that a walk meets, in order. */
static size_t walk_all(struct name names[WALK_MAX])
{
    struct name name = {.length = 0}, found;
    struct mib_value value;
    size_t count = 0;

    for (; next(name.arcs, name.length, &found, &value); name = found) {
        assert_true(count < WALK_MAX);
        names[count++] = found;
    }
    return count;
}

static void assert_next(const struct name *walk, size_t count, const uint32_t *from, size_t length)
{
    struct name found;
    struct mib_value value;
    size_t i = 0;

    while (i < count && compare(&walk[i], from, length) <= 0)
        i++;
    assert_int_equal(next(from, length, &found, &value), i < count);
    if (i < count)
        assert_int_equal(compare(&found, walk[i].arcs, walk[i].length), 0);
}

/* From any name at all, GETNEXT gives the first name of the walk that is larger. */
static void test_next_from_anywhere(void **state)
{
    static struct name walk[WALK_MAX];
    struct random random = {random_first_seed()};
    size_t count = walk_all(walk);

    (void)state;
    for (int i = 0; i < 200000; i++) {
        uint32_t from[8];
        size_t length = (size_t)random_between(&random, 0, 8);

        for (size_t arc = 0; arc < length; arc++)
            from[arc] = random_one_in(&random, 20) ? (uint32_t)random_magnitude(&random, 32)
                                                   : (uint32_t)random_between(&random, 0, 7);
        assert_next(walk, count, from, length);
    }
}

/* Around each name of a walk: its prefixes, one more part, and every part moved to where a
   carry or a gap is. The next is always the first name that is larger. */
static void test_next_around_each_instance(void **state)
{
    static struct name walk[WALK_MAX];
    static const uint32_t ends[] = {0, 1, 2, 3, 11, 12, UINT32_MAX - 1, UINT32_MAX};
    size_t count = walk_all(walk);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        uint32_t from[MIB_NAME_MAX + 2];

        for (size_t length = 0; length <= walk[i].length; length++) {
            for (size_t end = 0; end < sizeof ends / sizeof *ends; end++) {
                memcpy(from, walk[i].arcs, walk[i].length * sizeof *from);
                assert_next(walk, count, from, length);
                from[length] = ends[end];
                assert_next(walk, count, from, length + 1);
                from[length + 1] = ends[end];
                assert_next(walk, count, from, length + 2);
            }
        }
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
    assert_int_equal(ANSWER_AT(1, 10, 1, 1, 5, 4), MIB_FOUND);
    assert_int_equal(ANSWER_AT(1, 10, 1, 1, 5, 5), MIB_NO_INSTANCE); /* an event without a file */
    assert_int_equal(ANSWER_AT(1, 10, 1, 1, 5, 7), MIB_NO_INSTANCE);
    assert_int_equal(ANSWER_AT(1, 10, 1, 1, 4, 6), MIB_NO_INSTANCE);
    assert_int_equal(ANSWER_AT(1, 7, 1, 1, 4, 1, 1), MIB_FOUND);
    assert_int_equal(ANSWER_AT(1, 7, 1, 1, 4, 2, 11), MIB_FOUND);
    assert_int_equal(ANSWER_AT(1, 7, 1, 1, 4, 1, 11), MIB_NO_INSTANCE); /* ABSENT_CAUSES */
    assert_int_equal(ANSWER_AT(1, 7, 1, 1, 4, 2, 1), MIB_NO_INSTANCE);
    assert_int_equal(ANSWER_AT(1, 7, 1, 1, 4, 1), MIB_NO_INSTANCE);
    assert_int_equal(ANSWER_AT(1, 7, 1, 1, 4, 1, 1, 0), MIB_NO_INSTANCE);
    assert_int_equal(ANSWER_AT(1, 7, 1, 1, 4, 0, 1), MIB_NO_INSTANCE);
    assert_int_equal(ANSWER_AT(1, 7, 1, 1, 4, 3, 1), MIB_NO_INSTANCE);
    assert_int_equal(ANSWER_AT(1, 7, 1, 1, 4, 1, 0), MIB_NO_INSTANCE);
    assert_int_equal(ANSWER_AT(1, 7, 1, 1, 4, 1, 12), MIB_NO_INSTANCE);
    assert_int_equal(ANSWER_AT(1, 7, 1, 1, 4, 1, 13), MIB_NO_INSTANCE);
    assert_int_equal(ANSWER_AT(1, 7, 1, 1, 4, 2, 12), MIB_NO_INSTANCE);
    assert_int_equal(ANSWER_AT(1, 7, 1, 1, 1, 1, 1), MIB_NO_OBJECT); /* an INDEX */
}

/* Not one value is made up before the first sample. */
static void test_unknown(void **state)
{
    static const struct snapshot nothing;
    const struct mib_view blank = {.snapshot = &nothing, .events = &events, .storage_error = ""};
    size_t count;
    const struct mib_object *object = mib_objects(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        bool by_cause = object[i].arcs[1] == 7;
        uint32_t name[MIB_NAME_MAX];
        struct mib_value value;

        if (object[i].arcs[1] == 1 && (object[i].arcs[2] <= 2 || object[i].arcs[2] >= 10))
            continue; /* version, interval and storage are known */
        if (object[i].arcs[1] == 5 || object[i].arcs[1] == 6)
            continue; /* alarms and events have states before any sample */
        if (object[i].arcs[1] == 10)
            continue; /* and files are of events */
        memcpy(name, object[i].arcs, sizeof object[i].arcs);
        name[object[i].arc_count] = name[object[i].arc_count + 1] = by_cause; /* .0 or .1.1 */
        if (mib_get(&blank, name, object[i].arc_count + (by_cause ? 2 : 1), &value) !=
            MIB_NO_INSTANCE)
            fail_msg("%s has a value", object[i].name);
    }
}

static void test_values(void **state)
{
    struct mib_value value;

    (void)state;
    assert_int_equal(NUMBER_AT(1, 1, 6, 0), 2000);      /* sample age, ms */
    assert_int_equal(NUMBER_AT(1, 1, 10, 0), 3);        /* storage replaced */
    assert_int_equal(NUMBER_AT(1, 4, 1, 0), 2);         /* onOverflow */
    assert_int_equal(NUMBER_AT(1, 5, 1, 1, 3, 1), 1);   /* enabled: TruthValue */
    assert_int_equal(NUMBER_AT(1, 6, 5, 1, 4, 4), 400); /* up-time at the event */
    assert_int_equal(NUMBER_AT(1, 6, 5, 1, 14, 5), CAUSE_BLIND);
    assert_int_equal(NUMBER_AT(1, 6, 5, 1, 14, 6), 0); /* none: other */
    assert_int_equal(NUMBER_AT(1, 6, 5, 1, 16, 4), 2); /* delivered */
    assert_int_equal(NUMBER_AT(1, 6, 5, 1, 16, 5), 1); /* pending */
    assert_int_equal(NUMBER_AT(1, 6, 4, 0), 2);        /* pending in all */
    assert_int_equal(NUMBER_AT(1, 1, 9, 0), 0);        /* before the master's start */
    assert_int_equal(NUMBER_AT(1, 7, 1, 1, 4, 1, 2),
                     UINT64_MAX - COUNTER_RECEIVED_ABORTED); /* count by cause */
    assert_int_equal(NUMBER_AT(1, 7, 1, 1, 4, 2, 11), UINT64_MAX - COUNTER_SENT_UNEXPLAINED);
    assert_int_equal(NUMBER_AT(1, 7, 1, 1, 5, 2, 9), 1000 + COUNTER_SENT_FIREWALL);
    assert_int_equal(NUMBER_AT(1, 7, 1, 1, 6, 1, 1), 2); /* derived */
    mib_get(&view, (const uint32_t[]){1, 7, 1, 1, 3, 2, 8}, 7, &value);
    assert_int_equal(value.length, strlen("handshakeAborted"));
    assert_memory_equal(value.bytes, "handshakeAborted", value.length);
    assert_int_equal(NUMBER_AT(1, 10, 1, 1, 2, 4), 7);
    assert_int_equal(NUMBER_AT(1, 10, 1, 1, 3, 4), 8);
    assert_int_equal(NUMBER_AT(1, 10, 1, 1, 4, 4), 9);
    assert_int_equal(NUMBER_AT(1, 10, 1, 1, 5, 6), 3); /* failed */
    mib_get(&view, (const uint32_t[]){1, 10, 1, 1, 1, 4}, 6, &value);
    assert_int_equal(value.length, strlen("/state/evidence/event-4.pcapng"));
    assert_memory_equal(value.bytes, "/state/evidence/event-4.pcapng", value.length);
    assert_int_equal(NUMBER_AT(1, 8, 1, 1, 4, 1, 10, 2), 2); /* ipv6 */
    assert_int_equal(NUMBER_AT(1, 8, 1, 1, 6, 1, 10, 1), 93);
    assert_int_equal(NUMBER_AT(1, 8, 1, 1, 7, 2, 60, 1), 100); /* percent */
    assert_int_equal(NUMBER_AT(1, 8, 1, 1, 8, 1, 10, 1), 443);
    assert_int_equal(NUMBER_AT(1, 8, 1, 1, 9, 1, 10, 2), CAUSE_BLIND);
    assert_int_equal(NUMBER_AT(1, 8, 2, 1, 4, 2, 60, 1), 80);
    assert_int_equal(NUMBER_AT(1, 8, 2, 1, 6, 2, 60, 1), 87); /* percent */
    assert_int_equal(NUMBER_AT(1, 8, 3, 1, 3, 1, 10), 100);
    assert_int_equal(NUMBER_AT(1, 8, 3, 1, 4, 1, 10), 3);
    assert_int_equal(NUMBER_AT(1, 8, 3, 1, 5, 2, 60), 1);
    mib_get(&view, (const uint32_t[]){1, 8, 1, 1, 5, 1, 10, 1}, 8, &value);
    assert_int_equal(value.length, 4);
    assert_int_equal(value.bytes[3], 7);
    mib_get(&view, (const uint32_t[]){1, 8, 1, 1, 10, 1, 10, 1}, 8, &value);
    assert_memory_equal(value.bytes, "192.0.2.7: 93 % (93), port 443, refused", value.length);
    mib_get(&view, (const uint32_t[]){1, 8, 2, 1, 8, 2, 60, 1}, 8, &value);
    assert_memory_equal(value.bytes, "port 80: 87 % (7), aborted here", value.length);
    mib_get(&view, (const uint32_t[]){1, 1, 11, 0}, 4, &value);
    assert_int_equal(value.length, strlen("disk full"));
    mib_get(&view, (const uint32_t[]){1, 5, 1, 1, 9, 1}, 6, &value); /* causes: BITS */
    assert_int_equal(value.length, 2);
    assert_int_equal(value.bytes[0], 0xff);
    assert_int_equal(value.bytes[1], 0xf0);
}

/* A SnmpAdminString has at most 255 octets, and a part of a path is none. */
static void test_a_long_path(void **state)
{
    char directory[256];
    struct mib_view longer = view;
    struct mib_value value;
    const uint32_t name[] = {1, 10, 1, 1, 1, 4};
    size_t rest = strlen("/evidence/event-4.pcapng");

    (void)state;
    memset(directory, 'd', sizeof directory);
    longer.state_directory = directory;
    directory[255 - rest] = '\0';
    assert_int_equal(mib_get(&longer, name, 6, &value), MIB_FOUND);
    assert_int_equal(value.length, 255);
    directory[255 - rest] = 'd';
    directory[256 - rest] = '\0';
    assert_int_equal(mib_get(&longer, name, 6, &value), MIB_NO_INSTANCE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walk),
        cmocka_unit_test(test_next_from_anywhere),
        cmocka_unit_test(test_next_around_each_instance),
        cmocka_unit_test(test_no_such),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_a_long_path),
    };

    return cmocka_run_group_tests_name("objects", tests, fill, empty);
}
