#include "platform/replay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "platform/reader.h"

#define NS_PER_MS INT64_C(1000000)
#define FILE_MAX  (16UL * 1024 * 1024) /* bytes */

#define LENGTH(array) ((int)(sizeof(array) / sizeof *(array)))

static const char *const state_names[] = {
    [SYN_COOKIES_UNKNOWN] = "unknown",
    [SYN_COOKIES_DISABLED] = "disabled",
    [SYN_COOKIES_ON_OVERFLOW] = "onOverflow",
    [SYN_COOKIES_ALWAYS] = "always",
};

static const char *const method_names[] = {
    [METHOD_EXACT] = "exact",
    [METHOD_ESTIMATED] = "estimated",
};

static const char *const cause_method_names[] = {
    [CAUSES_MEASURED] = "measured",
    [CAUSES_DERIVED] = "derived",
};

/* A part of the text: from `at` up to, but without, `end`. */
struct span {
    const char *at, *end;
};

/* The keys that are no counters; COUNTER_COUNT and up in the set of keys seen. */
enum key {
    KEY_TIME = COUNTER_COUNT,
    KEY_SYN_COOKIE_STATE,
    KEY_RECEIVED_METHOD,
    KEY_SENT_METHOD,
    KEY_CAUSE_METHOD,
    KEY_FAIL,
    KEY_RECEIVED_PEER,
    KEY_SENT_PEER,
    KEY_RECEIVED_OTHERS,
    KEY_SENT_OTHERS,
    KEY_COUNT
};

static const char *const key_names[KEY_COUNT - COUNTER_COUNT] = {
    "time_ms", "syn_cookie_state", "received_method", "sent_method",     "cause_method",
    "fail",    "received.peer",    "sent.peer",       "received.others", "sent.others",
};

_Static_assert(KEY_COUNT <= 64, "the keys seen in a line are 64 bits");

struct parser {
    struct span rest;
    const char *name;
    size_t line_number;
    uint64_t seen; /* bit n: enum counter or enum key n stands in this line */
    struct replay *replay;
    size_t room;      /* lines allocated */
    bool peers_known; /* some line has a slice */
    char *error;
    size_t error_size;
};

static int span_length(struct span span)
{
    return (int)(span.end - span.at);
}

static bool span_is(struct span span, const char *string)
{
    size_t length = (size_t)(span.end - span.at);

    return strlen(string) == length && !memcmp(span.at, string, length);
}

static const char *key_name(int key)
{
    return key < COUNTER_COUNT ? counter_names[key] : key_names[key - COUNTER_COUNT];
}

/* "name:line: key: what". A key that is none may be long: 40 bytes show it. */
static bool fail(const struct parser *parser, struct span key, const char *what)
{
    int length = span_length(key);

    snprintf(parser->error, parser->error_size, "%s:%zu: %.*s: %s", parser->name,
             parser->line_number, length < 40 ? length : 40, key.at, what);
    return false;
}

static bool fail_key(const struct parser *parser, int key, const char *what)
{
    const char *name = key_name(key);

    return fail(parser, (struct span){name, name + strlen(name)}, what);
}

static bool parse_number(struct span word, uint64_t max, uint64_t *number)
{
    uint64_t sum = 0;

    if (word.at == word.end)
        return false;
    for (const char *at = word.at; at < word.end; at++) {
        if (*at < '0' || *at > '9' || __builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)(*at - '0'), &sum))
            return false;
    }
    *number = sum;
    return sum <= max;
}

/* The place of `word` in a list of names that may be NULL; -1 if it is not there. */
static int find_name(struct span word, const char *const names[], int count)
{
    for (int n = 0; n < count; n++) {
        if (names[n] && span_is(word, names[n]))
            return n;
    }
    return -1;
}

static bool parse_time(const struct parser *parser, struct span value, struct replay_line *line)
{
    const struct replay *replay = parser->replay;
    uint64_t time_ms;

    if (!parse_number(value, (uint64_t)(INT64_MAX / NS_PER_MS), &time_ms))
        return fail_key(parser, KEY_TIME, "a number from 0 to 9223372036854 expected");
    line->time_ns = (int64_t)time_ms * NS_PER_MS;
    if (!replay->count && line->time_ns)
        return fail_key(parser, KEY_TIME, "0 expected in the first line");
    if (replay->count && line->time_ns <= replay->lines[replay->count - 1].time_ns)
        return fail_key(parser, KEY_TIME, "a later time than that of the line before expected");
    return true;
}

static bool parse_counter(const struct parser *parser, struct span value, int key,
                          struct replay_line *line)
{
    uint64_t number;

    if (!parse_number(value, UINT64_MAX, &number))
        return fail_key(parser, key, "a number from 0 to 18446744073709551615 expected");
    sample_set(&line->sample, (enum counter)key, number);
    return true;
}

static bool parse_state(const struct parser *parser, struct span value, struct replay_line *line)
{
    uint64_t number;
    int state = find_name(value, state_names, LENGTH(state_names));

    if (state < 0 && parse_number(value, SYN_COOKIES_ALWAYS, &number))
        state = (int)number;
    if (state < 0)
        return fail_key(parser, KEY_SYN_COOKIE_STATE,
                        "0 to 3, unknown, disabled, onOverflow or always expected");
    line->sample.syn_cookie_state = (uint8_t)state;
    return true;
}

static bool parse_method(const struct parser *parser, struct span value, int key, uint8_t *method)
{
    int found = find_name(value, method_names, LENGTH(method_names));

    if (found < 0)
        return fail_key(parser, key, "exact or estimated expected");
    *method = (uint8_t)found;
    return true;
}

static bool parse_cause_method(const struct parser *parser, struct span value,
                               struct replay_line *line)
{
    int found = find_name(value, cause_method_names, LENGTH(cause_method_names));

    if (found < 0)
        return fail_key(parser, KEY_CAUSE_METHOD, "measured or derived expected");
    line->sample.cause_method = (uint8_t)found;
    return true;
}

static bool parse_fail(const struct parser *parser, struct span value, struct replay_line *line)
{
    uint64_t number;

    if (!parse_number(value, 1, &number))
        return fail_key(parser, KEY_FAIL, "0 or 1 expected");
    line->fail = number;
    return true;
}

/* ---- Peers ---- */

static bool is_peer_key(int key)
{
    return key == KEY_RECEIVED_PEER || key == KEY_SENT_PEER;
}

/* The slice of a line, made with the first key that needs it. NULL: errno. */
static struct peer_slice *slice_of(struct replay_line *line)
{
    if (!line->slice)
        line->slice = calloc(1, sizeof *line->slice);
    return line->slice;
}

/* Takes what stands before the next comma, or all the rest; empty where nothing is left. */
static struct span next_field(struct span *rest)
{
    const char *comma =
        rest->at < rest->end ? memchr(rest->at, ',', (size_t)span_length(*rest)) : NULL;
    struct span field = {rest->at, comma ? comma : rest->end};

    rest->at = comma ? comma + 1 : rest->end;
    return field;
}

static bool parse_address(struct span word, struct peer *peer)
{
    char text[INET6_ADDRSTRLEN];
    size_t length = (size_t)span_length(word);

    if (length >= sizeof text || memchr(word.at, '\0', length))
        return false;
    memcpy(text, word.at, length);
    text[length] = '\0';
    peer->version = memchr(text, ':', length) ? 6 : 4;
    return inet_pton(peer->version == 6 ? AF_INET6 : AF_INET, text, peer->address) == 1;
}

/* What is wrong with it; NULL: nothing. */
static const char *parse_peer_fields(struct span rest, struct peer *peer)
{
    struct span address = next_field(&rest), port = next_field(&rest), cause = next_field(&rest);
    uint64_t port_number, count;
    int found = find_name(cause, cause_labels, CAUSE_SLOTS);

    if (!parse_address(address, peer))
        return "ADDRESS,PORT,CAUSE,COUNT expected: not an address";
    if (!parse_number(port, UINT16_MAX, &port_number))
        return "ADDRESS,PORT,CAUSE,COUNT expected: not a port";
    if (found < 0)
        return "ADDRESS,PORT,CAUSE,COUNT expected: not a cause";
    if (!parse_number(rest, UINT32_MAX, &count) || count == 0)
        return "ADDRESS,PORT,CAUSE,COUNT expected: not a count from 1 to 4294967295";
    peer->port = (uint16_t)port_number;
    peer->cause = (uint8_t)found;
    peer->count = (uint32_t)count;
    return NULL;
}

static bool is_listed(const struct peer_slice *slice, enum peer_list list, const struct peer *peer)
{
    for (uint32_t n = 0; n < slice->counts[list]; n++)
        if (slice->peers[list][n].version == peer->version &&
            !memcmp(slice->peers[list][n].address, peer->address, sizeof peer->address))
            return true;
    return false;
}

static bool add_to_total(const struct parser *parser, int key, struct peer_slice *slice,
                         enum peer_list peers, enum peer_list ports, uint32_t count)
{
    if (__builtin_add_overflow(slice->totals[peers], count, &slice->totals[peers]))
        return fail_key(parser, key, "more than 4294967295 resets in the line");
    slice->totals[ports] = slice->totals[peers];
    return true;
}

static bool parse_peer(const struct parser *parser, int key, struct span value,
                       struct replay_line *line, enum peer_list peers, enum peer_list ports)
{
    struct peer_slice *slice = slice_of(line);
    struct peer peer = {0};
    const char *wrong = parse_peer_fields(value, &peer);

    if (!slice)
        return fail_key(parser, key, strerror(errno));
    if (wrong)
        return fail_key(parser, key, wrong);
    if (is_listed(slice, peers, &peer))
        return fail_key(parser, key, "the address stands twice in the line");
    if (slice->counts[peers] == PEERS_MAX)
        return fail_key(parser, key, "at most 32 in a line expected");
    peer_slice_add(slice, peers, &peer);
    return add_to_total(parser, key, slice, peers, ports, peer.count);
}

static bool parse_others(const struct parser *parser, int key, struct span value,
                         struct replay_line *line, enum peer_list peers, enum peer_list ports)
{
    struct peer_slice *slice = slice_of(line);
    uint64_t number;

    if (!slice)
        return fail_key(parser, key, strerror(errno));
    if (!parse_number(value, UINT32_MAX, &number))
        return fail_key(parser, key, "a number from 0 to 4294967295 expected");
    return add_to_total(parser, key, slice, peers, ports, (uint32_t)number);
}

/* Counts the peers by port, the heaviest first. */
static void add_ports(struct peer_slice *slice, enum peer_list peers, enum peer_list ports)
{
    struct peer counted[PEERS_MAX];
    uint32_t count = 0;

    for (uint32_t n = 0; n < slice->counts[peers]; n++) {
        const struct peer *peer = &slice->peers[peers][n];
        uint32_t place = 0;

        while (place < count && counted[place].port != peer->port)
            place++;
        if (place == count)
            counted[count++] = (struct peer){.port = peer->port, .cause = peer->cause};
        counted[place].count += peer->count;
    }
    for (uint32_t n = 0; n < count; n++)
        peer_slice_add(slice, ports, &counted[n]);
}

static void finish_slice(struct peer_slice *slice, int64_t begin_ns, int64_t end_ns)
{
    slice->begin_ns = begin_ns;
    slice->end_ns = end_ns;
    add_ports(slice, PEERS_RECEIVED, PORTS_RECEIVED);
    add_ports(slice, PEERS_SENT, PORTS_SENT);
}

/* ---- Words, lines, files ---- */

static bool parse_value(const struct parser *parser, int key, struct span value,
                        struct replay_line *line)
{
    switch (key) {
    case KEY_TIME:
        return parse_time(parser, value, line);
    case KEY_SYN_COOKIE_STATE:
        return parse_state(parser, value, line);
    case KEY_RECEIVED_METHOD:
        return parse_method(parser, value, key, &line->sample.received_method);
    case KEY_SENT_METHOD:
        return parse_method(parser, value, key, &line->sample.sent_method);
    case KEY_CAUSE_METHOD:
        return parse_cause_method(parser, value, line);
    case KEY_FAIL:
        return parse_fail(parser, value, line);
    case KEY_RECEIVED_PEER:
        return parse_peer(parser, key, value, line, PEERS_RECEIVED, PORTS_RECEIVED);
    case KEY_SENT_PEER:
        return parse_peer(parser, key, value, line, PEERS_SENT, PORTS_SENT);
    case KEY_RECEIVED_OTHERS:
        return parse_others(parser, key, value, line, PEERS_RECEIVED, PORTS_RECEIVED);
    case KEY_SENT_OTHERS:
        return parse_others(parser, key, value, line, PEERS_SENT, PORTS_SENT);
    default:
        return parse_counter(parser, value, key, line);
    }
}

static int find_key(struct span word)
{
    int key = find_name(word, counter_names, COUNTER_COUNT);

    if (key >= 0)
        return key;
    key = find_name(word, key_names, KEY_COUNT - COUNTER_COUNT);
    return key < 0 ? -1 : COUNTER_COUNT + key;
}

static bool parse_word(struct parser *parser, struct span word, struct replay_line *line)
{
    const char *equals = memchr(word.at, '=', (size_t)span_length(word));

    if (!equals)
        return fail(parser, word, "<key>=<value> expected");

    struct span name = {word.at, equals};
    struct span value = {equals + 1, word.end};
    int key = find_key(name);

    if (key < 0)
        return fail(parser, name, "no such key");
    if (parser->seen >> key & 1 && !is_peer_key(key))
        return fail_key(parser, key, "stands twice in the line");
    parser->seen |= UINT64_C(1) << key;
    return parse_value(parser, key, value, line);
}

static bool is_blank(char character)
{
    return character == ' ' || character == '\t' || character == '\r';
}

/* Takes the next word off a line; false at its end and at a comment. */
static bool next_word(struct span *line, struct span *word)
{
    while (line->at < line->end && is_blank(*line->at))
        line->at++;
    word->at = line->at;
    while (line->at < line->end && !is_blank(*line->at))
        line->at++;
    word->end = line->at;
    return word->at < word->end && *word->at != '#';
}

static bool add_line(struct parser *parser, struct replay_line *line)
{
    struct replay *replay = parser->replay;
    struct sample *sample = &line->sample;

    if (replay->count == parser->room) {
        size_t room = parser->room ? 2 * parser->room : 64;
        struct replay_line *lines = realloc(replay->lines, room * sizeof *lines);

        if (!lines) {
            snprintf(parser->error, parser->error_size, "%s: %s", parser->name, strerror(errno));
            return false;
        }
        replay->lines = lines;
        parser->room = room;
    }
    if (sample_has(sample, COUNTER_RECEIVED) && !sample->received_method)
        sample->received_method = METHOD_ESTIMATED;
    if (sample_has(sample, COUNTER_SENT) && !sample->sent_method)
        sample->sent_method = METHOD_ESTIMATED;
    if (sample->valid >> COUNTER_BY_CAUSE && !sample->cause_method)
        sample->cause_method = CAUSES_MEASURED;
    sample->sources = UINT32_C(1) << SOURCE_REPLAY;
    line->number = parser->line_number;
    if (line->slice) {
        finish_slice(line->slice,
                     replay->count ? replay->lines[replay->count - 1].time_ns : line->time_ns - 1,
                     line->time_ns);
        parser->peers_known = true;
    }
    replay->lines[replay->count++] = *line;
    return true;
}

static bool parse_words(struct parser *parser, struct span text, struct replay_line *line)
{
    struct span word;

    parser->seen = 0;
    while (next_word(&text, &word)) {
        if (!parse_word(parser, word, line))
            return false;
    }
    if (!parser->seen)
        return true;
    if (!(parser->seen >> KEY_TIME & 1))
        return fail_key(parser, KEY_TIME, "missing in this line");
    return add_line(parser, line);
}

static bool parse_line(struct parser *parser, struct span text)
{
    struct replay_line line = {0};
    bool good = parse_words(parser, text, &line);

    if (!good)
        free(line.slice);
    return good;
}

static bool parse_lines(struct parser *parser)
{
    while (parser->rest.at < parser->rest.end) {
        const char *start = parser->rest.at;
        const char *end = memchr(start, '\n', (size_t)(parser->rest.end - start));

        parser->line_number++;
        parser->rest.at = end ? end + 1 : parser->rest.end;
        if (!parse_line(parser, (struct span){start, end ? end : parser->rest.end}))
            return false;
    }
    if (!parser->replay->count) {
        snprintf(parser->error, parser->error_size, "%s: no samples: a line time_ms=0 expected",
                 parser->name);
        return false;
    }
    for (size_t n = 0; n < parser->replay->count; n++)
        parser->replay->lines[n].sample.peers_known = parser->peers_known;
    return true;
}

bool replay_parse(const char *text, size_t length, const char *name, struct replay *replay,
                  char *error, size_t error_size)
{
    struct parser parser = {.rest = {text, text + length},
                            .name = name,
                            .replay = replay,
                            .error = error,
                            .error_size = error_size};

    *replay = (struct replay){NULL, 0};
    if (parse_lines(&parser))
        return true;
    replay_free(replay);
    return false;
}

void replay_free(struct replay *replay)
{
    for (size_t n = 0; n < replay->count; n++)
        free(replay->lines[n].slice);
    free(replay->lines);
    *replay = (struct replay){NULL, 0};
}

const struct replay_line *replay_at(const struct replay *replay, int64_t elapsed_ns)
{
    size_t low = 0, high = replay->count; /* the line is in [low, high) */

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (replay->lines[middle].time_ns <= elapsed_ns)
            low = middle;
        else
            high = middle;
    }
    return &replay->lines[low];
}

/* ---- Writing ---- */

static void print_method(FILE *to, enum key key, const char *const names[], uint8_t method)
{
    if (method != 0)
        fprintf(to, " %s=%s", key_name(key), names[method]);
}

void replay_print(FILE *to, int64_t time_ms, const struct sample *sample)
{
    fprintf(to, "%s=%" PRId64, key_name(KEY_TIME), time_ms);
    for (enum counter id = 0; id < COUNTER_COUNT; id++) {
        if (sample_has(sample, id))
            fprintf(to, " %s=%" PRIu64, counter_names[id], sample->counter[id]);
    }
    print_method(to, KEY_SYN_COOKIE_STATE, state_names, sample->syn_cookie_state);
    print_method(to, KEY_RECEIVED_METHOD, method_names, sample->received_method);
    print_method(to, KEY_SENT_METHOD, method_names, sample->sent_method);
    print_method(to, KEY_CAUSE_METHOD, cause_method_names, sample->cause_method);
    putc('\n', to);
}

void replay_print_failure(FILE *to, int64_t time_ms)
{
    fprintf(to, "%s=%" PRId64 " %s=1\n", key_name(KEY_TIME), time_ms, key_name(KEY_FAIL));
}

/* ---- The reader ---- */

struct reader {
    struct replay replay;
    char *name;
    bool started;
    int64_t start_ns;  /* time of the first reading */
    size_t next_slice; /* the first line whose slice has not been delivered */
};

/* The whole of a file; NULL with errno set. */
static char *read_file(const char *name, size_t *length)
{
    FILE *file = fopen(name, "rb");
    char *text = malloc(FILE_MAX + 1);

    *length = 0;
    if (file && text) {
        *length = fread(text, 1, FILE_MAX + 1, file);
        if (*length > FILE_MAX)
            errno = EFBIG;
    }
    bool good = file && text && !ferror(file) && *length <= FILE_MAX;
    int saved = errno;

    if (file)
        fclose(file);
    if (!good) {
        free(text);
        text = NULL;
    }
    errno = saved;
    return text;
}

static bool load(struct reader *reader, const char *name, char *error, size_t error_size)
{
    size_t length;
    char *text = read_file(name, &length);

    if (!text) {
        snprintf(error, error_size, "%s: %s", name, strerror(errno));
        return false;
    }

    bool good = replay_parse(text, length, name, &reader->replay, error, error_size);

    free(text);
    return good;
}

static void replay_close(struct reader *reader)
{
    replay_free(&reader->replay);
    free(reader->name);
    free(reader);
}

static enum reader_open replay_open(struct reader **opened, const char *argument, char *error,
                                    size_t error_size)
{
    struct reader *reader = calloc(1, sizeof *reader);

    if (!reader || !(reader->name = strdup(argument))) {
        snprintf(error, error_size, "%s: %s", argument, strerror(errno));
        free(reader);
        return READER_FAILED;
    }
    if (!load(reader, argument, error, error_size)) {
        replay_close(reader);
        return READER_FAILED;
    }
    *opened = reader;
    return READER_OPEN;
}

/* Copies what the source knows of a sample, and nothing else of it. */
static void deliver(const struct sample *from, struct sample *to)
{
    for (enum counter id = 0; id < COUNTER_COUNT; id++) {
        if (sample_has(from, id))
            sample_set(to, id, from->counter[id]);
    }
    to->sources |= from->sources;
    to->peers_known = from->peers_known;
    to->received_method = from->received_method;
    to->sent_method = from->sent_method;
    to->cause_method = from->cause_method;
    to->syn_cookie_state = from->syn_cookie_state;
}

static bool replay_read(struct reader *reader, struct sample *sample, char *error,
                        size_t error_size)
{
    if (!reader->started) {
        reader->started = true;
        reader->start_ns = sample->time_ns;
    }

    const struct replay_line *line = replay_at(&reader->replay, sample->time_ns - reader->start_ns);

    if (line->fail) {
        snprintf(error, error_size, "%s:%zu: fail=1", reader->name, line->number);
        return false;
    }
    deliver(&line->sample, sample);
    return true;
}

/* Those of all lines that passed since the last reading. */
static bool replay_read_peers(struct reader *reader, int64_t now_ns, struct peer_slice *slice)
{
    const struct replay *replay = &reader->replay;
    const struct replay_line *now = replay_at(replay, now_ns - reader->start_ns);

    while (reader->next_slice < replay->count && &replay->lines[reader->next_slice] <= now) {
        const struct replay_line *line = &replay->lines[reader->next_slice++];

        if (!line->slice)
            continue;
        *slice = *line->slice;
        slice->begin_ns += reader->start_ns;
        slice->end_ns += reader->start_ns;
        return true;
    }
    return false;
}

const struct reader_type replay_reader = {
    .name = "replay",
    .argument = "FILE",
    .meaning = "samples played from a file, for tests and demos",
    .automatic = false,
    .open = replay_open,
    .read = replay_read,
    .read_peers = replay_read_peers,
    .close = replay_close,
};
