/* Peers and ports of the last 10 and 60 s, held against a plain count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "subagent/windows.h"

#define S INT64_C(1000000000)

static struct peer_history history;
static struct peer_window windows[WINDOWS];
static struct peer_slice slice;

static int begin(void **state)
{
    (void)state;
    memset(&history, 0, sizeof history);
    memset(windows, 0, sizeof windows);
    memset(&slice, 0, sizeof slice);
    return 0;
}

static struct peer peer_of(uint8_t who, uint16_t port, enum cause cause, uint32_t count)
{
    return (struct peer){.address = {192, 0, 2, who},
                         .version = 4,
                         .cause = (uint8_t)cause,
                         .port = port,
                         .count = count};
}

static void add(uint8_t who, uint16_t port, enum cause cause, uint32_t count)
{
    const struct peer peer = peer_of(who, port, cause, count);

    peer_slice_add(&slice, PEERS_RECEIVED, &peer);
    slice.totals[PEERS_RECEIVED] += count;
}

static void push(int64_t end_ns)
{
    slice.begin_ns = end_ns - S;
    slice.end_ns = end_ns;
    peer_history_push(&history, &slice);
    memset(&slice, 0, sizeof slice);
}

static void assert_peer(enum window window, uint32_t rank, uint8_t who, uint32_t count)
{
    const struct peer_window *found = &windows[window];

    assert_in_range(rank, 1, found->counts[PEERS_RECEIVED]);
    assert_int_equal(found->peers[PEERS_RECEIVED][rank - 1].address[3], who);
    assert_int_equal(found->peers[PEERS_RECEIVED][rank - 1].count, count);
}

static void slices_are_added_up_and_ranked(void **state)
{
    (void)state;
    add(1, 80, CAUSE_ABORTED, 5);
    add(2, 80, CAUSE_ABORTED, 4);
    slice.totals[PEERS_RECEIVED] += 3; /* by others */
    push(100 * S);
    add(2, 80, CAUSE_ABORTED, 4);
    push(101 * S);
    peer_history_merge(&history, 102 * S, windows);
    for (enum window window = 0; window < WINDOWS; window++) {
        assert_int_equal(windows[window].totals[PEERS_RECEIVED], 16);
        assert_int_equal(windows[window].counts[PEERS_RECEIVED], 2);
        assert_peer(window, 1, 2, 8);
        assert_peer(window, 2, 1, 5);
        assert_int_equal(windows[window].others[PEERS_RECEIVED], 3);
        assert_int_equal(windows[window].counts[PEERS_SENT], 0);
    }
    assert_int_equal(peer_window_percent(&windows[0], PEERS_RECEIVED, 5), 31);
    assert_int_equal(peer_window_percent(&windows[0], PEERS_SENT, 0), 0);
}

static void a_slice_leaves_a_window_when_it_ended_before(void **state)
{
    (void)state;
    add(1, 80, CAUSE_ABORTED, 5);
    push(100 * S);
    peer_history_merge(&history, 100 * S - 1, windows); /* not yet */
    assert_int_equal(windows[WINDOW_10_S].totals[PEERS_RECEIVED], 0);
    peer_history_merge(&history, 110 * S - 1, windows);
    assert_peer(WINDOW_10_S, 1, 1, 5);
    peer_history_merge(&history, 110 * S, windows);
    assert_int_equal(windows[WINDOW_10_S].counts[PEERS_RECEIVED], 0);
    assert_int_equal(windows[WINDOW_10_S].totals[PEERS_RECEIVED], 0);
    assert_peer(WINDOW_60_S, 1, 1, 5);
    peer_history_merge(&history, 160 * S, windows);
    assert_int_equal(windows[WINDOW_60_S].counts[PEERS_RECEIVED], 0);
}

/* Told before it has ended: the later one stands for both. */
static void a_slice_that_has_grown_is_one(void **state)
{
    (void)state;
    for (uint32_t tenths = 1; tenths <= 10; tenths++) {
        slice.begin_ns = 99 * S;
        slice.end_ns = 99 * S + tenths * S / 10;
        add(1, 80, CAUSE_ABORTED, 5 * tenths);
        peer_history_push(&history, &slice);
        peer_history_merge(&history, slice.end_ns, windows);
        assert_peer(WINDOW_10_S, 1, 1, 5 * tenths);
        assert_int_equal(windows[WINDOW_10_S].totals[PEERS_RECEIVED], 5 * tenths);
        memset(&slice, 0, sizeof slice);
    }
    add(1, 80, CAUSE_ABORTED, 7);
    push(101 * S);
    peer_history_merge(&history, 101 * S, windows);
    assert_peer(WINDOW_60_S, 1, 1, 57);
    assert_int_equal(history.pushed, 2);
}

static void port_and_cause_are_those_of_most(void **state)
{
    (void)state;
    add(1, 80, CAUSE_ABORTED, 5);
    push(100 * S);
    add(1, 443, CAUSE_BLIND, 9);
    push(101 * S);
    add(1, 80, CAUSE_ABORTED, 5);
    push(102 * S);
    peer_history_merge(&history, 103 * S, windows);
    assert_int_equal(windows[0].peers[PEERS_RECEIVED][0].port, 80);
    assert_int_equal(windows[0].peers[PEERS_RECEIVED][0].cause, CAUSE_ABORTED);
}

/* IPv6, IPv4 and a port with the same bytes are three. */
static void what_differs_is_kept_apart(void **state)
{
    struct peer peer = peer_of(1, 80, CAUSE_BLIND, 2);
    const struct peer ports[] = {{.port = 80, .count = 3}, {.port = 81, .count = 4}};

    (void)state;
    peer_slice_add(&slice, PEERS_SENT, &peer);
    peer.version = 6;
    peer_slice_add(&slice, PEERS_SENT, &peer);
    peer_slice_add(&slice, PORTS_SENT, &ports[0]);
    peer_slice_add(&slice, PORTS_SENT, &ports[1]);
    push(100 * S);
    peer_history_merge(&history, 100 * S, windows);
    assert_int_equal(windows[0].counts[PEERS_SENT], 2);
    assert_int_equal(windows[0].counts[PORTS_SENT], 2);
    assert_int_equal(windows[0].peers[PORTS_SENT][0].port, 81);
    /* More was listed than counted: read at different instants. */
    assert_int_equal(windows[0].totals[PORTS_SENT], 7);
    assert_int_equal(windows[0].others[PORTS_SENT], 0);
}

#define ANYBODY 50

/* Random slices of so few peers that none is missed. */
static void any_slices_give_what_a_plain_count_gives(void **state)
{
    static uint32_t counts[200][ANYBODY];

    (void)state;
    srand(6);
    for (int n = 0; n < 200; n++) {
        memset(counts[n], 0, sizeof counts[n]);
        for (int who = 0; who < PEERS_MAX; who++) {
            uint32_t anybody = (uint32_t)rand() % ANYBODY, count = (uint32_t)rand() % 1000 + 1;

            if (counts[n][anybody] == 0) {
                counts[n][anybody] = count;
                add((uint8_t)anybody, 1, CAUSE_BLIND, count);
            }
        }
        push((100 + n) * S);
        peer_history_merge(&history, (100 + n) * S + S / 2, windows);
        for (enum window window = 0; window < WINDOWS; window++) {
            uint32_t sums[ANYBODY] = {0}, total = 0, listed = 0, last = UINT32_MAX, better;
            int first = n + 1 - (int)window_seconds[window];

            for (int past = first < 0 ? 0 : first; past <= n; past++)
                for (int who = 0; who < ANYBODY; who++)
                    sums[who] += counts[past][who];
            for (int who = 0; who < ANYBODY; who++)
                total += sums[who];
            assert_int_equal(windows[window].totals[PEERS_RECEIVED], total);
            for (uint32_t rank = 0; rank < windows[window].counts[PEERS_RECEIVED]; rank++) {
                const struct peer *peer = &windows[window].peers[PEERS_RECEIVED][rank];

                assert_int_equal(peer->count, sums[peer->address[3]]);
                assert_true(peer->count <= last);
                last = peer->count;
                listed += peer->count;
            }
            better = 0;
            for (int who = 0; who < ANYBODY; who++)
                better += sums[who] > last;
            assert_true(better < WINDOW_PEERS);
            assert_int_equal(listed + windows[window].others[PEERS_RECEIVED], total);
        }
    }
}

int main(void)
{
#define WINDOWS_TEST(test) cmocka_unit_test_setup(test, begin)
    const struct CMUnitTest tests[] = {
        WINDOWS_TEST(slices_are_added_up_and_ranked),
        WINDOWS_TEST(a_slice_leaves_a_window_when_it_ended_before),
        WINDOWS_TEST(a_slice_that_has_grown_is_one),
        WINDOWS_TEST(port_and_cause_are_those_of_most),
        WINDOWS_TEST(what_differs_is_kept_apart),
        WINDOWS_TEST(any_slices_give_what_a_plain_count_gives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
