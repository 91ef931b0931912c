/* The heaviest peers of a slice, in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/peers.h"

static void add(struct peer_slice *slice, uint32_t count)
{
    const struct peer peer = {.port = (uint16_t)count, .count = count};

    peer_slice_add(slice, PEERS_SENT, &peer);
}

static void the_heaviest_are_kept_in_order(void **state)
{
    struct peer_slice slice = {.begin_ns = 0};

    (void)state;
    for (uint32_t n = 0; n < 1000; n++) /* each from 1 to 1000 once */
        add(&slice, n * 617 % 1000 + 1);
    assert_int_equal(slice.counts[PEERS_SENT], PEERS_MAX);
    for (uint32_t n = 0; n < PEERS_MAX; n++) {
        assert_int_equal(slice.peers[PEERS_SENT][n].count, 1000 - n);
        assert_int_equal(slice.peers[PEERS_SENT][n].port, 1000 - n);
    }
    assert_int_equal(slice.counts[PEERS_RECEIVED], 0);
}

static void fewer_than_fit_are_all_kept(void **state)
{
    struct peer_slice slice = {.begin_ns = 0};

    (void)state;
    add(&slice, 5);
    add(&slice, 9);
    add(&slice, 5);
    assert_int_equal(slice.counts[PEERS_SENT], 3);
    assert_int_equal(slice.peers[PEERS_SENT][0].count, 9);
    assert_int_equal(slice.peers[PEERS_SENT][2].count, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_heaviest_are_kept_in_order),
        cmocka_unit_test(fewer_than_fit_are_all_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
