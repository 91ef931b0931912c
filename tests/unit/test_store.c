/* The database: what was written comes back, and what is damaged is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "subagent/store.h"

static char directory[] = "/tmp/rstwatch-test-XXXXXX";

static const char *path_of(const char *suffix)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/" STORE_FILE "%s", directory, suffix);
    return path;
}

static int make_directory(void **state)
{
    (void)state;
    strcpy(directory + strlen(directory) - 6, "XXXXXX");
    return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
    const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};

    (void)state;
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
        unlink(path_of(suffixes[i]));
    return rmdir(directory);
}

static struct store *opened(void)
{
    char error[1500];
    bool damaged;
    struct store *store = store_open(directory, &damaged, error, sizeof error);

    if (!store)
        fail_msg("%s", error);
    return store;
}

static void spoil(const char *sql)
{
    sqlite3 *database;

    assert_int_equal(sqlite3_open(path_of(""), &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
}

static struct event event_of(uint32_t number)
{
    return (struct event){.number = number,
                          .kind = EVENT_CLEARED,
                          .metric = METRIC_SYN_COOKIES,
                          .time_ms = 1700000000123,
                          .value_centi = UINT32_MAX,
                          .threshold_centi = 2,
                          .peak_centi = 3,
                          .duration_s = 4,
                          .method = METHOD_EXACT,
                          .syn_cookie_state = SYN_COOKIES_ALWAYS,
                          .cause = CAUSE_UNEXPLAINED,
                          .evidence = {EVIDENCE_COMPLETE, 5, UINT32_MAX, 7},
                          .summary = "it's over; \"quoted\""};
}

/* Field by field: there is padding between them. */
static void assert_event(const struct event *event, const struct event *wanted)
{
    assert_int_equal(event->number, wanted->number);
    assert_int_equal(event->kind, wanted->kind);
    assert_int_equal(event->metric, wanted->metric);
    assert_int_equal(event->time_ms, wanted->time_ms);
    assert_int_equal(event->value_centi, wanted->value_centi);
    assert_int_equal(event->threshold_centi, wanted->threshold_centi);
    assert_int_equal(event->peak_centi, wanted->peak_centi);
    assert_int_equal(event->duration_s, wanted->duration_s);
    assert_int_equal(event->method, wanted->method);
    assert_int_equal(event->syn_cookie_state, wanted->syn_cookie_state);
    assert_int_equal(event->cause, wanted->cause);
    assert_int_equal(event->evidence.state, wanted->evidence.state);
    assert_int_equal(event->evidence.packets, wanted->evidence.packets);
    assert_int_equal(event->evidence.bytes, wanted->evidence.bytes);
    assert_int_equal(event->evidence.not_kept, wanted->evidence.not_kept);
    assert_string_equal(event->summary, wanted->summary);
}

static void assert_alarm(const struct alarm *alarm, const struct alarm *wanted)
{
    assert_int_equal(alarm->state, wanted->state);
    assert_int_equal(alarm->stepped_ns, wanted->stepped_ns);
    assert_int_equal(alarm->state_since_ns, wanted->state_since_ns);
    assert_int_equal(alarm->raised_ns, wanted->raised_ns);
    assert_int_equal(alarm->normal_since_ns, wanted->normal_since_ns);
    assert_int_equal(alarm->has_baseline, wanted->has_baseline);
    assert_int_equal(alarm->baseline_centi, wanted->baseline_centi);
    assert_int_equal(alarm->stand_in_centi, wanted->stand_in_centi);
    assert_int_equal(alarm->value_centi, wanted->value_centi);
    assert_int_equal(alarm->value_known, wanted->value_known);
    assert_int_equal(alarm->rising_centi, wanted->rising_centi);
    assert_int_equal(alarm->falling_centi, wanted->falling_centi);
    assert_int_equal(alarm->peak_centi, wanted->peak_centi);
    assert_int_equal(alarm->raises, wanted->raises);
}

static void test_settings(void **state)
{
    struct set_settings saved = {0}, loaded;
    struct store *store = opened();

    (void)state;
    assert_true(store_load_settings(store, &loaded));
    assert_memory_equal(&loaded, &saved, sizeof saved);
    saved.value[METRIC_SENT].value[SETTING_RISING] = UINT32_MAX;
    saved.value[METRIC_SENT].value[SETTING_FALLING] = 7;
    saved.set[METRIC_SENT] = 1 << SETTING_RISING | 1 << SETTING_FALLING;
    assert_true(store_save_settings(store, &saved));
    store_close(store);
    store = opened();
    assert_true(store_load_settings(store, &loaded));
    assert_memory_equal(&loaded, &saved, sizeof saved);
    assert_true(store_forget_settings(store));
    assert_true(store_load_settings(store, &loaded));
    assert_int_equal(loaded.set[METRIC_SENT], 0);
    store_close(store);
}

static void test_unknown_settings_left_out(void **state)
{
    struct set_settings loaded;

    (void)state;
    store_close(opened());
    spoil("INSERT INTO setting VALUES (1, 'colour', 5), (9, 'rising', 5), (2, 'raise-delay', 9999),"
          " (2, 'clear-delay', 30)");
    struct store *store = opened();
    assert_true(store_load_settings(store, &loaded));
    assert_int_equal(loaded.set[1], 0);
    assert_int_equal(loaded.set[2], 1 << SETTING_CLEAR_DELAY);
    assert_int_equal(loaded.value[2].value[SETTING_CLEAR_DELAY], 30);
    store_close(store);
}

static void test_alarms(void **state)
{
    struct alarm alarms[METRIC_SLOTS];
    struct stored_alarm stored[METRIC_SLOTS];
    struct event_log log;
    struct store *store = opened();

    (void)state;
    assert_true(event_log_open(&log, 10));
    assert_true(store_load_alarms(store, stored));
    assert_false(stored[METRIC_RECEIVED].found);
    memset(alarms, 0, sizeof alarms);
    for (enum metric metric = METRIC_FIRST; metric <= METRIC_LAST; metric++)
        alarms[metric] = (struct alarm){ALARM_CLEARING,
                                        -1,
                                        (INT64_C(1) << 61) - 1,
                                        1 - (INT64_C(1) << 61),
                                        4,
                                        true,
                                        5,
                                        6,
                                        7,
                                        true,
                                        8,
                                        9,
                                        UINT32_MAX,
                                        metric};
    assert_true(store_record(store, &log, 0, alarms, UINT64_MAX, 99));
    store_close(store);
    store = opened();
    assert_true(store_load_alarms(store, stored));
    for (enum metric metric = METRIC_FIRST; metric <= METRIC_LAST; metric++) {
        assert_true(stored[metric].found);
        assert_true(stored[metric].instance == UINT64_MAX);
        assert_int_equal(stored[metric].saved_ms, 99);
        assert_alarm(&stored[metric].alarm, &alarms[metric]);
    }
    store_close(store);
    event_log_close(&log);
}

static void record(struct store *store, struct event_log *log, uint32_t number)
{
    static const struct alarm alarms[METRIC_SLOTS] = {{.state = ALARM_NORMAL},
                                                      {.state = ALARM_NORMAL},
                                                      {.state = ALARM_NORMAL},
                                                      {.state = ALARM_NORMAL}};
    struct event event = event_of(number);

    event_log_add(log, &event);
    assert_true(store_record(store, log, number - 1, alarms, 1, 1));
}

static void test_events(void **state)
{
    struct event_log log, loaded;
    struct store *store = opened();

    (void)state;
    assert_true(event_log_open(&log, 3) && event_log_open(&loaded, 3));
    for (uint32_t number = 1; number <= 5; number++)
        record(store, &log, number);
    assert_true(store_delivered(store, 4));
    store_close(store);
    store = opened();
    assert_true(store_load_events(store, &loaded));
    assert_int_equal(loaded.newest, 5);
    assert_int_equal(loaded.kept, 3);
    assert_int_equal(loaded.delivered, 4);
    for (uint32_t number = 3; number <= 5; number++) {
        struct event wanted = event_of(number);

        assert_event(event_log_find(&loaded, number), &wanted);
    }
    store_close(store);
    event_log_close(&log);
    event_log_close(&loaded);
}

/* A log with less room than before, and one with gaps in its numbers. */
static void test_what_is_dropped(void **state)
{
    struct event_log log, less;
    struct store *store = opened();

    (void)state;
    assert_true(event_log_open(&log, 3) && event_log_open(&less, 2));
    record(store, &log, 1);
    record(store, &log, 2);
    record(store, &log, 200000000);
    assert_int_equal(log.dropped, 0);
    record(store, &log, 200000001);
    assert_int_equal(log.dropped, 1);
    for (int restarts = 0; restarts < 2; restarts++) {
        event_log_close(&less);
        assert_true(event_log_open(&less, 2) && store_load_events(store, &less));
        assert_int_equal(less.dropped, 2);
        assert_int_equal(event_log_after(&less, 0)->number, 200000000);
    }
    record(store, &less, 200000002);
    assert_int_equal(less.dropped, 3);
    event_log_close(&log);
    assert_true(event_log_open(&log, 3) && store_load_events(store, &log));
    assert_int_equal(log.dropped, 3);
    assert_int_equal(log.kept, 2);
    store_close(store);
    event_log_close(&log);
    event_log_close(&less);
}

static void test_evidence(void **state)
{
    struct event_log log, loaded;
    struct event event = event_of(2);
    struct store *store = opened();

    (void)state;
    assert_true(event_log_open(&log, 3) && event_log_open(&loaded, 3));
    record(store, &log, 1);
    record(store, &log, 2);
    event.evidence = (struct evidence_file){EVIDENCE_FAILED, 1, 2, 3};
    assert_true(store_evidence(store, &event));
    assert_true(store_load_events(store, &loaded));
    assert_event(event_log_find(&loaded, 2), &event);
    event = event_of(1);
    assert_event(event_log_find(&loaded, 1), &event);
    store_close(store);
    event_log_close(&log);
    event_log_close(&loaded);
}

/* Two events that could not be written are written with the third. */
static void test_events_made_up_for(void **state)
{
    static const struct alarm alarms[METRIC_SLOTS] = {{.state = ALARM_NORMAL},
                                                      {.state = ALARM_NORMAL},
                                                      {.state = ALARM_NORMAL},
                                                      {.state = ALARM_NORMAL}};
    struct event_log log, loaded;
    struct store *store = opened();

    (void)state;
    assert_true(event_log_open(&log, 10) && event_log_open(&loaded, 10));
    for (uint32_t number = 1; number <= 3; number++) {
        struct event event = event_of(number);

        event_log_add(&log, &event);
    }
    assert_true(store_record(store, &log, 0, alarms, 1, 1));
    assert_true(store_load_events(store, &loaded));
    assert_int_equal(loaded.kept, 3);
    store_close(store);
    event_log_close(&log);
    event_log_close(&loaded);
}

#define EVENT_ROW(values) "INSERT INTO event VALUES (" values ", 0, 0, 0)"

static const struct {
    const char *sql, *error;
} damages[] = {
    {EVENT_ROW("1, 9, 1, 1, 1, 1, 1, 1, 1, 1, 'x', 0, 0"), "event: row 1 is damaged"},
    {EVENT_ROW("0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 'x', 0, 0"), "event: row 0 is damaged"},
    {EVENT_ROW("1, 1, 4, 1, 1, 1, 1, 1, 1, 1, 'x', 0, 0"), "event: row 1 is damaged"},
    {EVENT_ROW("1, 1, 1, 1, 1, 1, 1, 1, 1, 1, NULL, 0, 0"), "event: row 1 is damaged"},
    {EVENT_ROW("1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 'x', 12, 0"), "event: row 1 is damaged"},
    {EVENT_ROW("1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 'x', -1, 0"), "event: row 1 is damaged"},
    {EVENT_ROW("1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 'x', 0, 6"), "event: row 1 is damaged"},
    {EVENT_ROW("1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 'x', 0, -1"), "event: row 1 is damaged"},
    {"INSERT INTO alarm (metric, state) VALUES (1, 5)", "alarm: row 1 is damaged"},
    {"INSERT INTO alarm (metric, state) VALUES (4, 1)", "alarm: row 4 is damaged"},
    /* Times that nothing can be added to. */
    {EVENT_ROW("1, 1, 1, -1, 1, 1, 1, 1, 1, 1, 'x', 0, 0"), "event: row 1 is damaged"},
    {EVENT_ROW("1, 1, 1, 1 << 43, 1, 1, 1, 1, 1, 1, 'x', 0, 0"), "event: row 1 is damaged"},
    {"INSERT INTO alarm (metric, state, saved_ms) VALUES (1, 1, -1)", "alarm: row 1 is damaged"},
    {"INSERT INTO alarm (metric, state, raised_ns) VALUES (1, 1, 1 << 61)",
     "alarm: row 1 is damaged"},
    {"INSERT INTO alarm (metric, state, normal_since_ns) VALUES (1, 1, -(1 << 61))",
     "alarm: row 1 is damaged"},
};

static void test_damage(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        struct stored_alarm stored[METRIC_SLOTS];
        struct event_log log;
        struct store *store;

        store_close(opened());
        spoil("DELETE FROM event; DELETE FROM alarm");
        spoil(damages[i].sql);
        store = opened();
        assert_true(event_log_open(&log, 10));
        if (store_load_events(store, &log) && store_load_alarms(store, stored))
            fail_msg("accepted: %s", damages[i].sql);
        assert_non_null(strstr(store_error(store), damages[i].error));
        assert_non_null(strstr(store_error(store), directory));
        store_close(store);
        event_log_close(&log);
    }
}

/* What version 1 wrote, with one row in each table. */
static const char version_1[] =
    "CREATE TABLE setting (metric INTEGER, key TEXT, value INTEGER NOT NULL,"
    " PRIMARY KEY (metric, key)) WITHOUT ROWID;"
    "CREATE TABLE alarm (metric INTEGER PRIMARY KEY, instance INTEGER, saved_ms INTEGER,"
    " state INTEGER, stepped_ns INTEGER, state_since_ns INTEGER, raised_ns INTEGER,"
    " normal_since_ns INTEGER, has_baseline INTEGER, baseline_centi INTEGER,"
    " stand_in_centi INTEGER, value_centi INTEGER, value_known INTEGER, rising_centi INTEGER,"
    " falling_centi INTEGER, peak_centi INTEGER, raises INTEGER);"
    "CREATE TABLE event (number INTEGER PRIMARY KEY, kind INTEGER, metric INTEGER,"
    " time_ms INTEGER, value_centi INTEGER, threshold_centi INTEGER, peak_centi INTEGER,"
    " duration_s INTEGER, method INTEGER, syn_cookie_state INTEGER, summary TEXT);"
    "CREATE TABLE delivery (delivered INTEGER);"
    "INSERT INTO setting VALUES (2, 'rising', 7000);"
    "INSERT INTO alarm VALUES (1, 5, 99, 3, 1, 2, 3, 4, 1, 6, 7, 8, 1, 9, 10, 11, 12);"
    "INSERT INTO event VALUES (41, 2, 3, 1700000000123, 4294967295, 2, 3, 4, 1, 3,"
    " 'it''s over; \"quoted\"');"
    "INSERT INTO delivery VALUES (40);"
    "PRAGMA user_version = 1;";

static void assert_version(int version)
{
    sqlite3 *database;
    sqlite3_stmt *statement;

    assert_int_equal(sqlite3_open(path_of(""), &database), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(database, "PRAGMA user_version", -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(statement, 0), version);
    sqlite3_finalize(statement);
    sqlite3_close(database);
}

/* Nothing is lost, events of then have neither cause nor evidence, and new ones go on behind them.
 */
static void test_a_database_of_version_1_is_taken_over(void **state)
{
    struct set_settings settings;
    struct stored_alarm stored[METRIC_SLOTS];
    struct event_log log, loaded;
    struct event old = event_of(41), new = event_of(42);
    struct store *store;

    (void)state;
    spoil(version_1);
    store = opened();
    assert_version(5);
    assert_true(event_log_open(&log, 10) && event_log_open(&loaded, 10));
    assert_true(store_load_settings(store, &settings));
    assert_int_equal(settings.value[METRIC_SENT].value[SETTING_RISING], 7000);
    assert_true(store_load_alarms(store, stored));
    assert_int_equal(stored[METRIC_RECEIVED].alarm.raises, 12);
    assert_true(store_load_events(store, &log));
    assert_int_equal(log.delivered, 40);
    assert_int_equal(log.dropped, 40);
    old.cause = CAUSE_NONE;
    old.evidence = (struct evidence_file){0};
    assert_event(event_log_find(&log, 41), &old);
    record(store, &log, 42);
    store_close(store);
    store = opened();
    assert_true(store_load_events(store, &loaded));
    assert_event(event_log_find(&loaded, 41), &old);
    assert_event(event_log_find(&loaded, 42), &new);
    store_close(store);
    event_log_close(&log);
    event_log_close(&loaded);
}

/* A step that fails leaves the database as it was. */
static void test_a_step_that_fails_changes_nothing(void **state)
{
    char error[1500];
    bool damaged;

    (void)state;
    spoil("CREATE TABLE event (note TEXT)");
    assert_null(store_open(directory, &damaged, error, sizeof error));
    assert_non_null(strstr(error, "table event already exists"));
    assert_true(damaged);
    assert_version(0);
    spoil("CREATE TABLE setting (note TEXT)"); /* is not there yet */
}

/* SQLite would read zeros in place of what is missing, and take one byte for a new database. */
static void test_a_database_that_is_cut(void **state)
{
    static const off_t sizes[] = {4095, 1, 0};
    char error[1500];
    bool damaged;
    struct stat file;

    (void)state;
    store_close(opened());
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_int_equal(stat(path_of(""), &file), 0);
        assert_int_equal(truncate(path_of(""), sizes[i] < 4095 ? sizes[i] : file.st_size - 1), 0);
        assert_null(store_open(directory, &damaged, error, sizeof error));
        assert_true(damaged);
    }
}

/* The write version of its header: SQLite would go on reading, and write nothing for ever. */
static void test_a_format_that_cannot_be_written(void **state)
{
    char error[1500];
    bool damaged;
    FILE *file;

    (void)state;
    store_close(opened());
    file = fopen(path_of(""), "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, 18, SEEK_SET), 0);
    fputc(6, file);
    fclose(file);
    assert_null(store_open(directory, &damaged, error, sizeof error));
    assert_true(damaged);
    assert_non_null(strstr(error, "of a format that cannot be written"));
}

/* Not an empty file, which the next attempt would have to take for one that was damaged. */
static void test_a_full_disk_leaves_no_file(void **state)
{
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = RLIM_INFINITY};
    const struct rlimit all = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    char error[1500];
    bool damaged;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    assert_null(store_open(directory, &damaged, error, sizeof error));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
    assert_false(damaged);
    assert_int_equal(access(path_of(""), F_OK), -1);
    store_close(opened());
}

static void test_other_files(void **state)
{
    char error[1500];
    bool damaged;
    FILE *file = fopen(path_of(""), "w");

    (void)state;
    fputs("this is no database, and long enough that nobody could take it for an empty one\n",
          file);
    fclose(file);
    assert_null(store_open(directory, &damaged, error, sizeof error));
    assert_non_null(strstr(error, "file is not a database"));
    assert_true(damaged);
    unlink(path_of(""));
    store_close(opened());
    spoil("PRAGMA user_version = -1");
    assert_null(store_open(directory, &damaged, error, sizeof error));
    assert_non_null(strstr(error, "schema version -1, expected 5"));
    spoil("PRAGMA user_version = 77");
    assert_null(store_open(directory, &damaged, error, sizeof error));
    assert_non_null(strstr(error, "schema version 77, expected 5"));
    assert_true(damaged);
    assert_null(store_open("/nonexistent", &damaged, error, sizeof error));
    assert_false(damaged);
    assert_non_null(strstr(error, "/nonexistent/" STORE_FILE ": unable to open database file"));
}

int main(void)
{
#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_settings),
        STORE_TEST(test_unknown_settings_left_out),
        STORE_TEST(test_alarms),
        STORE_TEST(test_events),
        STORE_TEST(test_what_is_dropped),
        STORE_TEST(test_evidence),
        STORE_TEST(test_events_made_up_for),
        STORE_TEST(test_damage),
        STORE_TEST(test_a_database_of_version_1_is_taken_over),
        STORE_TEST(test_a_step_that_fails_changes_nothing),
        STORE_TEST(test_a_database_that_is_cut),
        STORE_TEST(test_a_format_that_cannot_be_written),
        STORE_TEST(test_a_full_disk_leaves_no_file),
        STORE_TEST(test_other_files),
    };

    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
