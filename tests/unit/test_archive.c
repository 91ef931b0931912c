/* What becomes of events and settings when the disk fails: said once, nothing lost or written over.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void keep_log(int priority, const char *format, ...);

#define log_write keep_log
#include "subagent/archive.c"
#include "subagent/config.h"

#define NOW_MS   INT64_C(1800000000000)
#define BASE     222163200 /* NOW_MS in seconds since 2020 */
#define CAPACITY 10

static char directory[] = "/tmp/rstwatch-test-XXXXXX";
static char lines[4000]; /* of the log */

static struct archive archive;
static struct handover *handover;
static struct event_log events;
static struct set_settings settings;
static struct alarm alarms[METRIC_SLOTS];

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

static const char *path_of(const char *suffix)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/" STORE_FILE "%s", directory, suffix);
    return path;
}

static void spoil(const char *sql)
{
    sqlite3 *database;

    assert_int_equal(sqlite3_open(path_of(""), &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
}

static void overwrite(const char *text)
{
    FILE *file = fopen(path_of(""), "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void shell(const char *format)
{
    char command[300];

    snprintf(command, sizeof command, format, directory);
    assert_int_equal(system(command), 0);
}

static void start_with(int64_t now_ms, uint32_t capacity)
{
    static struct stored stored;

    memset(&stored, 0xff, sizeof stored);
    lines[0] = '\0';
    assert_true(event_log_open(&events, capacity));
    stored.events = &events;
    archive_open(&archive, directory, handover, now_ms, &stored);
    settings = stored.settings;
    for (enum metric metric = METRIC_FIRST; metric <= METRIC_LAST; metric++)
        alarms[metric] = stored.alarms[metric].found ? stored.alarms[metric].alarm : alarm_new();
}

static void start_at(int64_t now_ms)
{
    start_with(now_ms, CAPACITY);
}

static void start(void)
{
    start_at(NOW_MS);
}

static struct archive_record whole_record(void)
{
    return (struct archive_record){&settings, alarms, &events, 7, NOW_MS};
}

/* Killed, but for what it has open. */
static void end(void)
{
    archive_close(&archive, NULL, handover);
    event_log_close(&events);
}

static void end_orderly(void)
{
    const struct archive_record record = whole_record();

    archive_close(&archive, &record, handover);
    event_log_close(&events);
}

static bool record_event(void)
{
    const struct archive_record record = whole_record();
    struct event event = {.number = events.newest + 1,
                          .kind = EVENT_RAISED,
                          .metric = METRIC_SENT,
                          .method = METHOD_EXACT,
                          .summary = "sent"};

    event_log_add(&events, &event);
    return archive_record(&archive, &record);
}

static bool set_rising(uint32_t value)
{
    settings.value[METRIC_SENT].value[SETTING_RISING] = value;
    settings.set[METRIC_SENT] |= 1 << SETTING_RISING;
    return archive_save_settings(&archive, &settings);
}

static uint32_t rising(void)
{
    return settings.set[METRIC_SENT] ? settings.value[METRIC_SENT].value[SETTING_RISING] : 0;
}

static int make_directory(void **state)
{
    (void)state;
    strcpy(directory + strlen(directory) - 6, "XXXXXX");
    handover = handover_create();
    return handover && mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
    (void)state;
    shell("rm -rf %1$s %1$s.away");
    return 0;
}

static void what_is_recorded_comes_back(void **state)
{
    (void)state;
    start();
    assert_int_equal(archive.state, ARCHIVE_GOOD);
    assert_int_equal(events.newest, 0);
    assert_true(set_rising(77));
    assert_true(record_event());
    assert_true(record_event());
    archive_delivered(&archive, 1);
    events.delivered = 1;
    end();

    start();
    assert_int_equal(archive.state, ARCHIVE_GOOD);
    assert_string_equal(archive.error, "");
    assert_string_equal(lines, "");
    assert_int_equal(events.newest, 2);
    assert_int_equal(events.delivered, 1);
    assert_int_equal(rising(), 77);
    end();
}

static void a_damaged_store_is_set_aside_at_the_start(void **state)
{
    static const struct {
        const char *text, *sql; /* what it is overwritten with, or what is done in it */
    } damages[] = {
        {"this is no database, however long one reads in it", NULL},
        {"", NULL},
        {NULL, "PRAGMA user_version = 99"},
        {NULL, "UPDATE event SET kind = 77"},
        {NULL, "DROP TABLE alarm"},
    };

    (void)state;
    for (size_t n = 0; n < sizeof damages / sizeof *damages; n++) {
        char aside[16];

        start_at(NOW_MS + (int64_t)n * 1000);
        assert_true(record_event());
        end();
        if (damages[n].text)
            overwrite(damages[n].text);
        else
            spoil(damages[n].sql);

        start_at(NOW_MS + (int64_t)n * 1000);
        print_message("%s\n", lines);
        assert_int_equal(archive.state, ARCHIVE_REPLACED);
        snprintf(aside, sizeof aside, ".aside-%zu", n + 1);
        assert_non_null(strstr(archive.error, aside));
        assert_non_null(strstr(lines, aside));
        assert_int_equal(access(path_of(aside), F_OK), 0);
        assert_int_equal(events.newest, BASE + n);
        assert_int_equal(events.dropped, 0);
        assert_true(record_event());
        assert_int_equal(archive.state, ARCHIVE_REPLACED);
        end();

        start_at(NOW_MS + (int64_t)n * 1000);
        assert_int_equal(archive.state, ARCHIVE_GOOD);
        assert_int_equal(events.newest, BASE + n + 1);
        assert_int_equal(events.dropped, 0);
        end();
    }
}

/* SQLite reads its pages again when another connection has changed the file. */
static void one_that_is_damaged_while_it_is_used_is_replaced_by_what_is_in_memory(void **state)
{
    (void)state;
    start();
    assert_true(set_rising(77));
    assert_true(record_event());
    spoil("DROP TABLE event");
    assert_true(record_event());
    assert_int_equal(archive.state, ARCHIVE_REPLACED);
    assert_int_equal(access(path_of(".aside-1"), F_OK), 0);
    end();
    start();
    assert_int_equal(events.newest, 2);
    assert_non_null(event_log_find(&events, 1));
    assert_int_equal(rising(), 77);
    end();
}

static void a_removed_directory_is_noticed_and_written_when_it_is_back(void **state)
{
    (void)state;
    start();
    assert_true(set_rising(77));
    assert_true(record_event());
    shell("rm -rf %s");
    assert_false(record_event());
    assert_false(record_event());
    assert_int_equal(archive.state, ARCHIVE_FAILING);
    assert_non_null(strstr(archive.error, STORE_FILE));
    assert_non_null(strstr(lines, "measuring and answering go on"));
    assert_null(strstr(strstr(lines, "go on") + 1, "go on")); /* once */
    assert_false(set_rising(88));
    settings.value[METRIC_SENT].value[SETTING_RISING] = 77; /* it was refused */

    shell("mkdir %s");
    assert_true(record_event());
    assert_int_equal(archive.state, ARCHIVE_GOOD);
    assert_non_null(strstr(lines, "can be used again"));
    end();
    start();
    assert_int_equal(events.newest, 4);
    assert_non_null(event_log_find(&events, 1));
    assert_int_equal(rising(), 77);
    end();
}

static void a_directory_that_was_away_for_a_while_is_used_again(void **state)
{
    (void)state;
    start();
    assert_true(record_event());
    shell("mv %1$s %1$s.away");
    assert_false(record_event());
    shell("mv %1$s.away %1$s");
    assert_true(record_event());
    assert_int_equal(archive.state, ARCHIVE_GOOD);
    end();
    start();
    assert_int_equal(events.kept, 3);
    end();
}

/* A run with an event and a setting; then the directory is away. */
static void live_and_go_away(void)
{
    start();
    assert_true(set_rising(77));
    assert_true(record_event());
    end();
    shell("mv %1$s %1$s.away");
}

static void what_cannot_be_read_at_the_start_is_not_written_over(void **state)
{
    (void)state;
    live_and_go_away();

    start();
    assert_int_equal(archive.state, ARCHIVE_FAILING);
    assert_int_equal(events.newest, BASE);
    assert_int_equal(rising(), 0);
    assert_false(record_event());
    shell("mv %1$s.away %1$s");
    assert_true(record_event());
    assert_false(set_rising(5));
    assert_non_null(strstr(archive.error, "could not be read at the start"));
    end();

    start();
    assert_int_equal(rising(), 77);
    assert_int_equal(events.newest, BASE + 2);
    assert_non_null(event_log_find(&events, BASE + 1));
    end();
}

/* What comes then has a number above all, and nothing has come yet. */
static void a_record_without_events_is_good_for_the_next_start(void **state)
{
    const struct archive_record record = whole_record();

    (void)state;
    shell("mv %1$s %1$s.away");
    start();
    assert_int_equal(archive.state, ARCHIVE_FAILING);
    end_orderly();
    start(); /* with what was left */
    assert_string_equal(strstr(lines, "left") ? lines : "", "");
    shell("mv %1$s.away %1$s");
    assert_int_equal(events.newest, BASE);
    assert_true(archive_record(&archive, &record));
    end();
    start();
    assert_int_equal(archive.state, ARCHIVE_GOOD);
    assert_int_equal(events.newest, BASE);
    assert_true(record_event());
    end();
}

/* As on a disk that is full for a while; and of an event that came while it was. */
static void evidence_that_could_not_be_written_is_with_the_next_record(void **state)
{
    (void)state;
    start();
    assert_true(record_event());
    spoil("CREATE TRIGGER full BEFORE UPDATE ON event BEGIN SELECT RAISE(FAIL, 'full'); END");
    event_log_find(&events, 1)->evidence = (struct evidence_file){EVIDENCE_COMPLETE, 5, 6, 7};
    archive_evidence(&archive, event_log_find(&events, 1));
    assert_int_equal(archive.state, ARCHIVE_FAILING);
    assert_false(record_event());
    event_log_find(&events, 2)->evidence.state = EVIDENCE_FAILED;
    spoil("DROP TRIGGER full");
    archive_evidence(&archive, event_log_find(&events, 2));
    assert_int_equal(archive.state, ARCHIVE_FAILING); /* there is still that of the first */
    assert_true(record_event());
    assert_int_equal(archive.state, ARCHIVE_GOOD);
    end();

    start();
    assert_int_equal(events.newest, 3);
    assert_int_equal(event_log_find(&events, 1)->evidence.state, EVIDENCE_COMPLETE);
    assert_int_equal(event_log_find(&events, 1)->evidence.not_kept, 7);
    assert_int_equal(event_log_find(&events, 2)->evidence.state, EVIDENCE_FAILED);
    assert_int_equal(event_log_find(&events, 3)->evidence.state, EVIDENCE_NONE);
    end();
}

/* ---- What an agent leaves to the next one ---- */

/* As after another directory has taken the place of the one that the agent may write in. */
static void what_a_removed_directory_lost_comes_with_the_next_agent(void **state)
{
    (void)state;
    start();
    assert_true(set_rising(77));
    assert_true(record_event());
    event_log_find(&events, 1)->evidence = (struct evidence_file){EVIDENCE_COMPLETE, 5, 6, 7};
    shell("rm -rf %s");
    assert_false(record_event());
    assert_false(archive.displaced); /* there is none */
    alarms[METRIC_SENT].peak_centi = 4711;
    alarms[METRIC_SENT].state = ALARM_RAISED;
    events.delivered = 1;
    end_orderly();

    shell("mkdir %s");
    start();
    assert_int_equal(archive.state, ARCHIVE_FAILING); /* until it is written */
    assert_int_equal(rising(), 77);
    assert_int_equal(alarms[METRIC_SENT].peak_centi, 4711);
    assert_int_equal(events.newest, 2);
    assert_int_equal(events.delivered, 1);
    assert_true(record_event());
    assert_int_equal(archive.state, ARCHIVE_GOOD);
    assert_non_null(strstr(lines, "can be used again"));
    end();

    start(); /* now from the disk */
    assert_int_equal(archive.state, ARCHIVE_GOOD);
    assert_int_equal(rising(), 77);
    assert_int_equal(alarms[METRIC_SENT].state, ALARM_RAISED);
    assert_int_equal(events.newest, 3);
    assert_int_equal(events.delivered, 1);
    assert_int_equal(event_log_find(&events, 1)->evidence.not_kept, 7);
    assert_non_null(event_log_find(&events, 2));
    end();
}

static void another_directory_in_its_place_is_noticed_where_it_cannot_be_used(void **state)
{
    (void)state;
    start();
    assert_true(record_event());
    shell("mv %1$s %1$s.away; mkdir -p %1$s/rstwatch.db");
    assert_false(record_event());
    assert_true(archive.displaced);
    end_orderly();

    start(); /* it begins with this one, and a third would be another */
    assert_false(record_event());
    assert_false(archive.displaced);
    end_orderly();

    shell("rmdir %1$s/rstwatch.db %1$s; mv %1$s.away %1$s");
    start();
    assert_int_equal(events.newest, 3);
    assert_true(record_event());
    end();
}

/* The newest state of an event that both have is that of memory. */
static void what_was_left_is_newer_than_the_disk(void **state)
{
    (void)state;
    start();
    assert_true(record_event());
    assert_true(record_event());
    shell("mv %1$s %1$s.away");
    event_log_find(&events, 2)->evidence.state = EVIDENCE_FAILED;
    events.delivered = 2;
    assert_false(record_event());
    end_orderly();
    shell("mv %1$s.away %1$s");

    start();
    assert_int_equal(events.kept, 3);
    assert_int_equal(event_log_find(&events, 2)->evidence.state, EVIDENCE_FAILED);
    assert_int_equal(events.delivered, 2);
    end();
    start(); /* it was left once only */
    assert_int_equal(events.kept, 2);
    assert_int_equal(events.delivered, 0);
    end();
}

/* The first agent saw nothing of the disk, so what is there is none of its business. */
static void what_the_earlier_agent_could_not_read_is_read_by_the_next(void **state)
{
    (void)state;
    live_and_go_away();
    start();
    assert_false(record_event());
    assert_int_equal(events.newest, BASE + 1);
    end_orderly();
    shell("mv %1$s.away %1$s");

    start();
    assert_int_equal(rising(), 77);
    assert_int_equal(events.kept, 2);
    assert_non_null(event_log_find(&events, 1));
    assert_non_null(event_log_find(&events, BASE + 1));
    assert_true(set_rising(5));
    assert_true(record_event());
    end();
    start();
    assert_int_equal(rising(), 5);
    assert_int_equal(events.kept, 3);
    end();
}

static void the_largest_log_can_be_left_and_a_smaller_one_takes_its_newest(void **state)
{
    struct event event = {.kind = EVENT_RAISED, .metric = METRIC_SENT, .cause = CAUSE_SLOTS - 1};

    (void)state;
    memset(event.summary, 'x', sizeof event.summary - 1);
    event.time_ms = NOW_MS;
    event.value_centi = event.threshold_centi = event.peak_centi = event.duration_s = UINT32_MAX;
    event.evidence = (struct evidence_file){EVIDENCE_DELETED, UINT32_MAX, UINT32_MAX, UINT32_MAX};
    shell("mv %1$s %1$s.away");
    start_with(NOW_MS, EVENT_CAPACITY_MAX);
    for (uint32_t n = 0; n < EVENT_CAPACITY_MAX; n++) {
        event.number = events.newest + 1;
        event_log_add(&events, &event);
    }
    end_orderly();
    assert_in_range(handover->used, 1, HANDOVER_BYTES);

    start();
    assert_int_equal(events.kept, CAPACITY);
    assert_int_equal(events.newest, BASE + EVENT_CAPACITY_MAX);
    assert_int_equal(events.dropped, EVENT_CAPACITY_MAX - CAPACITY);
    end();
    shell("mv %1$s.away %1$s");
}

/* An agent that somebody has taken over may leave anything. */
static void what_was_left_is_checked_as_what_is_on_disk(void **state)
{
    static unsigned char kept[1 << 16];
    size_t used;

    (void)state;
    start();
    assert_true(record_event());
    shell("mv %1$s %1$s.away");
    assert_false(record_event());
    end_orderly();
    shell("mv %1$s.away %1$s");
    used = handover->used;
    assert_in_range(used, 1, sizeof kept);
    memcpy(kept, handover->bytes, used);

    for (size_t at = 0; at < used; at += 13) {
        memcpy(handover->bytes, kept, used);
        memset(handover->bytes + at, 0xff, 3);
        handover->used = at % 2 ? used : used - at;
        start();
        assert_in_range(events.kept, 1, 2);
        end();
    }
    handover->used = HANDOVER_BYTES + 1;
    start();
    assert_int_equal(events.kept, 1);
    end();
}

static void without_a_clock_numbers_begin_at_1(void **state)
{
    (void)state;
    shell("mv %1$s %1$s.away");
    start_at(5000); /* 1970 */
    assert_int_equal(events.newest, 0);
    end();
    shell("mv %1$s.away %1$s");
}

int main(void)
{
#define ARCHIVE_TEST(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)
    const struct CMUnitTest tests[] = {
        ARCHIVE_TEST(what_is_recorded_comes_back),
        ARCHIVE_TEST(a_directory_that_was_away_for_a_while_is_used_again),
        ARCHIVE_TEST(a_record_without_events_is_good_for_the_next_start),
        ARCHIVE_TEST(what_a_removed_directory_lost_comes_with_the_next_agent),
        ARCHIVE_TEST(another_directory_in_its_place_is_noticed_where_it_cannot_be_used),
        ARCHIVE_TEST(what_was_left_is_newer_than_the_disk),
        ARCHIVE_TEST(what_the_earlier_agent_could_not_read_is_read_by_the_next),
        ARCHIVE_TEST(the_largest_log_can_be_left_and_a_smaller_one_takes_its_newest),
        ARCHIVE_TEST(what_was_left_is_checked_as_what_is_on_disk),
        ARCHIVE_TEST(a_damaged_store_is_set_aside_at_the_start),
        ARCHIVE_TEST(one_that_is_damaged_while_it_is_used_is_replaced_by_what_is_in_memory),
        ARCHIVE_TEST(a_removed_directory_is_noticed_and_written_when_it_is_back),
        ARCHIVE_TEST(what_cannot_be_read_at_the_start_is_not_written_over),
        ARCHIVE_TEST(evidence_that_could_not_be_written_is_with_the_next_record),
        ARCHIVE_TEST(without_a_clock_numbers_begin_at_1),
    };

    return cmocka_run_group_tests_name("archive", tests, NULL, NULL);
}
