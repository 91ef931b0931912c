/* SYN cookies of FreeBSD: their sysctls, and how many stood in for a connection kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/FreeBSD/syn_cookies.h"

static void a_flag_is_an_int_or_a_bool(void **state)
{
    static const int ints[] = {0, 1, 2, 256};
    static const uint8_t bytes[] = {0, 1};
    const uint64_t wide = 1;
    bool flag;

    (void)state;
    for (size_t n = 0; n < 4; n++) {
        assert_true(syn_cookies_flag(&ints[n], sizeof ints[n], &flag));
        assert_int_equal(flag, ints[n] != 0);
    }
    for (size_t n = 0; n < 2; n++) {
        assert_true(syn_cookies_flag(&bytes[n], 1, &flag));
        assert_int_equal(flag, bytes[n]);
    }
    assert_false(syn_cookies_flag(bytes, 0, &flag));
    assert_false(syn_cookies_flag(bytes, 2, &flag));
    assert_false(syn_cookies_flag(&wide, sizeof wide, &flag));
}

static void only_wins(void **state)
{
    (void)state;
    assert_int_equal(syn_cookies_state(false, false), SYN_COOKIES_DISABLED);
    assert_int_equal(syn_cookies_state(true, false), SYN_COOKIES_ON_OVERFLOW);
    assert_int_equal(syn_cookies_state(false, true), SYN_COOKIES_ALWAYS);
    assert_int_equal(syn_cookies_state(true, true), SYN_COOKIES_ALWAYS);
}

static uint64_t sent_after(const uint64_t (*readings)[2], size_t count)
{
    struct syn_cookies cookies = {0};

    for (size_t n = 0; n < count; n++)
        syn_cookies_next(&cookies, 5000 + readings[n][0], 100 + readings[n][1]);
    return cookies.sent;
}

#define SENT(readings) sent_after(readings, sizeof(readings) / sizeof *(readings))

static void those_of_connections_kept_do_not_count(void **state)
{
    static const uint64_t kept[][2] = {{0, 0}, {100, 100}, {250, 250}, {250, 250}};
    static const uint64_t not_kept[][2] = {{0, 0}, {100, 0}, {150, 0}, {150, 0}};
    static const uint64_t both[][2] = {{0, 0}, {100, 40}, {200, 80}, {200, 80}};
    static const uint64_t none_sent[][2] = {{0, 0}, {0, 100}, {0, 500}, {10, 500}, {10, 500}};

    (void)state;
    assert_int_equal(SENT(kept), 0);
    assert_int_equal(SENT(not_kept), 150);
    assert_int_equal(SENT(both), 120);
    assert_int_equal(SENT(none_sent), 10); /* syncookies = 0 at first */
}

static void one_reading_late(void **state)
{
    static const uint64_t readings[][2] = {{0, 0}, {100, 0}};

    (void)state;
    assert_int_equal(SENT(readings), 0);
}

static void a_connection_that_one_reading_has_in_part_is_no_cookie(void **state)
{
    static const uint64_t readings[][2] = {{0, 0},   {11, 10}, {20, 20},
                                           {31, 29}, {40, 40}, {40, 40}};

    (void)state;
    assert_int_equal(SENT(readings), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flag_is_an_int_or_a_bool),
        cmocka_unit_test(only_wins),
        cmocka_unit_test(those_of_connections_kept_do_not_count),
        cmocka_unit_test(one_reading_late),
        cmocka_unit_test(a_connection_that_one_reading_has_in_part_is_no_cookie),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
