/* Slices of peers, merged to ranks: against a second, slower way to do the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "subagent/ranking.h"
#include "tests/unit/random.h"

#define S  INT64_C(1000000000)
#define MS INT64_C(1000000)

static struct ranker ranker; /* static: large */

static int start(void **state)
{
    (void)state;
    memset(&ranker, 0, sizeof ranker);
    return 0;
}

static const struct ranking *ranking_of(enum ranking_window window, enum direction direction)
{
    return &ranker.rankings.of[window][direction];
}

static struct peer peer_of(uint8_t number, uint16_t port, enum cause cause, uint32_t count)
{
    return (struct peer){.address = {192, 0, 2, number},
                         .version = 4,
                         .port = port,
                         .cause = (uint8_t)cause,
                         .count = count};
}

/* A slice that ends then, of resets received from some peers and `unlisted` more. */
static void push(int64_t end_ns, const struct peer *peers, size_t count, uint32_t unlisted)
{
    struct peer_slice slice = {.begin_ns = end_ns - S, .end_ns = end_ns};

    slice.totals[PEERS_RECEIVED] = unlisted;
    for (size_t n = 0; n < count; n++) {
        peer_slice_add(&slice, PEERS_RECEIVED, &peers[n]);
        slice.totals[PEERS_RECEIVED] += peers[n].count;
    }
    slice.totals[PORTS_RECEIVED] = slice.totals[PEERS_RECEIVED];
    ranker_push(&ranker, &slice);
}

static void push_one(int64_t end_ns, struct peer peer)
{
    push(end_ns, &peer, 1, 0);
}

/* ---- Windows ---- */

static uint32_t total_at(enum ranking_window window, int64_t now_ns)
{
    ranker_update(&ranker, now_ns);
    return ranking_of(window, DIRECTION_RECEIVED)->total;
}

static void nothing_is_0(void **state)
{
    (void)state;
    assert_int_equal(total_at(RANKING_60S, 100 * S), 0);
    push(100 * S, NULL, 0, 0);
    assert_int_equal(total_at(RANKING_60S, 100 * S), 0);
    assert_int_equal(ranking_of(RANKING_60S, DIRECTION_RECEIVED)->peers.count, 0);
}

/* Whole slices, by their end: a window holds its own end, but not its begin. */
static void a_slice_is_of_the_windows_in_which_it_ends(void **state)
{
    (void)state;
    push_one(100 * S, peer_of(1, 80, CAUSE_ABORTED, 7));
    push_one(101 * S, peer_of(2, 80, CAUSE_ABORTED, 50));
    assert_int_equal(total_at(RANKING_10S, 100 * S - 1), 0);
    assert_int_equal(total_at(RANKING_10S, 100 * S), 7);
    assert_int_equal(total_at(RANKING_10S, 101 * S), 57);
    assert_int_equal(total_at(RANKING_10S, 110 * S - 1), 57);
    assert_int_equal(total_at(RANKING_10S, 110 * S), 50);
    assert_int_equal(total_at(RANKING_10S, 111 * S), 0);
    assert_int_equal(total_at(RANKING_60S, 160 * S - 1), 57);
    assert_int_equal(total_at(RANKING_60S, 160 * S), 50);
    assert_int_equal(total_at(RANKING_60S, 161 * S), 0);
}

static void each_direction_has_its_own(void **state)
{
    struct peer_slice slice = {.end_ns = 100 * S, .totals = {[PEERS_SENT] = 5, [PORTS_SENT] = 5}};
    const struct peer peer = peer_of(1, 80, CAUSE_ABORTED, 3), port = {.port = 80, .count = 5};

    (void)state;
    peer_slice_add(&slice, PEERS_SENT, &peer);
    peer_slice_add(&slice, PORTS_SENT, &port);
    ranker_push(&ranker, &slice);
    assert_int_equal(total_at(RANKING_10S, 100 * S), 0);
    assert_int_equal(ranking_of(RANKING_10S, DIRECTION_SENT)->total, 5);
    assert_int_equal(ranking_of(RANKING_10S, DIRECTION_SENT)->peers.others, 2);
    assert_int_equal(ranking_of(RANKING_10S, DIRECTION_SENT)->ports.others, 0);
    assert_int_equal(ranking_of(RANKING_10S, DIRECTION_SENT)->ports.peers[0].port, 80);
}

/* Slices that come faster than they should cost time, and nothing else. */
static void more_slices_than_fit_shorten_the_window(void **state)
{
    (void)state;
    for (int n = 0; n < 3 * RANKING_SLICES; n++)
        push_one(100 * S + n * 100 * MS, peer_of((uint8_t)n, 80, CAUSE_ABORTED, 2));
    assert_int_equal(total_at(RANKING_60S, 120 * S), 2 * RANKING_SLICES);
    assert_int_equal(total_at(RANKING_60S, 180 * S), 0);
}

/* What 32 bits do not hold is left out with its whole slice: sums stay right. */
static void counts_do_not_wrap(void **state)
{
    const struct ranking *ranking = ranking_of(RANKING_60S, DIRECTION_RECEIVED);

    (void)state;
    push_one(100 * S, peer_of(1, 80, CAUSE_ABORTED, 1));
    push_one(101 * S, peer_of(1, 80, CAUSE_ABORTED, UINT32_MAX - 10));
    push_one(102 * S, peer_of(1, 80, CAUSE_ABORTED, 10));
    assert_int_equal(total_at(RANKING_60S, 102 * S), UINT32_MAX);
    assert_int_equal(ranking->peers.peers[0].count, UINT32_MAX);
    push_one(103 * S, peer_of(1, 80, CAUSE_ABORTED, 1));
    assert_int_equal(total_at(RANKING_60S, 103 * S), 11);
    assert_int_equal(ranking->peers.peers[0].count, 11);
}

/* A source that takes the total a moment before the peers. */
static void more_listed_than_the_total_is_the_total(void **state)
{
    const struct ranking *ranking = ranking_of(RANKING_10S, DIRECTION_RECEIVED);
    struct peer_slice slice = {.end_ns = 100 * S, .totals = {98, 0, 98, 0}};
    const struct peer peer = peer_of(1, 80, CAUSE_ABORTED, 99), port = {.port = 80, .count = 100};

    (void)state;
    peer_slice_add(&slice, PEERS_RECEIVED, &peer);
    peer_slice_add(&slice, PORTS_RECEIVED, &port);
    ranker_push(&ranker, &slice);
    assert_int_equal(total_at(RANKING_10S, 100 * S), 100);
    assert_int_equal(ranking->peers.others, 1);
    assert_int_equal(ranking->ports.others, 0);
    slice = (struct peer_slice){.end_ns = 101 * S, .totals = {2, 0, 2, 0}};
    ranker_push(&ranker, &slice);
    assert_int_equal(total_at(RANKING_10S, 101 * S), 100);
}

/* ---- Port and cause ---- */

static void the_port_and_cause_of_more_than_half_are_told(void **state)
{
    const struct peer *peer = &ranking_of(RANKING_10S, DIRECTION_RECEIVED)->peers.peers[0];

    (void)state;
    push_one(100 * S, peer_of(1, 80, CAUSE_ABORTED, 10));
    push_one(101 * S, peer_of(1, 443, CAUSE_ABORTED, 11));
    push_one(102 * S, peer_of(1, 22, CAUSE_BLIND, 1));
    ranker_update(&ranker, 102 * S);
    assert_int_equal(peer->port, 0); /* 443 has half, which is not more than half */
    assert_int_equal(peer->cause, CAUSE_ABORTED);
    push_one(103 * S, peer_of(1, 443, CAUSE_BLIND, 20));
    ranker_update(&ranker, 103 * S);
    assert_int_equal(peer->count, 42);
    assert_int_equal(peer->port, 443);
    assert_int_equal(peer->cause, CAUSE_NONE);
}

/* ---- Ranks: each list against a reference ---- */

#define ADDRESSES 200 /* several times what a slice lists */

struct truth {
    struct peer peer; /* count: all of it */
    uint32_t listed;  /* in slices that list it */
    bool heavy;       /* more than 1 in PEERS_MAX + 1 of every slice */
};

/* Slices of a random number of peers of random weights; what a source would list of them. */
struct scene {
    struct random random;
    size_t slices;
    struct peer_slice slice[RANKING_SLICES];
    uint32_t count[RANKING_SLICES][ADDRESSES]; /* what is listed and what is not */
};

static struct peer numbered(enum peer_list list, uint32_t n)
{
    if (list == PORTS_RECEIVED || list == PORTS_SENT)
        return (struct peer){.port = (uint16_t)(n * 257)};
    return n % 2 == 0 ? (struct peer){.version = 4, .address = {10, 0, 0, (uint8_t)n}}
                      : (struct peer){.version = 6, .address = {10, 0, 0, (uint8_t)n}, .port = 7};
}

static void fill_slice(struct scene *scene, size_t number, enum peer_list list)
{
    struct peer_slice *slice = &scene->slice[number];

    for (uint32_t n = 0; n < ADDRESSES; n++) {
        struct peer peer = numbered(list, n);

        peer.count = random_one_in(&scene->random, 3)
                         ? (uint32_t)random_magnitude(&scene->random, n < 12 ? 16 : 8)
                         : 0;
        scene->count[number][n] = peer.count;
        slice->totals[list] += peer.count;
        if (peer.count > 0)
            peer_slice_add(slice, list, &peer);
    }
}

static uint32_t listed_count(const struct peer_slice *slice, enum peer_list list,
                             const struct peer *peer)
{
    for (uint32_t n = 0; n < slice->counts[list]; n++) {
        const struct peer *here = &slice->peers[list][n];

        if (here->version == peer->version && !memcmp(here->address, peer->address, 16) &&
            (peer->version != 0 || here->port == peer->port))
            return here->count;
    }
    return 0;
}

static struct truth truth_of(const struct scene *scene, enum peer_list list, uint32_t n,
                             int64_t after_ns, int64_t now_ns)
{
    struct truth truth = {.peer = numbered(list, n), .heavy = true};

    for (size_t i = 0; i < scene->slices; i++) {
        const struct peer_slice *slice = &scene->slice[i];

        if (slice->end_ns <= after_ns || slice->end_ns > now_ns)
            continue;
        truth.peer.count += scene->count[i][n];
        truth.listed += listed_count(slice, list, &truth.peer);
        if ((uint64_t)scene->count[i][n] * (PEERS_MAX + 1) <= slice->totals[list])
            truth.heavy = false;
    }
    return truth;
}

static const struct peer *ranked_as(const struct ranked *ranked, const struct peer *peer)
{
    for (uint32_t n = 0; n < ranked->count; n++)
        if (ranked->peers[n].version == peer->version &&
            !memcmp(ranked->peers[n].address, peer->address, 16) &&
            (peer->version != 0 || ranked->peers[n].port == peer->port))
            return &ranked->peers[n];
    return NULL;
}

static void check_list(const struct scene *scene, enum peer_list list, int64_t after_ns,
                       int64_t now_ns, const struct ranked *ranked, uint32_t total)
{
    uint64_t sum = ranked->others, whole = 0;
    uint32_t known = 0;

    for (uint32_t n = 0; n < ranked->count; n++) {
        sum += ranked->peers[n].count;
        assert_true(ranked->peers[n].count > 0);
        assert_true(n == 0 || ranked->peers[n].count <= ranked->peers[n - 1].count);
    }
    assert_int_equal(sum, total);
    for (uint32_t n = 0; n < ADDRESSES; n++) {
        struct truth truth = truth_of(scene, list, n, after_ns, now_ns);
        const struct peer *peer = ranked_as(ranked, &truth.peer);

        whole += truth.peer.count;
        known += truth.listed > 0;
        if (peer)
            assert_int_equal(peer->count, truth.listed);
        else if (truth.listed > 0) /* no lighter one stands in its place */
            assert_true(ranked->count == RANKS && truth.listed <= ranked->peers[RANKS - 1].count);
        assert_true(truth.listed <= truth.peer.count);
        if (truth.heavy)
            assert_int_equal(truth.listed, truth.peer.count);
    }
    assert_int_equal(total, whole);
    assert_int_equal(ranked->count, known < RANKS ? known : RANKS);
}

static bool is_of_sent(enum peer_list list)
{
    return list == PEERS_SENT || list == PORTS_SENT;
}

static bool is_of_ports(enum peer_list list)
{
    return list == PORTS_RECEIVED || list == PORTS_SENT;
}

/* A minute or less of slices that are about a second each, with one list filled. */
static void fill_scene(struct scene *scene, enum peer_list list)
{
    int64_t time_ns = 100 * S;

    scene->slices = (size_t)random_between(&scene->random, 1, RANKING_SLICES);
    for (size_t n = 0; n < scene->slices; n++) {
        struct peer_slice *slice = &scene->slice[n];

        time_ns += random_between(&scene->random, 1000 * MS, 1100 * MS);
        slice->end_ns = time_ns;
        fill_slice(scene, n, list);
        slice->totals[is_of_sent(list) ? PEERS_SENT : PEERS_RECEIVED] = slice->totals[list];
        ranker_push(&ranker, slice);
        if (random_one_in(&scene->random, 10))
            ranker_update(&ranker, time_ns);
    }
}

static void check_at(const struct scene *scene, enum peer_list list, int64_t now_ns)
{
    ranker_update(&ranker, now_ns);
    for (enum ranking_window window = 0; window < RANKING_WINDOWS; window++) {
        const struct ranking *ranking =
            ranking_of(window, is_of_sent(list) ? DIRECTION_SENT : DIRECTION_RECEIVED);

        check_list(scene, list, now_ns - ranking_window_s[window] * S, now_ns,
                   is_of_ports(list) ? &ranking->ports : &ranking->peers, ranking->total);
    }
}

static void ranks_are_those_of_the_reference(void **state)
{
    static struct scene scene;

    for (uint64_t run = 0; run < 100; run++) {
        enum peer_list list = run % PEER_LISTS;

        start(state);
        memset(&scene, 0, sizeof scene);
        scene.random = (struct random){random_first_seed() + run};
        fill_scene(&scene, list);
        for (int n = 0; n < 4; n++)
            check_at(&scene, list,
                     scene.slice[scene.slices - 1].end_ns +
                         random_between(&scene.random, -65 * S, 5 * S));
    }
}

/* What does not change by itself does not change its rank. */
static void the_order_of_equals_is_not_that_of_their_coming(void **state)
{
    const struct ranked *ranked = &ranking_of(RANKING_10S, DIRECTION_RECEIVED)->peers;

    (void)state;
    for (int turn = 0; turn < 2; turn++) {
        for (uint8_t n = 0; n < 20; n++)
            push_one((100 + turn) * S + n, peer_of(turn == 0 ? n : 19 - n, 80, CAUSE_ABORTED, 1));
        ranker_update(&ranker, (100 + turn) * S + 20);
        for (uint8_t n = 0; n < RANKS; n++)
            assert_int_equal(ranked->peers[n].address[3], n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_is_0, start),
        cmocka_unit_test_setup(a_slice_is_of_the_windows_in_which_it_ends, start),
        cmocka_unit_test_setup(each_direction_has_its_own, start),
        cmocka_unit_test_setup(more_slices_than_fit_shorten_the_window, start),
        cmocka_unit_test_setup(counts_do_not_wrap, start),
        cmocka_unit_test_setup(more_listed_than_the_total_is_the_total, start),
        cmocka_unit_test_setup(the_port_and_cause_of_more_than_half_are_told, start),
        cmocka_unit_test_setup(ranks_are_those_of_the_reference, start),
        cmocka_unit_test_setup(the_order_of_equals_is_not_that_of_their_coming, start),
    };

    return cmocka_run_group_tests_name("ranking", tests, NULL, NULL);
}
