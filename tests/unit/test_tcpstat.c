/*
 * struct tcpstat of both releases, and what the estimate makes of it, against every case that
 * was measured on FreeBSD: tests/data/tcpstat.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "platform/FreeBSD/syn_cookies.h"
#include "platform/FreeBSD/tcpstat.h"
#include "platform/estimate.h"
#include "tests/unit/random.h"

#define ABSENT 0 /* no field that is looked at stands there */

static const struct {
    const char *release, *file;
    size_t length, cases;
} releases[] = {
    {"13.2", "tests/data/tcpstat/13.2", 904, 25},
    {"15.1", "tests/data/tcpstat/15.1", 1000, 25},
};

static const char *const names[TCPSTAT_FIELDS] = {
#define FIELD(name, offset_904, offset_1000) [TCPSTAT_##name] = #name,
#include "platform/FreeBSD/tcpstat.def"
#undef FIELD
};

static const size_t offsets[TCPSTAT_FIELDS][2] = {
#define FIELD(name, offset_904, offset_1000) [TCPSTAT_##name] = {offset_904, offset_1000},
#include "platform/FreeBSD/tcpstat.def"
#undef FIELD
};

/* The value of a field in buffers of numbers: its own place, so that a wrong one shows. */
static void fill_with_places(unsigned char *bytes, size_t length)
{
    for (size_t at = 0; at < length; at += sizeof(uint64_t)) {
        uint64_t place = UINT64_C(1000000000000) + at;

        memcpy(bytes + at, &place, sizeof place);
    }
}

/* From a buffer of exactly that size, so that a sanitizer sees every byte too far. */
static bool decode(const unsigned char *bytes, size_t length, struct tcpstat_values *values,
                   char *error, size_t error_size)
{
    unsigned char *exact = malloc(length ? length : 1);

    assert_non_null(exact);
    memcpy(exact, bytes, length);

    bool good = tcpstat_decode(exact, length, values, error, error_size);

    free(exact);
    return good;
}

static void each_field_is_read_where_it_stands(void **state)
{
    unsigned char bytes[1000];
    struct tcpstat_values values;
    char error[200];

    (void)state;
    fill_with_places(bytes, sizeof bytes);
    for (size_t layout = 0; layout < 2; layout++) {
        assert_true(decode(bytes, releases[layout].length, &values, error, sizeof error));
        for (int field = 0; field < TCPSTAT_FIELDS; field++) {
            size_t offset = offsets[field][layout];

            assert_int_equal(values.known[field], offset != ABSENT);
            assert_int_equal(values.value[field],
                             offset == ABSENT ? 0 : UINT64_C(1000000000000) + offset);
        }
    }
}

/* tcpstat.def lists them in the order of the struct. */
static void each_field_has_a_place_of_its_own(void **state)
{
    (void)state;
    for (size_t layout = 0; layout < 2; layout++) {
        size_t last = 0;

        for (int field = 0; field < TCPSTAT_FIELDS; field++) {
            if (offsets[field][layout] == ABSENT)
                continue;
            assert_true(offsets[field][layout] > last);
            assert_int_equal(offsets[field][layout] % sizeof(uint64_t), 0);
            last = offsets[field][layout];
        }
        assert_true(last + sizeof(uint64_t) <= releases[layout].length);
    }
}

static void another_length_is_refused(void **state)
{
    static const size_t lengths[] = {0, 1, 8, 896, 903, 905, 912, 992, 999};
    unsigned char bytes[1000] = {0};
    struct tcpstat_values values;
    char error[200];

    (void)state;
    for (size_t n = 0; n < ARRAY_SIZE(lengths); n++)
        assert_false(decode(bytes, lengths[n], &values, error, sizeof error));
    assert_string_equal(error, "net.inet.tcp.stats: 999 bytes: expected 904 (FreeBSD 13.2) or "
                               "1000 (15.1)");
}

static void counters_are_set(void **state)
{
    unsigned char bytes[1000] = {0};
    struct tcpstat_values values;
    struct sample old = {0}, new = {0};
    char error[200];

    (void)state;
    assert_true(decode(bytes, 904, &values, error, sizeof error));
    for (int field = 0; field < TCPSTAT_FIELDS; field++)
        values.value[field] = UINT64_C(1) << field;
    tcpstat_set(&values, &old);
#define V(name) (UINT64_C(1) << TCPSTAT_##name)
    assert_int_equal(old.counter[COUNTER_ATTEMPT_FAILS], V(conndrops) | V(sc_reset));
    assert_int_equal(old.counter[COUNTER_ESTAB_RESETS], V(drops));
    assert_int_equal(old.counter[COUNTER_EMBRYONIC], V(sc_reset));
    assert_int_equal(old.counter[COUNTER_BAD_CHECKSUMS], V(rcvbadsum));
    assert_int_equal(old.counter[COUNTER_ABORTS_ON_TIMEOUT],
                     V(timeoutdrop) | V(keepdrops) | V(persistdrop) | V(progdrops));
    assert_int_equal(old.counter[COUNTER_RECEIVED_BLIND], V(badrst));
    assert_int_equal(old.counter[COUNTER_LISTEN_OVERFLOWS], V(listendrop));
    assert_int_equal(old.counter[COUNTER_LISTEN_DROPS], V(listendrop) | V(sc_dropped));
    assert_int_equal(old.counter[COUNTER_SYN_COOKIES_RECEIVED], V(sc_recvcookie));
    /* What a release cannot tell is not 0. */
    assert_false(sample_has(&old, COUNTER_SYN_COOKIES_FAILED));
    assert_false(sample_has(&old, COUNTER_SENT));
    assert_false(sample_has(&old, COUNTER_RECEIVED));

    assert_true(decode(bytes, 1000, &values, error, sizeof error));
    values.value[TCPSTAT_sc_spurcookie] = 3;
    values.value[TCPSTAT_sc_failcookie] = 4;
    tcpstat_set(&values, &new);
    assert_int_equal(new.counter[COUNTER_SYN_COOKIES_FAILED], 7);
    assert_int_equal(new.valid, old.valid | counter_bit(COUNTER_SYN_COOKIES_FAILED));
}

/* ---- The cases that were measured ---- */

struct row {
    unsigned received, sent, estimate, cookies;
    char verdict[8], name[100];
    uint64_t growth[TCPSTAT_FIELDS];
};

static void parse_growth(struct row *row, char *text)
{
    for (char *word = strtok(text, " \n"); word; word = strtok(NULL, " \n")) {
        char *equals = strchr(word, '=');
        int field = 0;

        assert_non_null(equals);
        *equals = '\0';
        while (field < TCPSTAT_FIELDS && strcmp(names[field], word) != 0)
            field++;
        assert_int_not_equal(field, TCPSTAT_FIELDS);
        row->growth[field] = strtoull(equals + 1, NULL, 10);
    }
}

static bool next_row(FILE *file, struct row *row)
{
    char line[400];
    int used = 0;

    do {
        if (!fgets(line, sizeof line, file))
            return false;
    } while (line[0] == '#');
    *row = (struct row){0};
    if (sscanf(line, "%u %u %u %7s %u : %99[^:]: %n", &row->received, &row->sent, &row->estimate,
               row->verdict, &row->cookies, row->name, &used) != 6 ||
        used == 0)
        fail_msg("cannot be read: %s", line);
    parse_growth(row, line + used);
    return true;
}

static const char *verdict_of(const struct row *row)
{
    if (row->estimate == row->received)
        return "right";
    return row->estimate > row->received ? "over" : "blind";
}

/* A reading of a kernel whose counters began anywhere. */
static struct sample reading(const uint64_t growth[TCPSTAT_FIELDS], size_t layout,
                             struct syn_cookies *cookies)
{
    unsigned char bytes[1000];
    struct tcpstat_values values;
    struct sample sample = {0};
    char error[200];

    fill_with_places(bytes, sizeof bytes);
    for (int field = 0; field < TCPSTAT_FIELDS; field++) {
        uint64_t value = UINT64_C(1000000000000) + growth[field];

        if (offsets[field][layout] != ABSENT)
            memcpy(bytes + offsets[field][layout], &value, sizeof value);
    }
    assert_true(decode(bytes, releases[layout].length, &values, error, sizeof error));
    tcpstat_set(&values, &sample);
    syn_cookies_next(cookies, values.value[TCPSTAT_sc_sendcookie], values.value[TCPSTAT_sc_added]);
    return sample;
}

static void assert_row(const struct row *row, size_t layout)
{
    static const uint64_t nothing[TCPSTAT_FIELDS] = {0};
    struct estimate estimate = {0};
    struct syn_cookies cookies = {0};
    struct sample before = reading(nothing, layout, &cookies);
    struct sample after = reading(row->growth, layout, &cookies);

    reading(row->growth, layout, &cookies);
    assert_true(estimate_next(&estimate, &before));
    assert_true(estimate_next(&estimate, &after));
    if (estimate.received != row->estimate || cookies.sent != row->cookies)
        fail_msg("%s: %s: estimate %llu, cookies %llu", releases[layout].release, row->name,
                 (unsigned long long)estimate.received, (unsigned long long)cookies.sent);
    assert_string_equal(row->verdict, verdict_of(row));
}

static void every_case_that_was_measured(void **state)
{
    (void)state;
    for (size_t layout = 0; layout < ARRAY_SIZE(releases); layout++) {
        FILE *file = fopen(releases[layout].file, "r");
        struct row row;
        size_t count = 0;

        assert_non_null(file);
        for (; next_row(file, &row); count++)
            assert_row(&row, layout);
        fclose(file);
        assert_int_equal(count, releases[layout].cases);
    }
}

static void timeouts_are_not_received(void **state)
{
    const uint64_t growth[TCPSTAT_FIELDS] = {
        [TCPSTAT_conndrops] = 100, [TCPSTAT_drops] = 60,       [TCPSTAT_timeoutdrop] = 40,
        [TCPSTAT_keepdrops] = 40,  [TCPSTAT_persistdrop] = 10, [TCPSTAT_progdrops] = 10,
    };
    static const uint64_t nothing[TCPSTAT_FIELDS] = {0};
    struct estimate estimate = {0};
    struct syn_cookies cookies = {0};
    struct sample before = reading(nothing, 1, &cookies), after = reading(growth, 1, &cookies);

    (void)state;
    estimate_next(&estimate, &before);
    estimate_next(&estimate, &after);
    assert_int_equal(estimate.received, 60);
}

static void causes_are_derived(void **state)
{
    const uint64_t growth[TCPSTAT_FIELDS] = {
        [TCPSTAT_conndrops] = 10,
        [TCPSTAT_drops] = 20,
        [TCPSTAT_badrst] = 30,
        [TCPSTAT_sc_reset] = 40,
    };
    static const uint64_t nothing[TCPSTAT_FIELDS] = {0};
    struct estimate estimate = {0};
    struct syn_cookies cookies = {0};
    struct sample before = reading(nothing, 0, &cookies), after = reading(growth, 0, &cookies);

    (void)state;
    estimate_next(&estimate, &before);
    estimate_next(&estimate, &after);
    estimate_set_causes(&estimate, &after);
    assert_int_equal(after.cause_method, CAUSES_DERIVED);
    assert_int_equal(after.counter[COUNTER_RECEIVED_NO_LISTENER], 10);
    assert_int_equal(after.counter[COUNTER_RECEIVED_ABORTED], 20);
    assert_int_equal(after.counter[COUNTER_RECEIVED_BLIND], 30);
    assert_int_equal(after.counter[COUNTER_RECEIVED_HANDSHAKE_ABORTED], 40);
    assert_int_equal(after.valid & counters_by_cause(DIRECTION_SENT, UINT32_MAX), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_field_is_read_where_it_stands),
        cmocka_unit_test(each_field_has_a_place_of_its_own),
        cmocka_unit_test(another_length_is_refused),
        cmocka_unit_test(counters_are_set),
        cmocka_unit_test(every_case_that_was_measured),
        cmocka_unit_test(timeouts_are_not_received),
        cmocka_unit_test(causes_are_derived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
