/* Capture files from a ring that the test fills: what is in them, and what becomes of faults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

static void keep_log(int priority, const char *format, ...);

#define log_write keep_log
#include "subagent/capture.c"
#include "subagent/captures.c"

#define RAISED_NS   (INT64_C(1000) * 1000000000)
#define SECOND_NS   INT64_C(1000000000)
#define PACKETS_MAX 100

static char directory[] = "/tmp/rstwatch-test-XXXXXX";
static char lines[4000]; /* of the log */

static struct ring *ring;
static struct event_log events;
static struct captures *captures;
static struct alarm alarms[METRIC_SLOTS];
static uint32_t changed[100]; /* numbers of the events that were told of */
static size_t changed_count;
static uint32_t raise_delay_s;

static void keep_log(int priority, const char *format, ...)
{
    size_t used = strlen(lines);
    va_list arguments;

    (void)priority;
    va_start(arguments, format);
    vsnprintf(lines + used, sizeof lines - used, format, arguments);
    va_end(arguments);
    strncat(lines, "\n", sizeof lines - strlen(lines) - 1);
}

static bool is_there(uint32_t number, const char *suffix);

static void keep_changed(const struct event *event, void *context)
{
    assert_ptr_equal(context, &events);
    assert_ptr_equal(event, event_log_find(&events, event->number));
    if (event->evidence.state == EVIDENCE_COMPLETE)
        assert_true(is_there(event->number, ".part")); /* a kill from here on is put right */
    changed[changed_count++] = event->number;
}

/* ---- Scenes ---- */

static void open_as(bool enabled, uint32_t files)
{
    captures_open(captures, &(struct captures_setup){
                                .enabled = enabled,
                                .files = files,
                                .packets = PACKETS_MAX,
                                .state_directory = directory,
                                .ring = ring,
                                .events = &events,
                                .changed = keep_changed,
                                .context = &events,
                            });
}

static int begin(void **state)
{
    (void)state;
    strcpy(directory + strlen(directory) - 6, "XXXXXX");
    lines[0] = '\0';
    changed_count = 0;
    raise_delay_s = 0;
    memset(alarms, 0, sizeof alarms);
    ring = ring_create(1);
    captures = calloc(1, sizeof *captures);
    if (!ring || !captures || !event_log_open(&events, 50) || !mkdtemp(directory))
        return -1;
    open_as(true, 20);
    return 0;
}

static int end(void **state)
{
    char command[100];

    (void)state;
    event_log_close(&events);
    free(captures);
    snprintf(command, sizeof command, "rm -rf %s", directory);
    return system(command);
}

static struct event *event_at(enum event_kind kind, enum metric metric, int64_t time_ns)
{
    struct event event = {.number = events.newest + 1,
                          .kind = kind,
                          .metric = metric,
                          .time_ns = time_ns,
                          .value_centi = 5120,
                          .threshold_centi = 5000};

    event_log_add(&events, &event);
    captures_event(captures, &event, raise_delay_s);
    return event_log_find(&events, event.number);
}

static struct evidence record_at(int64_t time_ns, enum direction direction)
{
    return (struct evidence){.time_ns = time_ns,
                             .length = 60,
                             .header_size = 40,
                             .direction = (uint8_t)direction,
                             .cause = CAUSE_NO_LISTENER,
                             .why = "SYN_SENT",
                             .headers = {0x45}};
}

static void add(int64_t time_ns, enum direction direction)
{
    struct evidence record = record_at(time_ns, direction);

    ring_write_evidence(ring, &record);
}

/* The segment that the next one sent answers. */
static void add_trigger(int64_t time_ns)
{
    struct evidence record = record_at(time_ns, DIRECTION_RECEIVED);

    record.kind = EVIDENCE_TRIGGER;
    record.cause = CAUSE_NONE;
    strcpy(record.why, "NO_SOCKET");
    ring_write_evidence(ring, &record);
}

static void add_after_loss(int64_t time_ns, enum direction direction, uint32_t missed)
{
    const struct evidence loss = {
        .time_ns = time_ns, .kind = EVIDENCE_MISSED, .direction = direction, .missed = missed};

    ring_write_evidence(ring, &loss);
    add(time_ns, direction);
}

static void step(int64_t sampled_ns)
{
    captures_step(captures, sampled_ns, alarms);
}

/* ---- What a file has in it ---- */

struct packet {
    uint32_t interface, captured, original, flags;
    int64_t time_ns;
    char comment[EVIDENCE_COMMENT_SIZE];
};

struct file {
    char comment[PCAPNG_TEXT_MAX + 1];
    char interfaces[CAPTURE_INTERFACES][IF_NAMESIZE];
    size_t interface_count, packet_count, size;
    struct packet packets[1000];
};

static struct file file;

static const char *path_of(uint32_t number, const char *suffix)
{
    static char path[200];

    snprintf(path, sizeof path, "%s/evidence/event-%u.pcapng%s", directory, number, suffix);
    return path;
}

static bool is_there(uint32_t number, const char *suffix)
{
    return access(path_of(number, suffix), F_OK) == 0;
}

static uint32_t word(const uint8_t *at)
{
    return at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
}

static void take_block(const uint8_t *block)
{
    if (word(block) == 0x0a0d0d0a) {
        memcpy(file.comment, block + 28, PCAPNG_TEXT_MAX);
    } else if (word(block) == 1) {
        memcpy(file.interfaces[file.interface_count++], block + 20, block[18]);
    } else if (word(block) == 6) {
        struct packet *packet = &file.packets[file.packet_count++];
        const uint8_t *options;

        packet->interface = word(block + 8);
        packet->time_ns = (int64_t)((uint64_t)word(block + 12) << 32 | word(block + 16));
        packet->captured = word(block + 20) - PCAPNG_COOKED;
        packet->original = word(block + 24) - PCAPNG_COOKED;
        options = block + 28 + PCAPNG_COOKED + (packet->captured + 3) / 4 * 4;
        memcpy(packet->comment, options + 4, options[2]);
        packet->flags = word(options + 4 + (options[2] + 3) / 4 * 4 + 4);
        assert_true(packet->interface < file.interface_count); /* described before */
    } else {
        fail_msg("type of a block: %08x", word(block));
    }
}

static void read_file(uint32_t number)
{
    static uint8_t bytes[300000];
    FILE *opened = fopen(path_of(number, ""), "r");

    memset(&file, 0, sizeof file);
    assert_non_null(opened);
    file.size = fread(bytes, 1, sizeof bytes, opened);
    fclose(opened);
    for (size_t at = 0; at < file.size; at += word(bytes + at + 4))
        take_block(bytes + at);
}

static void assert_comment(const char *wanted)
{
    if (!strstr(file.comment, wanted))
        fail_msg("not \"%s\" in: %s", wanted, file.comment);
}

/* ---- The tests ---- */

static void the_ten_seconds_before_and_all_until_the_clear(void **state)
{
    const int64_t cleared_ns = RAISED_NS + 30 * SECOND_NS;
    struct event *event;
    struct stat status;
    char path[200];
    char host[256] = "";

    (void)state;
    add(RAISED_NS - 10 * SECOND_NS - 1, DIRECTION_RECEIVED);
    add(RAISED_NS - 10 * SECOND_NS, DIRECTION_RECEIVED);
    add(RAISED_NS, DIRECTION_SENT);
    event = event_at(EVENT_RAISED, METRIC_RECEIVED, RAISED_NS);
    step(RAISED_NS);
    assert_int_equal(event->evidence.state, EVIDENCE_WRITING);
    assert_int_equal(event->evidence.packets, 1);
    assert_true(is_there(1, ".part"));
    assert_false(is_there(1, ""));
    assert_int_equal(changed_count, 0);

    alarms[METRIC_RECEIVED].peak_centi = 9912;
    step(RAISED_NS + SECOND_NS);
    add(cleared_ns, DIRECTION_RECEIVED);
    add(cleared_ns + 1, DIRECTION_RECEIVED);
    event_at(EVENT_CLEARED, METRIC_RECEIVED, cleared_ns);
    step(cleared_ns); /* records may be under way */
    assert_int_equal(event->evidence.state, EVIDENCE_WRITING);
    add(cleared_ns - 1, DIRECTION_RECEIVED);
    step(cleared_ns + 1);

    assert_int_equal(event->evidence.state, EVIDENCE_COMPLETE);
    assert_int_equal(event->evidence.packets, 3);
    assert_int_equal(event->evidence.not_kept, 0);
    assert_int_equal(changed_count, 1);
    assert_int_equal(changed[0], 1);
    assert_non_null(strstr(lines, "event 1: evidence is complete: 3 packets"));
    assert_false(is_there(1, ".part"));
    assert_int_equal(stat(path_of(1, ""), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(status.st_size, event->evidence.bytes);
    snprintf(path, sizeof path, "%s/evidence", directory);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    read_file(1);
    assert_int_equal(file.packet_count, 3);
    assert_int_equal(file.packets[1].time_ns - file.packets[0].time_ns, 40 * SECOND_NS);
    assert_int_equal(file.packets[2].time_ns - file.packets[1].time_ns, -1);
    gethostname(host, sizeof host - 1);
    assert_comment("event 1 at host ");
    assert_comment(host);
    assert_comment("Metric received: alarm raised at 51.20/s, threshold 50.00/s, peak 99.12/s");
    assert_comment("until the alarm cleared: 3 packets; 0 resets not kept");
}

static void sixty_seconds_after_where_it_does_not_clear(void **state)
{
    const int64_t over_ns = RAISED_NS + 60 * SECOND_NS;
    struct event *event = event_at(EVENT_RAISED, METRIC_SENT, RAISED_NS);

    (void)state;
    add(over_ns, DIRECTION_SENT);
    add(over_ns + 1, DIRECTION_SENT);
    step(over_ns);
    assert_int_equal(event->evidence.state, EVIDENCE_WRITING);
    step(over_ns + 1);
    assert_int_equal(event->evidence.state, EVIDENCE_COMPLETE);
    read_file(1);
    assert_int_equal(file.packet_count, 1);
    assert_comment("until 60 s after: 1 packets");
    event_at(EVENT_CLEARED, METRIC_SENT, over_ns + SECOND_NS);
    step(over_ns + 2 * SECOND_NS);
    assert_int_equal(changed_count, 1);
}

static void the_ten_seconds_before_a_crossing_that_had_to_last(void **state)
{
    const int64_t from_ns = RAISED_NS - 30 * SECOND_NS - CAPTURE_BEFORE_NS;

    (void)state;
    raise_delay_s = 30;
    event_at(EVENT_RAISED, METRIC_RECEIVED, RAISED_NS);
    add(from_ns - 1, DIRECTION_RECEIVED);
    add(from_ns, DIRECTION_RECEIVED);
    captures_close(captures);
    read_file(1);
    assert_int_equal(file.packet_count, 1);
    assert_comment("From 10 s before the crossing until rstwatchd ended: 1 packets");
}

/* An agent that catches up sees the clear before it has taken any record. */
static void a_clear_that_comes_too_late_changes_nothing(void **state)
{
    (void)state;
    event_at(EVENT_RAISED, METRIC_SENT, RAISED_NS);
    event_at(EVENT_CLEARED, METRIC_SENT, RAISED_NS + 70 * SECOND_NS);
    add(RAISED_NS + 60 * SECOND_NS, DIRECTION_SENT);
    add(RAISED_NS + 65 * SECOND_NS, DIRECTION_SENT);
    step(RAISED_NS + 71 * SECOND_NS);
    read_file(1);
    assert_int_equal(file.packet_count, 1);
    assert_comment("until 60 s after");
}

static void packets_tell_when_where_and_why(void **state)
{
    int64_t wall_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
    struct evidence record = record_at(RAISED_NS, DIRECTION_SENT);

    (void)state;
    event_at(EVENT_RAISED, METRIC_SENT, RAISED_NS);
    record.interface = if_nametoindex("lo");
    record.length = 20; /* what nobody would send */
    strcpy(record.why, "NO_SOCKET");
    add_trigger(RAISED_NS - 1);
    ring_write_evidence(ring, &record);
    record.interface = 0x7fffffff;
    record.cause = CAUSE_NONE;
    record.why[0] = '\0';
    record.header_size = 0;
    ring_write_evidence(ring, &record);
    captures_close(captures);

    read_file(1);
    assert_int_equal(file.packet_count, 3);
    assert_int_equal(file.interface_count, 3);
    assert_string_equal(file.packets[0].comment,
                        "segment received, answered by the reset that follows; kernel: NO_SOCKET");
    assert_int_equal(file.packets[0].flags, PCAPNG_INBOUND);
    assert_string_equal(file.interfaces[file.packets[0].interface], "unknown");
    assert_int_equal(file.packets[0].captured, 40);
    assert_int_equal(file.packets[0].original, 60);
    assert_string_equal(file.packets[1].comment,
                        "reset sent: no listener (noListener); kernel: NO_SOCKET");
    assert_int_equal(file.packets[1].flags, PCAPNG_OUTBOUND);
    assert_string_equal(file.interfaces[file.packets[1].interface], "lo");
    assert_int_equal(file.packets[1].original, 40);
    assert_true(llabs(file.packets[1].time_ns - RAISED_NS - wall_ns) < SECOND_NS / 10);
    assert_string_equal(file.packets[2].comment, "reset sent, cause not known");
    assert_string_equal(file.interfaces[file.packets[2].interface], "unknown");
    assert_int_equal(file.packets[2].captured, 0);
    assert_comment("until rstwatchd ended: 3 packets");
}

static void two_alarms_are_two_files(void **state)
{
    (void)state;
    event_at(EVENT_RAISED, METRIC_RECEIVED, RAISED_NS);
    event_at(EVENT_RAISED, METRIC_SENT, RAISED_NS);
    event_at(EVENT_RAISED, METRIC_SYN_COOKIES, RAISED_NS);
    add(RAISED_NS, DIRECTION_RECEIVED);
    add_trigger(RAISED_NS);
    add(RAISED_NS, DIRECTION_SENT);
    add(RAISED_NS, DIRECTION_SENT);
    step(RAISED_NS);
    captures_close(captures);
    read_file(1);
    assert_int_equal(file.packet_count, 1);
    assert_string_equal(file.packets[0].comment,
                        "reset received: refused (noListener); kernel: SYN_SENT");
    read_file(2);
    assert_int_equal(file.packet_count, 3);
    assert_false(is_there(3, ""));
    assert_int_equal(event_log_find(&events, 3)->evidence.state, EVIDENCE_NONE);
}

/* A source that keeps no headers, or none of this direction. */
static void without_records_there_is_no_file(void **state)
{
    struct event *event = event_at(EVENT_RAISED, METRIC_RECEIVED, RAISED_NS);

    (void)state;
    add(RAISED_NS, DIRECTION_SENT);
    add_trigger(RAISED_NS);
    step(RAISED_NS + 61 * SECOND_NS);
    assert_int_equal(event->evidence.state, EVIDENCE_NONE);
    assert_int_equal(changed_count, 0);
    assert_string_equal(lines, "");
    assert_false(is_there(1, ".part"));
}

static void one_line_switches_it_off(void **state)
{
    (void)state;
    open_as(false, 20);
    add(RAISED_NS, DIRECTION_RECEIVED);
    event_at(EVENT_RAISED, METRIC_RECEIVED, RAISED_NS);
    step(RAISED_NS);
    event_at(EVENT_CLEARED, METRIC_RECEIVED, RAISED_NS + 1);
    captures_close(captures);
    assert_int_equal(event_log_find(&events, 1)->evidence.state, EVIDENCE_NONE);
    assert_false(is_there(1, ".part") || is_there(1, ""));
}

static void what_is_too_much_is_counted(void **state)
{
    struct event *event = event_at(EVENT_RAISED, METRIC_SENT, RAISED_NS);

    (void)state;
    add_after_loss(RAISED_NS, DIRECTION_SENT, 1000);
    add_after_loss(RAISED_NS, DIRECTION_RECEIVED, 7); /* of the other direction, as far as known */
    for (int n = 0; n < PACKETS_MAX - 2; n++)
        add(RAISED_NS, DIRECTION_SENT);
    add_trigger(RAISED_NS); /* there is room for one, but then its reset would be missing */
    add(RAISED_NS, DIRECTION_SENT);
    add_trigger(RAISED_NS);
    add(RAISED_NS, DIRECTION_SENT);
    step(RAISED_NS);
    assert_int_equal(event->evidence.packets, PACKETS_MAX);
    assert_int_equal(event->evidence.not_kept, 1001);
    captures_close(captures);
    read_file(1);
    assert_int_equal(file.packet_count, PACKETS_MAX);
    assert_comment("1001 resets not kept");
}

/* The ring has gone round meanwhile; what went before the first look is the past. */
static void what_the_ring_has_lost_is_counted(void **state)
{
    struct event *event;

    (void)state;
    for (int n = 0; n < RING_EVIDENCE + 500; n++)
        add(RAISED_NS - 20 * SECOND_NS, DIRECTION_RECEIVED);
    event = event_at(EVENT_RAISED, METRIC_RECEIVED, RAISED_NS);
    add(RAISED_NS, DIRECTION_RECEIVED);
    for (int n = 0; n < RING_EVIDENCE / CAPTURE_STEP_RECORDS + 1; n++)
        step(RAISED_NS);
    assert_int_equal(event->evidence.packets, 1);
    assert_int_equal(event->evidence.not_kept, 0);
    for (int n = 0; n < RING_EVIDENCE + 500; n++)
        add(RAISED_NS + SECOND_NS, DIRECTION_SENT);
    step(RAISED_NS + SECOND_NS);
    assert_int_equal(event->evidence.not_kept, 501); /* and one slot is in the writer's hands */
}

/* However much there is, a step takes its share, and the end waits for the rest. */
static void a_step_is_bounded(void **state)
{
    struct event *event = event_at(EVENT_RAISED, METRIC_RECEIVED, RAISED_NS);
    const uint32_t count = 2 * CAPTURE_STEP_RECORDS + 1;

    (void)state;
    for (uint32_t n = 0; n < count; n++)
        add(RAISED_NS, DIRECTION_RECEIVED);
    for (uint32_t n = 1; n <= 3; n++) {
        uint32_t taken = n < 3 ? n * CAPTURE_STEP_RECORDS : count;

        step(RAISED_NS + 100 * SECOND_NS);
        assert_int_equal(event->evidence.packets + event->evidence.not_kept, taken);
        assert_int_equal(event->evidence.state, n < 3 ? EVIDENCE_WRITING : EVIDENCE_COMPLETE);
    }
}

/* Raised again before the first capture was stepped to its end. */
static void a_raise_ends_the_capture_before(void **state)
{
    (void)state;
    add(RAISED_NS, DIRECTION_RECEIVED);
    event_at(EVENT_RAISED, METRIC_RECEIVED, RAISED_NS);
    event_at(EVENT_CLEARED, METRIC_RECEIVED, RAISED_NS + 1);
    add(RAISED_NS + 2, DIRECTION_RECEIVED);
    event_at(EVENT_RAISED, METRIC_RECEIVED, RAISED_NS + 2);
    read_file(1);
    assert_int_equal(file.packet_count, 1);
    assert_comment("until the alarm cleared");
    captures_close(captures);
    read_file(3);
    assert_int_equal(file.packet_count, 2);
    assert_int_equal(changed_count, 2);
}

static void many_interfaces(void **state)
{
    struct evidence record = record_at(RAISED_NS, DIRECTION_RECEIVED);

    (void)state;
    event_at(EVENT_RAISED, METRIC_RECEIVED, RAISED_NS);
    for (uint32_t n = 0; n < PACKETS_MAX; n++) {
        record.interface = 0x7fff0000 + n;
        ring_write_evidence(ring, &record);
    }
    captures_close(captures);
    read_file(1);
    assert_int_equal(file.packet_count, PACKETS_MAX);
    assert_int_equal(file.interface_count, CAPTURE_INTERFACES);
    assert_int_equal(file.packets[PACKETS_MAX - 1].interface, CAPTURE_INTERFACES - 1);
    assert_int_equal(file.packets[CAPTURE_INTERFACES - 2].interface, CAPTURE_INTERFACES - 2);
}

static void make_file(uint32_t number, const char *suffix)
{
    int made;

    mkdir((snprintf(file.comment, sizeof file.comment, "%s/evidence", directory), file.comment),
          0700);
    made = open(path_of(number, suffix), O_CREAT | O_WRONLY, 0600);
    assert_true(made >= 0);
    close(made);
}

static void the_oldest_files_are_deleted(void **state)
{
    (void)state;
    open_as(true, 2);
    make_file(8, ".txt"); /* somebody else's */
    for (int64_t n = 0; n < 12; n++) {
        add(RAISED_NS + n, DIRECTION_RECEIVED);
        event_at(EVENT_RAISED, METRIC_RECEIVED, RAISED_NS + n);
        captures_close(captures);
    }
    for (uint32_t number = 1; number <= 12; number++) {
        const struct event *event = event_log_find(&events, number);

        assert_int_equal(is_there(number, ""), number > 10);
        assert_int_equal(event->evidence.state, number > 10 ? EVIDENCE_COMPLETE : EVIDENCE_DELETED);
        assert_int_equal(event->evidence.packets, number); /* those of the 10 s before, too */
    }
    assert_int_equal(changed_count, 12 + 10);
    assert_true(is_there(8, ".txt"));
    open_as(true, 1);
    assert_false(is_there(11, ""));
    assert_true(is_there(12, ""));
}

static void what_was_left_behind_is_put_right(void **state)
{
    static const struct {
        const char *suffix;
        enum evidence_state before, after;
    } cases[] = {
        {".part", EVIDENCE_NONE, EVIDENCE_INTERRUPTED},
        {".part", EVIDENCE_WRITING, EVIDENCE_INTERRUPTED},
        {NULL, EVIDENCE_WRITING, EVIDENCE_INTERRUPTED},
        {".part", EVIDENCE_COMPLETE, EVIDENCE_COMPLETE},
        {NULL, EVIDENCE_COMPLETE, EVIDENCE_DELETED},
        {"", EVIDENCE_COMPLETE, EVIDENCE_COMPLETE},
        {NULL, EVIDENCE_FAILED, EVIDENCE_FAILED},
        {NULL, EVIDENCE_NONE, EVIDENCE_NONE},
    };
    const uint32_t count = sizeof cases / sizeof *cases;

    (void)state;
    make_file(77, ".part"); /* of an event that was not recorded */
    for (uint32_t n = 0; n < count; n++) {
        event_log_add(&events, &(struct event){.number = n + 1,
                                               .evidence = {(uint8_t)cases[n].before, 5, 6, 7}});
        if (cases[n].suffix)
            make_file(n + 1, cases[n].suffix);
    }
    open_as(false, 20);
    for (uint32_t n = 0; n < count; n++) {
        const struct evidence_file *evidence = &event_log_find(&events, n + 1)->evidence;

        assert_int_equal(evidence->state, cases[n].after);
        assert_int_equal(evidence->packets, cases[n].after == EVIDENCE_INTERRUPTED ? 0 : 5);
        assert_false(is_there(n + 1, ".part"));
        assert_int_equal(is_there(n + 1, ""), cases[n].after == EVIDENCE_COMPLETE);
    }
    assert_false(is_there(77, ".part"));
    assert_int_equal(changed_count, 4);
}

/* The log says "complete" before there is a name. */
static void a_file_that_cannot_have_its_name(void **state)
{
    struct event *event = event_at(EVENT_RAISED, METRIC_RECEIVED, RAISED_NS);

    (void)state;
    make_file(8, ".txt");
    assert_int_equal(mkdir(path_of(1, ""), 0700), 0);
    add(RAISED_NS, DIRECTION_RECEIVED);
    captures_close(captures);
    assert_int_equal(event->evidence.state, EVIDENCE_FAILED);
    assert_int_equal(event->evidence.packets, 0);
    assert_string_equal(strrchr(lines, ':'), ": Is a directory\n");
    assert_int_equal(changed_count, 2);
    assert_false(is_there(1, ".part"));
}

static void assert_failed(const struct event *event)
{
    assert_int_equal(event->evidence.state, EVIDENCE_FAILED);
    assert_int_equal(event->evidence.packets, 0);
    assert_non_null(strstr(lines, "event 1: its evidence cannot be written in "));
    assert_ptr_equal(strchr(lines, '\n'), lines + strlen(lines) - 1); /* one line */
    assert_int_equal(changed_count, 1);
    assert_false(is_there(1, ".part") || is_there(1, ""));
}

/* Nothing more is tried for this event, and the next one has its file. */
static void a_directory_that_cannot_be_made(void **state)
{
    struct event *event = event_at(EVENT_RAISED, METRIC_RECEIVED, RAISED_NS);
    char path[100];

    (void)state;
    snprintf(path, sizeof path, "%s/evidence", directory);
    assert_int_equal(symlink("/nonexistent/nowhere", path), 0);
    add(RAISED_NS, DIRECTION_RECEIVED);
    step(RAISED_NS);
    assert_failed(event);
    assert_int_equal(unlink(path), 0);
    add(RAISED_NS + 1, DIRECTION_RECEIVED);
    step(RAISED_NS + 1);
    event_at(EVENT_CLEARED, METRIC_RECEIVED, RAISED_NS + 2);
    step(RAISED_NS + 3);
    assert_failed(event);
    event_at(EVENT_RAISED, METRIC_RECEIVED, RAISED_NS + 4);
    captures_close(captures);
    read_file(3);
    assert_int_equal(file.packet_count, 2);
}

/* As on a disk that is full: at the first write, at the last, and in the midst of the file. */
static void a_file_that_cannot_grow(void **state)
{
    static const rlim_t limits[] = {0, 100, CAPTURE_BUFFER + 1000};
    struct rlimit whole, small;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &whole);
    for (size_t n = 0; n < sizeof limits / sizeof *limits; n++) {
        end(NULL);
        begin(NULL);
        struct event *event = event_at(EVENT_RAISED, METRIC_RECEIVED, RAISED_NS);

        captures->of[DIRECTION_RECEIVED].packets_max = 5000;
        small = (struct rlimit){limits[n], whole.rlim_max};
        for (int record = 0; record < 1000; record++)
            add(RAISED_NS, DIRECTION_RECEIVED);
        setrlimit(RLIMIT_FSIZE, &small);
        step(RAISED_NS);
        step(RAISED_NS + 61 * SECOND_NS);
        setrlimit(RLIMIT_FSIZE, &whole);
        assert_failed(event);
    }
}

int main(void)
{
#define CAPTURE_TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        CAPTURE_TEST(the_ten_seconds_before_and_all_until_the_clear),
        CAPTURE_TEST(sixty_seconds_after_where_it_does_not_clear),
        CAPTURE_TEST(the_ten_seconds_before_a_crossing_that_had_to_last),
        CAPTURE_TEST(a_clear_that_comes_too_late_changes_nothing),
        CAPTURE_TEST(packets_tell_when_where_and_why),
        CAPTURE_TEST(two_alarms_are_two_files),
        CAPTURE_TEST(without_records_there_is_no_file),
        CAPTURE_TEST(one_line_switches_it_off),
        CAPTURE_TEST(what_is_too_much_is_counted),
        CAPTURE_TEST(what_the_ring_has_lost_is_counted),
        CAPTURE_TEST(a_step_is_bounded),
        CAPTURE_TEST(a_raise_ends_the_capture_before),
        CAPTURE_TEST(many_interfaces),
        CAPTURE_TEST(the_oldest_files_are_deleted),
        CAPTURE_TEST(what_was_left_behind_is_put_right),
        CAPTURE_TEST(a_file_that_cannot_have_its_name),
        CAPTURE_TEST(a_directory_that_cannot_be_made),
        CAPTURE_TEST(a_file_that_cannot_grow),
    };

    return cmocka_run_group_tests_name("capture", tests, NULL, NULL);
}
