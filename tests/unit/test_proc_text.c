/* The texts of /proc/net, and the procfs reader over captures of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "platform/Linux/proc_text.h"
#include "platform/reader.h"

#define DATA "tests/data/proc/"

static char error[160];

/* Parses from a buffer of exactly that size, so that a sanitizer sees every byte too far. */
static bool parse_bytes(const char *text, size_t length, struct proc_field *fields, size_t count)
{
    char *exact = malloc(length ? length : 1);

    assert_non_null(exact);
    memcpy(exact, text, length);
    snprintf(error, sizeof error, "none");

    bool good = proc_text_parse(exact, length, fields, count, error, sizeof error);

    free(exact);
    return good;
}

/* Parses a text for one field. */
static bool parse_one(const char *text, const char *source, struct proc_field *field)
{
    assert_true(proc_field_init(field, source));
    return parse_bytes(text, strlen(text), field, 1);
}

static void assert_value(const char *text, const char *source, uint64_t value)
{
    struct proc_field field;

    if (!parse_one(text, source, &field))
        fail_msg("%s", error);
    assert_true(field.found);
    assert_int_equal(field.value, value);
}

static void assert_absent(const char *text, const char *source)
{
    struct proc_field field;

    if (!parse_one(text, source, &field))
        fail_msg("%s", error);
    assert_false(field.found);
}

static void assert_error(const char *text, const char *source, const char *expected)
{
    struct proc_field field;

    assert_false(parse_one(text, source, &field));
    assert_string_equal(error, expected);
}

static void a_field_has_a_prefix_and_a_name(void **state)
{
    struct proc_field field;

    (void)state;
    assert_true(proc_field_init(&field, "TcpExt:ListenDrops"));
    assert_int_equal(field.prefix_length, 6);
    assert_int_equal(field.name_length, 11);
    assert_false(field.found);
    assert_false(proc_field_init(&field, "(estimate)"));
    assert_false(proc_field_init(&field, ":ListenDrops"));
    assert_false(proc_field_init(&field, "TcpExt:"));
    assert_false(proc_field_init(&field, ""));
}

static void fields_are_found_by_name(void **state)
{
    (void)state;
    assert_value("Tcp: A B C\nTcp: 1 2 3\n", "Tcp:A", 1);
    assert_value("Tcp: A B C\nTcp: 1 2 3\n", "Tcp:C", 3);
    assert_value("Ip: A\nIp: 9\nTcp: A B\nTcp: 1 2\n", "Tcp:A", 1);
    assert_value("TcpExt: A\nTcpExt: 9\nTcp: A\nTcp: 1\n", "Tcp:A", 1);
    assert_value("Tcp: AB A ABC\nTcp: 1 2 3\n", "Tcp:A", 2);
    assert_value("Tcp:  A   B \nTcp:   1  2 \n", "Tcp:B", 2);
    assert_absent("Tcp: A B\nTcp: 1 2\n", "Tcp:C");
    assert_absent("Tcp: A B\nTcp: 1 2\n", "TcpExt:A");
    assert_absent("Tcp:\nTcp:\n", "Tcp:A");
}

static void header_and_values_may_differ_in_length(void **state)
{
    (void)state;
    assert_value("Tcp: A B C\nTcp: 1 2\n", "Tcp:B", 2);
    assert_absent("Tcp: A B C\nTcp: 1 2\n", "Tcp:C");
    assert_value("Tcp: A B\nTcp: 1 2 3 4\n", "Tcp:B", 2);
    assert_absent("Tcp: A B\nTcp:\n", "Tcp:A");
}

static void values_are_64_bits_wide(void **state)
{
    (void)state;
    assert_value("Tcp: A\nTcp: 0\n", "Tcp:A", 0);
    assert_value("Tcp: A\nTcp: 4294967296\n", "Tcp:A", UINT64_C(4294967296));
    assert_value("Tcp: A\nTcp: 18446744073709551615\n", "Tcp:A", UINT64_MAX);
    assert_value("Tcp: A\nTcp: 0000000000000000000000007\n", "Tcp:A", 7);
}

static void a_value_that_is_no_number_is_an_error_only_if_asked_for(void **state)
{
    static const char expected[] = "line 2: Tcp:A: a number from 0 to 2^64-1 expected";

    (void)state;
    assert_error("Tcp: A\nTcp: 18446744073709551616\n", "Tcp:A", expected);
    assert_error("Tcp: A\nTcp: 99999999999999999999999\n", "Tcp:A", expected);
    assert_error("Tcp: A\nTcp: -1\n", "Tcp:A", expected);
    assert_error("Tcp: A\nTcp: -\n", "Tcp:A", expected);
    assert_error("Tcp: A\nTcp: 12x\n", "Tcp:A", expected);
    assert_error("Tcp: A\nTcp: 1.5\n", "Tcp:A", expected);
    assert_error("Ip: A\nIp: 1\nTcp: A\nTcp: +1\n", "Tcp:A",
                 "line 4: Tcp:A: a number from 0 to 2^64-1 expected");
    assert_value("Tcp: A B\nTcp: -1 5\n", "Tcp:B", 5);
    assert_value("Tcp: A B\nTcp: x 5\n", "Tcp:B", 5);
}

static void malformed_texts_are_errors(void **state)
{
    static const char no_values[] = "line 1: a header without its value line";

    (void)state;
    assert_error("", "Tcp:A", "empty");
    assert_error("\n", "Tcp:A", "line 1: \"<prefix>:\" expected");
    assert_error("Tcp A\nTcp 1\n", "Tcp:A", "line 1: \"<prefix>:\" expected");
    assert_error("Tcp: A\n\n", "Tcp:A", "line 2: \"<prefix>:\" expected");
    assert_error("Tcp: A\n", "Tcp:A", no_values);
    assert_error("Ip: A\n", "Tcp:A", no_values);
    assert_error("Tcp: A\nIp: 1\nIp: 2\n", "Tcp:A", no_values);
    assert_error("Tcp: A\nTcpExt: 1\n", "Tcp:A", no_values);
}

static void a_text_without_its_end_is_an_error(void **state)
{
    (void)state;
    assert_error("Tcp: A", "Tcp:A", "line 1: cut off");
    assert_error("T", "Tcp:A", "line 1: cut off");
    assert_error("Tcp: A\nTc", "Tcp:A", "line 2: cut off");
    assert_error("Tcp: A\nTcp: 12", "Tcp:A", "line 2: cut off");
    assert_error("Tcp: A B\nTcp: 1 2", "Tcp:A", "line 2: cut off");
    assert_error("Tcp: A\nTcp: 1\nIp: B", "Tcp:A", "line 3: cut off");
}

static void values_not_asked_for_may_end_without_a_newline(void **state)
{
    (void)state;
    assert_value("Tcp: A\nTcp: 1\nMPTcpExt: B\nMPTcpExt: 0", "Tcp:A", 1);
}

static void one_table_serves_several_texts(void **state)
{
    static const char snmp[] = "Tcp: A\nTcp: 1\n", netstat[] = "TcpExt: B\nTcpExt: 2\n";
    struct proc_field fields[3];

    (void)state;
    assert_true(proc_field_init(&fields[0], "Tcp:A"));
    assert_true(proc_field_init(&fields[1], "TcpExt:B"));
    assert_true(proc_field_init(&fields[2], "Tcp:A")); /* twice is no harm */
    assert_true(parse_bytes(snmp, sizeof snmp - 1, fields, 3));
    assert_false(fields[1].found);
    assert_true(parse_bytes(netstat, sizeof netstat - 1, fields, 3));
    for (int n = 0; n < 3; n++)
        assert_true(fields[n].found);
    assert_int_equal(fields[0].value, 1);
    assert_int_equal(fields[1].value, 2);
    assert_int_equal(fields[2].value, 1);
}

static void names_are_told_apart_by_their_prefix(void **state)
{
    static const char text[] = "Tcp: A B\nTcp: 1 2\nTcpExt: A\nTcpExt: 3\n";
    struct proc_field fields[4];

    (void)state;
    assert_true(proc_field_init(&fields[0], "Tcp:A"));
    assert_true(proc_field_init(&fields[1], "TcpExt:A"));
    assert_true(proc_field_init(&fields[2], "TcpExt:B"));
    assert_true(proc_field_init(&fields[3], "Tcp:B"));
    assert_true(parse_bytes(text, sizeof text - 1, fields, 4));
    assert_int_equal(fields[0].value, 1);
    assert_int_equal(fields[1].value, 3);
    assert_false(fields[2].found);
    assert_int_equal(fields[3].value, 2);
}

static void a_nul_is_a_character_like_others(void **state)
{
    static const char text[] = "Tcp: A\0 A\nTcp: 1 2\n";
    struct proc_field field;

    (void)state;
    assert_true(proc_field_init(&field, "Tcp:A"));
    assert_true(parse_bytes(text, sizeof text - 1, &field, 1));
    assert_int_equal(field.value, 2);
}

static char *load(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    char *text = malloc(65536);

    assert_non_null(file);
    assert_non_null(text);
    *length = fread(text, 1, 65536, file);
    fclose(file);
    return text;
}

/* Whatever is cut off or changed, nothing beyond the buffer is read. */
static void every_cut_and_every_changed_byte_is_survived(void **state)
{
    size_t length;
    char *text = load(DATA "5.10/netstat", &length);
    struct proc_field fields[2];

    (void)state;
    assert_true(proc_field_init(&fields[0], "TcpExt:ListenDrops"));
    assert_true(proc_field_init(&fields[1], "MPTcpExt:DuplicateData"));
    for (size_t cut = 0; cut <= length; cut++) {
        fields[0].found = fields[1].found = false;
        /* A text that ends after a pair, or in values not asked for, looks whole. */
        if (!parse_bytes(text, cut, fields, 2))
            continue;
        assert_true(fields[0].found);
        assert_int_equal(fields[0].value, 1020);
        assert_false(fields[1].found);
    }
    for (size_t n = 0; n < length; n++) {
        char was = text[n];

        for (const char *other = "\n: 0x-"; *other; other++) {
            text[n] = *other;
            parse_bytes(text, length, fields, 2);
        }
        text[n] = was;
    }
    free(text);
}

static const struct reader_type *procfs(void)
{
    for (size_t n = 0; platform_readers[n]; n++) {
        if (!strcmp(platform_readers[n]->name, "procfs"))
            return platform_readers[n];
    }
    fail_msg("no procfs reader");
    return NULL;
}

static bool read_capture(const char *directory, struct sample *sample)
{
    struct reader *reader;

    if (procfs()->open(&reader, directory, error, sizeof error) != READER_OPEN)
        return false;
    memset(sample, 0, sizeof *sample);

    bool good = procfs()->read(reader, sample, error, sizeof error);

    procfs()->close(reader);
    return good;
}

static void captures_of_all_kernels_are_read(void **state)
{
    static const struct {
        const char *directory;
        enum syn_cookie_state syn_cookies;
        uint64_t listen_drops, aborts_on_data, challenge_acks, queue_full_drops;
    } cases[] = {
        {DATA "4.19", SYN_COOKIES_DISABLED, 1020, 1050, 1081, 1075},
        {DATA "5.4", SYN_COOKIES_ON_OVERFLOW, 1020, 1051, 1082, 1076},
        {DATA "5.10", SYN_COOKIES_ON_OVERFLOW, 1020, 1051, 1082, 1076},
        {DATA "6.1", SYN_COOKIES_ON_OVERFLOW, 1020, 1051, 1082, 1076},
        {DATA "6.6", SYN_COOKIES_ON_OVERFLOW, 1020, 1051, 1082, 1076},
        {DATA "6.12", SYN_COOKIES_ALWAYS, 1020, 1051, 1082, 1076},
        {DATA "values-longer", SYN_COOKIES_ON_OVERFLOW, 1020, 1051, 1082, 1076},
    };
    const uint64_t by_family = UINT64_C(1) << COUNTER_RECEIVED_IPV4 |
                               UINT64_C(1) << COUNTER_RECEIVED_IPV6 |
                               UINT64_C(1) << COUNTER_SENT_IPV4 | UINT64_C(1) << COUNTER_SENT_IPV6;
    const uint64_t all = (UINT64_C(1) << COUNTER_BY_CAUSE) - 1;
    struct sample sample;

    (void)state;
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        if (!read_capture(cases[n].directory, &sample))
            fail_msg("%s", error);
        assert_int_equal(sample.valid & all, all & ~by_family);
        assert_int_equal(sample.counter[COUNTER_RECEIVED], 0);
        assert_int_equal(sample.counter[COUNTER_SENT], 114);
        assert_int_equal(sample.counter[COUNTER_ATTEMPT_FAILS], 107);
        assert_int_equal(sample.counter[COUNTER_ESTAB_RESETS], 108);
        assert_int_equal(sample.counter[COUNTER_BAD_CHECKSUMS], 115);
        assert_int_equal(sample.counter[COUNTER_SYN_COOKIES_SENT], 1001);
        assert_int_equal(sample.counter[COUNTER_LISTEN_DROPS], cases[n].listen_drops);
        assert_int_equal(sample.counter[COUNTER_ABORTS_ON_DATA], cases[n].aborts_on_data);
        assert_int_equal(sample.counter[COUNTER_CHALLENGE_ACKS], cases[n].challenge_acks);
        assert_int_equal(sample.counter[COUNTER_SYN_QUEUE_FULL_DROPS], cases[n].queue_full_drops);
        assert_int_equal(sample.syn_cookie_state, cases[n].syn_cookies);
        assert_int_equal(sample.sources, 1 << SOURCE_PROCFS);
        assert_int_equal(sample.received_method, METHOD_ESTIMATED);
        assert_int_equal(sample.sent_method, METHOD_ESTIMATED);
    }
}

static void the_real_capture_is_read(void **state)
{
    struct sample sample;

    (void)state;
    assert_true(read_capture(DATA "6.18", &sample));
    assert_int_equal(sample.counter[COUNTER_ATTEMPT_FAILS], 3);
    assert_int_equal(sample.counter[COUNTER_ESTAB_RESETS], 14);
    assert_int_equal(sample.counter[COUNTER_SENT], 10);
    assert_int_equal(sample.counter[COUNTER_ABORTS_ON_DATA], 5);
    assert_int_equal(sample.counter[COUNTER_ABORTS_ON_CLOSE], 2);
    assert_int_equal(sample.counter[COUNTER_LISTEN_DROPS], 0);
}

static void missing_fields_are_not_valid(void **state)
{
    struct sample sample;

    (void)state;
    assert_true(read_capture(DATA "missing-fields", &sample));
    assert_false(sample_has(&sample, COUNTER_SENT));
    assert_false(sample_has(&sample, COUNTER_BAD_CHECKSUMS));
    assert_false(sample_has(&sample, COUNTER_ABORTS_ON_CLOSE));
    assert_false(sample_has(&sample, COUNTER_LISTEN_DROPS));
    assert_int_equal(sample.sent_method, METHOD_UNKNOWN);
    assert_true(sample_has(&sample, COUNTER_RECEIVED));
    assert_true(sample_has(&sample, COUNTER_LISTEN_OVERFLOWS));

    assert_true(read_capture(DATA "header-longer", &sample));
    assert_false(sample_has(&sample, COUNTER_BAD_CHECKSUMS));
    assert_false(sample_has(&sample, COUNTER_ABORTS_ON_DATA));
    assert_int_equal(sample.counter[COUNTER_SENT], 114);
    assert_int_equal(sample.counter[COUNTER_LISTEN_DROPS], 1020);
}

static void broken_captures_are_errors_that_name_the_file(void **state)
{
    struct sample sample;

    (void)state;
    assert_false(read_capture(DATA "empty", &sample));
    assert_string_equal(error, DATA "empty/snmp: empty");
    assert_false(read_capture(DATA "cut-off", &sample));
    assert_string_equal(error, DATA "cut-off/netstat: line 2: cut off");
    assert_false(read_capture(DATA "none", &sample));
    assert_string_equal(error, DATA "none/snmp: No such file or directory");
}

static void the_running_kernel_is_read(void **state)
{
    struct reader *reader;
    struct sample samples[2] = {0};

    (void)state;
    assert_int_equal(procfs()->open(&reader, "", error, sizeof error), READER_OPEN);
    for (int n = 0; n < 2; n++) {
        if (!procfs()->read(reader, &samples[n], error, sizeof error))
            fail_msg("%s", error);
        assert_true(sample_has(&samples[n], COUNTER_RECEIVED));
        assert_true(sample_has(&samples[n], COUNTER_LISTEN_DROPS));
    }
    assert_true(samples[1].counter[COUNTER_SENT] >= samples[0].counter[COUNTER_SENT]);
    procfs()->close(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_field_has_a_prefix_and_a_name),
        cmocka_unit_test(fields_are_found_by_name),
        cmocka_unit_test(header_and_values_may_differ_in_length),
        cmocka_unit_test(values_are_64_bits_wide),
        cmocka_unit_test(a_value_that_is_no_number_is_an_error_only_if_asked_for),
        cmocka_unit_test(malformed_texts_are_errors),
        cmocka_unit_test(a_text_without_its_end_is_an_error),
        cmocka_unit_test(values_not_asked_for_may_end_without_a_newline),
        cmocka_unit_test(one_table_serves_several_texts),
        cmocka_unit_test(names_are_told_apart_by_their_prefix),
        cmocka_unit_test(a_nul_is_a_character_like_others),
        cmocka_unit_test(every_cut_and_every_changed_byte_is_survived),
        cmocka_unit_test(captures_of_all_kernels_are_read),
        cmocka_unit_test(the_real_capture_is_read),
        cmocka_unit_test(missing_fields_are_not_valid),
        cmocka_unit_test(broken_captures_are_errors_that_name_the_file),
        cmocka_unit_test(the_running_kernel_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
