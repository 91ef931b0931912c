/* Counters of the kernel beside an exact source, from files in place of /proc. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "platform/Linux/components.h"
#include "platform/Linux/exact.h"

#define SECOND INT64_C(1000000000)
#define START  (500 * SECOND)

static char directory[] = "/tmp/test_components.XXXXXX";
static char error[200];
static struct components *components;

static void write_file(const char *name, const char *text)
{
    char path[64];

    snprintf(path, sizeof path, "%s/%s", directory, name);

    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void write_files(unsigned attempt_fails, unsigned listen_drops, const char *syn_cookies)
{
    char text[200];

    snprintf(text, sizeof text, "Tcp: AttemptFails EstabResets OutRsts\nTcp: %u 2 3\n",
             attempt_fails);
    write_file("snmp", text);
    snprintf(text, sizeof text, "TcpExt: ListenDrops\nTcpExt: %u\n", listen_drops);
    write_file("netstat", text);
    write_file("tcp_syncookies", syn_cookies);
}

static void remove_file(const char *name)
{
    char path[64];

    snprintf(path, sizeof path, "%s/%s", directory, name);
    unlink(path);
}

static int make_files(void **state)
{
    (void)state;
    if (!mkdtemp(directory))
        return -1;
    write_files(10, 20, "1\n");
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    remove_file("snmp");
    remove_file("netstat");
    remove_file("tcp_syncookies");
    return rmdir(directory);
}

static void open_with_interval(int64_t interval_ns)
{
    write_files(10, 20, "1\n");
    components = components_open(directory, interval_ns, error, sizeof error);
    assert_non_null(components);
}

static struct sample read_at(int64_t time_ns)
{
    struct sample sample = {.time_ns = time_ns};

    if (!components_read(components, &sample, error, sizeof error))
        fail_msg("%s", error);
    return sample;
}

static void assert_read_at(int64_t time_ns, uint64_t attempt_fails, uint64_t listen_drops,
                           enum syn_cookie_state state)
{
    struct sample sample = read_at(time_ns);

    assert_int_equal(sample.counter[COUNTER_ATTEMPT_FAILS], attempt_fails);
    assert_true(sample_has(&sample, COUNTER_LISTEN_DROPS));
    assert_int_equal(sample.counter[COUNTER_LISTEN_DROPS], listen_drops);
    assert_int_equal(sample.sources, 1 << SOURCE_PROCFS);
    assert_int_equal(sample.syn_cookie_state, state);
}

static void all_files_are_read_each_time_without_an_interval(void **state)
{
    (void)state;
    open_with_interval(0);
    assert_read_at(START, 10, 20, SYN_COOKIES_ON_OVERFLOW);
    write_files(11, 21, "2\n");
    assert_read_at(START + 1, 11, 21, SYN_COOKIES_ALWAYS);
    components_close(components);
}

static void a_reading_is_repeated_until_its_interval_is_over(void **state)
{
    (void)state;
    open_with_interval(SECOND);
    assert_read_at(START, 10, 20, SYN_COOKIES_ON_OVERFLOW);
    write_files(11, 21, "2\n");
    assert_read_at(START + SECOND - 1, 10, 20, SYN_COOKIES_ON_OVERFLOW);
    assert_read_at(START + SECOND, 11, 21, SYN_COOKIES_ALWAYS);
    write_files(12, 22, "0\n");
    assert_read_at(START + 2 * SECOND - 1, 11, 21, SYN_COOKIES_ALWAYS);
    assert_read_at(START + 2 * SECOND, 12, 22, SYN_COOKIES_DISABLED);
    components_close(components);
}

static void assert_fails_at(int64_t time_ns)
{
    struct sample sample = {.time_ns = time_ns};

    assert_false(components_read(components, &sample, error, sizeof error));
    assert_int_equal(sample.valid, 0);
}

static void after_a_failed_reading_all_is_read_again(const char *file, const char *text)
{
    open_with_interval(SECOND);
    assert_read_at(START, 10, 20, SYN_COOKIES_ON_OVERFLOW);
    write_file(file, text);
    assert_fails_at(START + SECOND);
    assert_fails_at(START + SECOND + 1);
    write_files(13, 23, "2\n");
    assert_read_at(START + SECOND + 2, 13, 23, SYN_COOKIES_ALWAYS);
    components_close(components);
}

static void a_failed_reading_of_snmp_is_not_repeated(void **state)
{
    (void)state;
    after_a_failed_reading_all_is_read_again("snmp", "Tcp: AttemptFails\n");
}

static void a_failed_reading_of_netstat_is_not_repeated(void **state)
{
    (void)state;
    after_a_failed_reading_all_is_read_again("netstat", "TcpExt: ListenDrops\n");
}

static void a_counter_that_went_away_is_not_repeated(void **state)
{
    struct sample sample;

    (void)state;
    open_with_interval(0);
    assert_read_at(START, 10, 20, SYN_COOKIES_ON_OVERFLOW);
    write_file("netstat", "TcpExt: Other\nTcpExt: 5\n");
    sample = read_at(START + 1);
    assert_false(sample_has(&sample, COUNTER_LISTEN_DROPS));
    components_close(components);
}

static void exact_counts_replace_those_of_the_kernel(void **state)
{
    const struct exact exact = {.resets = {{1, 20}, {300, 4000}}};
    struct sample sample;

    (void)state;
    open_with_interval(0);
    sample = read_at(START);
    assert_int_equal(sample.counter[COUNTER_SENT], 3); /* OutRsts */
    exact_set(&exact, &sample);
    assert_int_equal(sample.counter[COUNTER_RECEIVED], 21);
    assert_int_equal(sample.counter[COUNTER_RECEIVED_IPV4], 1);
    assert_int_equal(sample.counter[COUNTER_RECEIVED_IPV6], 20);
    assert_int_equal(sample.counter[COUNTER_SENT], 4300);
    assert_int_equal(sample.counter[COUNTER_SENT_IPV4], 300);
    assert_int_equal(sample.counter[COUNTER_SENT_IPV6], 4000);
    assert_int_equal(sample.received_method, METHOD_EXACT);
    assert_int_equal(sample.sent_method, METHOD_EXACT);
    assert_int_equal(sample.counter[COUNTER_ATTEMPT_FAILS], 10);
    components_close(components);
}

static void measured_causes_are_those_of_the_direction(void **state)
{
    struct exact exact = {.resets = {{0}}};
    struct sample sample = {0};
    uint64_t received = 0, sent = 0;

    (void)state;
    for (enum cause cause = CAUSE_NONE; cause < CAUSE_SLOTS; cause++) {
        exact.causes[COUNT_RECEIVED][cause] = UINT64_C(1) << cause;
        exact.causes[COUNT_SENT][cause] = UINT64_C(1) << (20 + cause);
    }
    exact_set_causes(&exact, &sample);
    assert_int_equal(sample.cause_method, CAUSES_MEASURED);
    for (enum cause cause = CAUSE_NO_LISTENER; cause < CAUSE_SLOTS; cause++) {
        received |= sample.counter[cause_counter(DIRECTION_RECEIVED, cause)];
        sent |= sample.counter[cause_counter(DIRECTION_SENT, cause)];
    }
    assert_int_equal(received, 1 << CAUSE_NO_LISTENER | 1 << CAUSE_ABORTED | 1 << CAUSE_TIME_WAIT |
                                   1 << CAUSE_BLIND | 1 << CAUSE_HANDSHAKE_ABORTED |
                                   1 << CAUSE_UNMATCHED | 1 << CAUSE_UNEXPLAINED);
    assert_int_equal(sent >> 20, 1 << CAUSE_NO_LISTENER | 1 << CAUSE_ABORTED |
                                     1 << CAUSE_HALF_OPEN | 1 << CAUSE_TIME_WAIT |
                                     1 << CAUSE_QUEUE_FULL | 1 << CAUSE_MEMORY |
                                     1 << CAUSE_FIREWALL | 1 << CAUSE_UNEXPLAINED);
    assert_false(sample_has(&sample, COUNTER_RECEIVED_FIREWALL));
    assert_false(sample_has(&sample, COUNTER_SENT_BLIND));
    assert_int_equal(sample.valid >> COUNTER_BY_CAUSE << COUNTER_BY_CAUSE, sample.valid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_files_are_read_each_time_without_an_interval),
        cmocka_unit_test(a_reading_is_repeated_until_its_interval_is_over),
        cmocka_unit_test(a_failed_reading_of_snmp_is_not_repeated),
        cmocka_unit_test(a_failed_reading_of_netstat_is_not_repeated),
        cmocka_unit_test(a_counter_that_went_away_is_not_repeated),
        cmocka_unit_test(exact_counts_replace_those_of_the_kernel),
        cmocka_unit_test(measured_causes_are_those_of_the_direction),
    };

    return cmocka_run_group_tests(tests, make_files, remove_files);
}
