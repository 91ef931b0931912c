/* Files of samples that are played in place of the kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/reader.h"
#include "platform/replay.h"
#include "tests/unit/random.h"

#define MS INT64_C(1000000)

static char error[200];

/* Parses from a buffer of exactly that size, so that a sanitizer sees every byte too far. */
static bool parse_bytes(const char *text, size_t length, struct replay *replay)
{
    char *exact = malloc(length ? length : 1);

    assert_non_null(exact);
    memcpy(exact, text, length);

    bool good = replay_parse(exact, length, "file", replay, error, sizeof error);

    free(exact);
    return good;
}

static struct replay parse(const char *text)
{
    struct replay replay;

    if (!parse_bytes(text, strlen(text), &replay))
        fail_msg("%s", error);
    return replay;
}

static void assert_error(const char *text, const char *expected)
{
    struct replay replay;

    assert_false(parse_bytes(text, strlen(text), &replay));
    assert_string_equal(error, expected);
    assert_null(replay.lines);
    assert_int_equal(replay.count, 0);
}

static void a_line_is_a_sample(void **state)
{
    struct replay replay = parse("time_ms=0 tcpResetReceived=12 tcpResetSent=0 "
                                 "tcpResetListenDrops=18446744073709551615\n");
    const struct sample *sample = &replay.lines[0].sample;

    (void)state;
    assert_int_equal(replay.count, 1);
    assert_int_equal(replay.lines[0].time_ns, 0);
    assert_int_equal(replay.lines[0].number, 1);
    assert_false(replay.lines[0].fail);
    assert_int_equal(sample->valid, UINT64_C(1) << COUNTER_RECEIVED | UINT64_C(1) << COUNTER_SENT |
                                        UINT64_C(1) << COUNTER_LISTEN_DROPS);
    assert_int_equal(sample->counter[COUNTER_RECEIVED], 12);
    assert_int_equal(sample->counter[COUNTER_SENT], 0);
    assert_int_equal(sample->counter[COUNTER_LISTEN_DROPS], UINT64_MAX);
    assert_int_equal(sample->sources, 1 << SOURCE_REPLAY);
    assert_int_equal(sample->received_method, METHOD_ESTIMATED);
    assert_int_equal(sample->sent_method, METHOD_ESTIMATED);
    assert_int_equal(sample->syn_cookie_state, SYN_COOKIES_UNKNOWN);
    replay_free(&replay);
}

static void every_counter_can_be_played(void **state)
{
    (void)state;
    for (enum counter id = 0; id < COUNTER_COUNT; id++) {
        char text[100];

        snprintf(text, sizeof text, "time_ms=0 %s=7\n", counter_names[id]);

        struct replay replay = parse(text);

        assert_int_equal(replay.lines[0].sample.valid, UINT64_C(1) << id);
        assert_int_equal(replay.lines[0].sample.counter[id], 7);
        replay_free(&replay);
    }
}

static void comments_and_empty_lines_are_skipped(void **state)
{
    struct replay replay = parse("# a flood\n"
                                 "\n"
                                 "  \t\r\n"
                                 "time_ms=0\ttcpResetSent=1 # then nothing\r\n"
                                 "   # tcpResetSent=2\n"
                                 "  time_ms=100 #tcpResetSent=3");

    (void)state;
    assert_int_equal(replay.count, 2);
    assert_int_equal(replay.lines[0].number, 4);
    assert_int_equal(replay.lines[0].sample.counter[COUNTER_SENT], 1);
    assert_int_equal(replay.lines[1].number, 6);
    assert_int_equal(replay.lines[1].time_ns, 100 * MS);
    assert_int_equal(replay.lines[1].sample.valid, 0);
    replay_free(&replay);
}

static void methods_and_states_have_names(void **state)
{
    static const struct {
        const char *text;
        uint8_t received, sent, cookies;
    } cases[] = {
        {"time_ms=0", 0, 0, 0},
        {"time_ms=0 tcpResetSent=1", 0, METHOD_ESTIMATED, 0},
        {"time_ms=0 received_method=exact tcpResetReceived=1", METHOD_EXACT, 0, 0},
        {"time_ms=0 tcpResetSent=1 sent_method=exact", 0, METHOD_EXACT, 0},
        {"time_ms=0 received_method=estimated", METHOD_ESTIMATED, 0, 0},
        {"time_ms=0 syn_cookie_state=0", 0, 0, SYN_COOKIES_UNKNOWN},
        {"time_ms=0 syn_cookie_state=3", 0, 0, SYN_COOKIES_ALWAYS},
        {"time_ms=0 syn_cookie_state=unknown", 0, 0, SYN_COOKIES_UNKNOWN},
        {"time_ms=0 syn_cookie_state=disabled", 0, 0, SYN_COOKIES_DISABLED},
        {"time_ms=0 syn_cookie_state=onOverflow", 0, 0, SYN_COOKIES_ON_OVERFLOW},
        {"time_ms=0 syn_cookie_state=always", 0, 0, SYN_COOKIES_ALWAYS},
    };

    (void)state;
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        struct replay replay = parse(cases[n].text);

        assert_int_equal(replay.lines[0].sample.received_method, cases[n].received);
        assert_int_equal(replay.lines[0].sample.sent_method, cases[n].sent);
        assert_int_equal(replay.lines[0].sample.syn_cookie_state, cases[n].cookies);
        replay_free(&replay);
    }
}

static void causes_are_measured_unless_the_line_says_otherwise(void **state)
{
    static const struct {
        const char *text;
        uint8_t method;
    } cases[] = {
        {"time_ms=0 tcpResetReceived=1", CAUSES_UNKNOWN},
        {"time_ms=0 received.noListener=0", CAUSES_MEASURED},
        {"time_ms=0 sent.unexplained=1", CAUSES_MEASURED},
        {"time_ms=0 sent.aborted=1 cause_method=derived", CAUSES_DERIVED},
        {"time_ms=0 cause_method=derived sent.aborted=1", CAUSES_DERIVED},
        {"time_ms=0 sent.aborted=1 cause_method=measured", CAUSES_MEASURED},
        {"time_ms=0 cause_method=measured", CAUSES_MEASURED},
    };

    (void)state;
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        struct replay replay = parse(cases[n].text);

        assert_int_equal(replay.lines[0].sample.cause_method, cases[n].method);
        replay_free(&replay);
    }
}

static void errors_name_the_line_and_the_key(void **state)
{
    static const char counter[] =
        "file:2: tcpResetSent: a number from 0 to 18446744073709551615 expected";
    static const char time[] = "file:1: time_ms: a number from 0 to 9223372036854 expected";
    static const char later[] =
        "file:2: time_ms: a later time than that of the line before expected";

    (void)state;
    assert_error("", "file: no samples: a line time_ms=0 expected");
    assert_error("# nothing\n\n", "file: no samples: a line time_ms=0 expected");
    assert_error("tcpResetSent=1\n", "file:1: time_ms: missing in this line");
    assert_error("time_ms=1\n", "file:1: time_ms: 0 expected in the first line");
    assert_error("time_ms=\n", time);
    assert_error("time_ms=-1\n", time);
    assert_error("time_ms=9223372036855\n", time);
    assert_error("time_ms=0\ntime_ms=0\n", later);
    assert_error("time_ms=0\ntime_ms=100\n\ntime_ms=50\n",
                 "file:4: time_ms: a later time than that of the line before expected");
    assert_error("time_ms=0\ntime_ms=1 tcpResetSent=\n", counter);
    assert_error("time_ms=0\ntime_ms=1 tcpResetSent=x\n", counter);
    assert_error("time_ms=0\ntime_ms=1 tcpResetSent=-1\n", counter);
    assert_error("time_ms=0\ntime_ms=1 tcpResetSent=18446744073709551616\n", counter);
    assert_error("time_ms=0 time_ms=0\n", "file:1: time_ms: stands twice in the line");
    assert_error("time_ms=0 tcpResetSent=1 tcpResetSent=1\n",
                 "file:1: tcpResetSent: stands twice in the line");
    assert_error("time_ms=0 fail=1 fail=1\n", "file:1: fail: stands twice in the line");
    assert_error("time_ms=0 tcpResetSend=1\n", "file:1: tcpResetSend: no such key");
    assert_error("time_ms=0 tcpresetsent=1\n", "file:1: tcpresetsent: no such key");
    assert_error("time_ms=0 =1\n", "file:1: : no such key");
    assert_error("time_ms=0 tcpResetSent\n", "file:1: tcpResetSent: <key>=<value> expected");
    assert_error("time_ms=0 tcpResetSent =1\n", "file:1: tcpResetSent: <key>=<value> expected");
    assert_error("time_ms=0 fail=2\n", "file:1: fail: 0 or 1 expected");
    assert_error("time_ms=0 sent_method=good\n",
                 "file:1: sent_method: exact or estimated expected");
    assert_error("time_ms=0 received_method=1\n",
                 "file:1: received_method: exact or estimated expected");
    assert_error("time_ms=0 cause_method=exact\n",
                 "file:1: cause_method: measured or derived expected");
    assert_error("time_ms=0 received.refused=1\n", "file:1: received.refused: no such key");
    assert_error("time_ms=0 received.other=1\n", "file:1: received.other: no such key");
    assert_error("time_ms=0 syn_cookie_state=4\n",
                 "file:1: syn_cookie_state: 0 to 3, unknown, disabled, onOverflow or always "
                 "expected");
    assert_error("time_ms=0 sent.others=x\n",
                 "file:1: sent.others: a number from 0 to 4294967295 expected");
    assert_error("time_ms=0 sent.others=1 sent.others=1\n",
                 "file:1: sent.others: stands twice in the line");
    assert_error("time_ms=0 0123456789012345678901234567890123456789xyz\n",
                 "file:1: 0123456789012345678901234567890123456789: <key>=<value> expected");
}

static void assert_peer_error(const char *peers, const char *what)
{
    char text[200], expected[200];

    snprintf(text, sizeof text, "time_ms=0\ntime_ms=1 %s\n", peers);
    snprintf(expected, sizeof expected, "file:2: received.peer: %s", what);
    assert_error(text, expected);
}

static void errors_tell_what_is_wrong_with_a_peer(void **state)
{
#define FIELDS "ADDRESS,PORT,CAUSE,COUNT expected: "
    static const char count[] = FIELDS "not a count from 1 to 4294967295";

    (void)state;
    assert_peer_error("received.peer=", FIELDS "not an address");
    assert_peer_error("received.peer=192.0.2,80,aborted,1", FIELDS "not an address");
    assert_peer_error("received.peer=2001:db8::x,80,aborted,1", FIELDS "not an address");
    assert_peer_error("received.peer=0000:0000:0000:0000:0000:0000:255.255.255.255.,80,aborted,1",
                      FIELDS "not an address");
    assert_peer_error("received.peer=192.0.2.7", FIELDS "not a port");
    assert_peer_error("received.peer=192.0.2.7,65536,aborted,1", FIELDS "not a port");
    assert_peer_error("received.peer=192.0.2.7,80,refused,1", FIELDS "not a cause");
    assert_peer_error("received.peer=192.0.2.7,80,aborted", count);
    assert_peer_error("received.peer=192.0.2.7,80,aborted,0", count);
    assert_peer_error("received.peer=192.0.2.7,80,aborted,1,1", count);
    assert_peer_error("received.peer=192.0.2.7,80,aborted,4294967296", count);
    assert_peer_error("received.peer=192.0.2.7,80,aborted,1 received.peer=192.0.2.7,81,aborted,1",
                      "the address stands twice in the line");
    assert_peer_error("received.others=4294967295 received.peer=192.0.2.7,80,aborted,1",
                      "more than 4294967295 resets in the line");
#undef FIELDS
}

static void a_line_has_no_more_peers_than_a_slice(void **state)
{
    char text[2000];
    int length = sprintf(text, "time_ms=0");

    (void)state;
    for (int n = 0; n < PEERS_MAX; n++)
        length += sprintf(text + length, " sent.peer=192.0.2.%d,80,aborted,1", n);

    struct replay replay = parse(text);

    assert_int_equal(replay.lines[0].slice->counts[PEERS_SENT], PEERS_MAX);
    replay_free(&replay);
    sprintf(text + length, " sent.peer=192.0.2.99,80,aborted,1");
    assert_error(text, "file:1: sent.peer: at most 32 in a line expected");
}

static void a_line_with_peers_is_a_slice(void **state)
{
    struct replay replay = parse("time_ms=0\n"
                                 "time_ms=1000 received.peer=192.0.2.7,443,noListener,100"
                                 " received.peer=2001:db8::7,443,blind,200"
                                 " received.peer=192.0.2.8,22,other,30 received.others=5\n"
                                 "time_ms=1500 sent.others=4\n");
    const struct peer_slice *slice = replay.lines[1].slice;
    const struct peer *peers = slice->peers[PEERS_RECEIVED], *ports = slice->peers[PORTS_RECEIVED];

    (void)state;
    assert_null(replay.lines[0].slice);
    assert_int_equal(slice->begin_ns, 0);
    assert_int_equal(slice->end_ns, 1000 * MS);
    assert_int_equal(slice->totals[PEERS_RECEIVED], 335);
    assert_int_equal(slice->totals[PORTS_RECEIVED], 335);
    assert_int_equal(slice->counts[PEERS_RECEIVED], 3);
    assert_int_equal(peers[0].version, 6);
    assert_int_equal(peers[0].address[15], 7);
    assert_int_equal(peers[0].cause, CAUSE_BLIND);
    assert_int_equal(peers[1].version, 4);
    assert_memory_equal(peers[1].address, ((const uint8_t[16]){192, 0, 2, 7}), 16);
    assert_int_equal(peers[1].port, 443);
    assert_int_equal(peers[1].count, 100);
    assert_int_equal(peers[2].cause, CAUSE_NONE);
    assert_int_equal(slice->counts[PORTS_RECEIVED], 2);
    assert_int_equal(ports[0].port, 443);
    assert_int_equal(ports[0].count, 300);
    assert_int_equal(ports[0].cause, CAUSE_BLIND); /* that of its heaviest peer */
    assert_int_equal(ports[0].version, 0);
    assert_int_equal(ports[1].port, 22);
    assert_int_equal(slice->totals[PEERS_SENT], 0);

    assert_int_equal(replay.lines[2].slice->begin_ns, 1000 * MS);
    assert_int_equal(replay.lines[2].slice->totals[PEERS_SENT], 4);
    assert_int_equal(replay.lines[2].slice->counts[PEERS_SENT], 0);
    replay_free(&replay);
}

static void a_nul_ends_nothing(void **state)
{
    static const char text[] = "time_ms\0=0\n", value[] = "time_ms=0 sent_method=exact\0ly\n",
                      address[] = "time_ms=0 sent.peer=192.0.2.7\0,1,blind,1\n";
    struct replay replay;

    (void)state;
    assert_false(parse_bytes(text, sizeof text - 1, &replay));
    assert_false(parse_bytes(value, sizeof value - 1, &replay));
    assert_false(parse_bytes(address, sizeof address - 1, &replay));
}

static void every_cut_is_survived(void **state)
{
    static const char text[] = "time_ms=0 tcpResetSent=1 syn_cookie_state=always # x\n"
                               "time_ms=10 sent_method=exact fail=1 sent.others=3\n"
                               "time_ms=20 received.peer=2001:db8::7,443,blind,200\n";

    (void)state;
    for (size_t cut = 0; cut < sizeof text; cut++) {
        struct replay replay;

        if (parse_bytes(text, cut, &replay))
            replay_free(&replay);
    }
}

static void the_line_that_holds_is_the_last_one_not_later(void **state)
{
    struct replay replay = parse("time_ms=0\ntime_ms=100\ntime_ms=101\ntime_ms=5000\n");
    static const struct {
        int64_t elapsed_ns;
        size_t line;
    } cases[] = {
        {-1, 0},       {0, 0},         {99 * MS + 999999, 0}, {100 * MS, 1},  {100 * MS + 1, 1},
        {101 * MS, 2}, {4999 * MS, 2}, {5000 * MS, 3},        {INT64_MAX, 3},
    };

    (void)state;
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++)
        assert_ptr_equal(replay_at(&replay, cases[n].elapsed_ns), &replay.lines[cases[n].line]);
    replay_free(&replay);
}

static void many_lines_are_kept_in_order(void **state)
{
    enum { LINES = 1000 };
    char *text = malloc(LINES * 40);
    size_t length = 0;

    (void)state;
    assert_non_null(text);
    for (int n = 0; n < LINES; n++)
        length += (size_t)sprintf(text + length, "time_ms=%d tcpResetSent=%d\n", 100 * n, n);

    struct replay replay = parse(text);

    free(text);
    assert_int_equal(replay.count, LINES);
    for (int n = 0; n < LINES; n++)
        assert_int_equal(replay_at(&replay, 100 * n * MS)->sample.counter[COUNTER_SENT], n);
    replay_free(&replay);
}

/* Opens a reader on a file with this text. */
static struct reader *open_text(const char *text)
{
    char path[] = "/tmp/test_replay.XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);

    struct reader *reader = NULL;
    enum reader_open result = replay_reader.open(&reader, path, error, sizeof error);

    unlink(path);
    return result == READER_OPEN ? reader : NULL;
}

static bool read_at(struct reader *reader, int64_t time_ns, struct sample *sample)
{
    *sample = (struct sample){.time_ns = time_ns};
    return replay_reader.read(reader, sample, error, sizeof error);
}

static void the_reader_plays_from_its_first_reading(void **state)
{
    struct reader *reader = open_text("time_ms=0 tcpResetSent=5 tcpResetListenDrops=1\n"
                                      "time_ms=100 tcpResetSent=6 syn_cookie_state=disabled\n"
                                      "time_ms=200 fail=1\n"
                                      "time_ms=300 tcpResetSent=9 sent_method=exact "
                                      "sent.aborted=4 cause_method=derived\n");
    const int64_t start = 7777 * MS;
    struct sample sample;

    (void)state;
    assert_non_null(reader);
    assert_true(read_at(reader, start, &sample));
    assert_int_equal(sample.counter[COUNTER_SENT], 5);
    assert_true(sample_has(&sample, COUNTER_LISTEN_DROPS));
    assert_int_equal(sample.time_ns, start);
    assert_int_equal(sample.sources, 1 << SOURCE_REPLAY);
    assert_int_equal(sample.sent_method, METHOD_ESTIMATED);

    assert_true(read_at(reader, start + 150 * MS, &sample));
    assert_int_equal(sample.counter[COUNTER_SENT], 6);
    assert_false(sample_has(&sample, COUNTER_LISTEN_DROPS));
    assert_int_equal(sample.syn_cookie_state, SYN_COOKIES_DISABLED);

    assert_false(read_at(reader, start + 200 * MS, &sample));
    assert_non_null(strstr(error, ":3: fail=1"));

    assert_true(read_at(reader, start + 300 * MS, &sample));
    assert_int_equal(sample.sent_method, METHOD_EXACT);
    assert_int_equal(sample.counter[COUNTER_SENT_ABORTED], 4);
    assert_int_equal(sample.cause_method, CAUSES_DERIVED);
    assert_true(read_at(reader, start + 86400000 * MS, &sample));
    assert_int_equal(sample.counter[COUNTER_SENT], 9);
    replay_reader.close(reader);
}

static bool peers_at(struct reader *reader, int64_t time_ns, uint32_t *total, int64_t *end_ns)
{
    struct peer_slice slice = {0};
    struct sample sample;
    bool told;

    read_at(reader, time_ns, &sample);
    assert_true(sample.peers_known);
    told = replay_reader.read_peers(reader, time_ns, &slice);
    *total = slice.totals[PEERS_SENT];
    *end_ns = slice.end_ns;
    return told;
}

/* Once each, and in their order, also those of lines that were passed over. */
static void the_reader_tells_every_slice_once(void **state)
{
    struct reader *reader = open_text("time_ms=0 sent.others=1\n"
                                      "time_ms=100\n"
                                      "time_ms=200 sent.others=2\n"
                                      "time_ms=300 sent.others=3\n");
    const int64_t start = 7777 * MS;
    int64_t end_ns;
    uint32_t total;

    (void)state;
    assert_true(peers_at(reader, start, &total, &end_ns));
    assert_int_equal(total, 1);
    assert_int_equal(end_ns, start);
    assert_false(peers_at(reader, start + 199 * MS, &total, &end_ns));
    assert_true(peers_at(reader, start + 350 * MS, &total, &end_ns));
    assert_int_equal(total, 2);
    assert_int_equal(end_ns, start + 200 * MS);
    assert_true(peers_at(reader, start + 351 * MS, &total, &end_ns));
    assert_int_equal(total, 3);
    assert_false(peers_at(reader, start + 352 * MS, &total, &end_ns));
    replay_reader.close(reader);
}

static void a_file_without_peers_knows_none(void **state)
{
    struct reader *reader = open_text("time_ms=0 tcpResetSent=5\n");
    struct peer_slice slice;
    struct sample sample;

    (void)state;
    assert_true(read_at(reader, 7777 * MS, &sample));
    assert_false(sample.peers_known);
    assert_false(replay_reader.read_peers(reader, 7777 * MS, &slice));
    replay_reader.close(reader);
}

static void the_reader_tells_why_it_cannot_open(void **state)
{
    struct reader *reader;

    (void)state;
    assert_int_equal(replay_reader.open(&reader, "tests/data/none", error, sizeof error),
                     READER_FAILED);
    assert_string_equal(error, "tests/data/none: No such file or directory");
    assert_int_equal(replay_reader.open(&reader, "tests", error, sizeof error), READER_FAILED);
    assert_string_equal(error, "tests: Is a directory");
    assert_null(open_text("time_ms=0\ntime_ms=1 what=2\n"));
    assert_non_null(strstr(error, ":2: what: no such key"));
    assert_false(replay_reader.automatic);
}

/* ---- Writing ---- */

static struct sample random_sample(struct random *random)
{
    struct sample sample = {.sources = 1 << SOURCE_REPLAY};

    for (enum counter id = 0; id < COUNTER_COUNT; id++)
        if (random_one_in(random, 2))
            sample_set(&sample, id, random_magnitude(random, 64));
    sample.syn_cookie_state = (uint8_t)random_between(random, 0, SYN_COOKIES_ALWAYS);
    /* What is known has a method, and only that: as readers do. */
    if (sample_has(&sample, COUNTER_RECEIVED))
        sample.received_method = (uint8_t)random_between(random, 1, METHOD_ESTIMATED);
    if (sample_has(&sample, COUNTER_SENT))
        sample.sent_method = (uint8_t)random_between(random, 1, METHOD_ESTIMATED);
    if (sample.valid >> COUNTER_BY_CAUSE)
        sample.cause_method = (uint8_t)random_between(random, 1, CAUSES_DERIVED);
    return sample;
}

static void what_is_written_is_parsed_to_the_same(void **state)
{
    struct random random = {random_first_seed()};
    struct sample samples[200];
    struct replay replay;
    char *text;
    size_t length;
    FILE *file = open_memstream(&text, &length);

    (void)state;
    assert_non_null(file);
    for (size_t n = 0; n < ARRAY_SIZE(samples); n++) {
        samples[n] = random_sample(&random);
        replay_print(file, (int64_t)n * 100, &samples[n]);
    }
    replay_print_failure(file, 100000);
    fclose(file);
    if (!parse_bytes(text, length, &replay))
        fail_msg("%s", error);
    assert_int_equal(replay.count, ARRAY_SIZE(samples) + 1);
    for (size_t n = 0; n < ARRAY_SIZE(samples); n++) {
        assert_int_equal(replay.lines[n].time_ns, (int64_t)n * 100 * MS);
        assert_false(replay.lines[n].fail);
        assert_memory_equal(&replay.lines[n].sample, &samples[n], sizeof *samples);
    }
    assert_true(replay.lines[ARRAY_SIZE(samples)].fail);
    replay_free(&replay);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_a_sample),
        cmocka_unit_test(every_counter_can_be_played),
        cmocka_unit_test(comments_and_empty_lines_are_skipped),
        cmocka_unit_test(methods_and_states_have_names),
        cmocka_unit_test(causes_are_measured_unless_the_line_says_otherwise),
        cmocka_unit_test(errors_name_the_line_and_the_key),
        cmocka_unit_test(errors_tell_what_is_wrong_with_a_peer),
        cmocka_unit_test(a_line_has_no_more_peers_than_a_slice),
        cmocka_unit_test(a_line_with_peers_is_a_slice),
        cmocka_unit_test(a_nul_ends_nothing),
        cmocka_unit_test(every_cut_is_survived),
        cmocka_unit_test(the_line_that_holds_is_the_last_one_not_later),
        cmocka_unit_test(many_lines_are_kept_in_order),
        cmocka_unit_test(the_reader_plays_from_its_first_reading),
        cmocka_unit_test(the_reader_tells_every_slice_once),
        cmocka_unit_test(a_file_without_peers_knows_none),
        cmocka_unit_test(the_reader_tells_why_it_cannot_open),
        cmocka_unit_test(what_is_written_is_parsed_to_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
