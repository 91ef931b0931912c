/* Matches of a descriptor that is never read. Records are of 27 and 29 bytes, as measured. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/FreeBSD/match_count.h"

static void the_first_two_are_stored_and_the_others_dropped(void **state)
{
    static const struct {
        uint32_t dropped, readable;
        uint64_t growth;
    } readings[] = {
        {0, 0, 0}, {0, 27, 1}, {0, 27, 0}, {0, 54, 1}, {1, 54, 1}, {98, 54, 97}, {98, 54, 0},
    };
    struct match_count count = {0};

    (void)state;
    for (size_t n = 0; n < sizeof readings / sizeof *readings; n++)
        assert_int_equal(match_count_growth(&count, readings[n].dropped, readings[n].readable),
                         readings[n].growth);
}

static void all_at_once(void **state)
{
    struct match_count count = {0};

    (void)state;
    assert_int_equal(match_count_growth(&count, 98, 58), 100);
}

static void a_record_may_fill_its_buffer(void **state)
{
    struct match_count count = {0};

    (void)state;
    assert_int_equal(match_count_growth(&count, 0, 32), 1);
    assert_int_equal(match_count_growth(&count, 0, 64), 1);
}

static void a_wrap_of_32_bits_is_growth(void **state)
{
    struct match_count count = {0};

    (void)state;
    assert_int_equal(match_count_growth(&count, UINT32_MAX - 9, 54), UINT32_MAX - 9 + UINT64_C(2));
    assert_int_equal(match_count_growth(&count, 15, 54), 25);
    assert_int_equal(match_count_growth(&count, 14, 54), UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_two_are_stored_and_the_others_dropped),
        cmocka_unit_test(all_at_once),
        cmocka_unit_test(a_record_may_fill_its_buffer),
        cmocka_unit_test(a_wrap_of_32_bits_is_growth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
