#include "subagent/store.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --check-config and --reset-settings may have it open for a moment. Below the second for
   which snmpd waits for the answer to a SET. */
#define BUSY_MS 300

struct store {
    sqlite3 *database;
    bool read_only, is_new;
    bool damaged, busy; /* the newest error says so */
    char path[1100];
    char error[1400];
};

/* Step n makes a database of version n + 1 of one of version n; version 0 is an empty one. What
   stands here stays as it is: databases out there have been made by it. */
static const char *const steps[] = {
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
    "INSERT INTO delivery VALUES (0);",
    "ALTER TABLE event ADD COLUMN cause INTEGER NOT NULL DEFAULT 0;",
    "ALTER TABLE delivery ADD COLUMN skipped INTEGER NOT NULL DEFAULT 0;",
    "ALTER TABLE event ADD COLUMN evidence_state INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE event ADD COLUMN evidence_packets INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE event ADD COLUMN evidence_bytes INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE event ADD COLUMN evidence_not_kept INTEGER NOT NULL DEFAULT 0;",
    "ALTER TABLE delivery ADD COLUMN dropped INTEGER NOT NULL DEFAULT 0;"
    "UPDATE delivery SET dropped = max(0, ifnull((SELECT max(number) FROM event), 0) -"
    " (SELECT count(*) FROM event) - skipped);"
    "ALTER TABLE delivery DROP COLUMN skipped;",
};

#define SCHEMA_VERSION ((int)(sizeof steps / sizeof *steps))

const char *store_error(const struct store *store)
{
    return store->error;
}

/* SQLite tells of damage in several lines, with names as it found them. */
static void make_one_line(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ')
            *text = ' ';
}

static bool fail(struct store *store)
{
    int code = sqlite3_errcode(store->database) & 0xff; /* without what extends it */

    /* SQLITE_ERROR: our statements are right, so that it is the tables that are not. */
    store->damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_ERROR;
    store->busy = code == SQLITE_BUSY;
    snprintf(store->error, sizeof store->error, "%s: %s", store->path,
             sqlite3_errmsg(store->database));
    make_one_line(store->error);
    return false;
}

bool store_damaged(const struct store *store)
{
    return store->damaged;
}

bool store_is_new(const struct store *store)
{
    return store->is_new;
}

bool store_is_stale(const struct store *store)
{
    int moved = 0;

    return store->read_only || (sqlite3_file_control(store->database, "main",
                                                     SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK &&
                                moved);
}

static bool run(struct store *store, const char *sql)
{
    return sqlite3_exec(store->database, sql, NULL, NULL, NULL) == SQLITE_OK || fail(store);
}

/* Runs one statement with whole numbers for its first parameters, text (unless NULL) for the next.
 */
static bool run_with(struct store *store, const char *sql, const int64_t *numbers, int count,
                     const char *text)
{
    sqlite3_stmt *statement;
    bool done;

    if (sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL) != SQLITE_OK)
        return fail(store);
    for (int i = 0; i < count; i++)
        sqlite3_bind_int64(statement, i + 1, numbers[i]);
    if (text)
        sqlite3_bind_text(statement, count + 1, text, -1, SQLITE_STATIC);
    done = sqlite3_step(statement) == SQLITE_DONE || fail(store);
    sqlite3_finalize(statement);
    return done;
}

/* Calls take() for each row of a query; it returns false, with store->error set, to stop. */
static bool each_row(struct store *store, const char *sql,
                     bool (*take)(struct store *store, sqlite3_stmt *row, void *to), void *to)
{
    sqlite3_stmt *statement;
    bool going = true;
    int result;

    if (sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL) != SQLITE_OK)
        return fail(store);
    while (going && (result = sqlite3_step(statement)) == SQLITE_ROW)
        going = take(store, statement, to);
    if (going && result != SQLITE_DONE)
        going = fail(store);
    sqlite3_finalize(statement);
    return going;
}

/* Ends a transaction that run("BEGIN IMMEDIATE") has begun. */
static bool end_transaction(struct store *store, bool good)
{
    if (good && run(store, "COMMIT"))
        return true;
    /* The error that matters has been kept; where SQLite has rolled back itself this one fails. */
    sqlite3_exec(store->database, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

static bool take_number(struct store *store, sqlite3_stmt *row, void *to)
{
    (void)store;
    *(int64_t *)to = sqlite3_column_int64(row, 0);
    return true;
}

static bool step_schema(struct store *store, int64_t version)
{
    char sql[32];

    for (; version < SCHEMA_VERSION; version++)
        if (!run(store, steps[version]))
            return false;
    snprintf(sql, sizeof sql, "PRAGMA user_version = %d", SCHEMA_VERSION);
    return run(store, sql);
}

static bool bring_schema(struct store *store)
{
    int64_t version = 0;

    if (!each_row(store, "PRAGMA user_version", take_number, &version))
        return false;
    if (version == SCHEMA_VERSION)
        return true;
    if (version < 0 || version > SCHEMA_VERSION || store->read_only) {
        store->damaged = !store->read_only;
        snprintf(store->error, sizeof store->error,
                 "%s: schema version %lld, expected %d: written by another version of rstwatchd",
                 store->path, (long long)version, SCHEMA_VERSION);
        return false;
    }
    store->is_new = version == 0;
    return run(store, "BEGIN IMMEDIATE") && end_transaction(store, step_schema(store, version));
}

static bool take_check(struct store *store, sqlite3_stmt *row, void *to)
{
    const char *result = (const char *)sqlite3_column_text(row, 0);

    (void)to;
    if (result && strcmp(result, "ok") == 0)
        return true;
    store->damaged = true;
    snprintf(store->error, sizeof store->error, "%s: damaged: %s", store->path,
             result ? result : "no result of a check");
    make_one_line(store->error);
    return false;
}

/* A last page that is not whole reads as if it ended in zeros; only a log may have the rest. */
static bool is_whole(struct store *store)
{
    struct stat file, log;
    int64_t page = 0;
    char name[sizeof store->path + 8];

    snprintf(name, sizeof name, "%s-wal", store->path);
    if (!each_row(store, "PRAGMA page_size", take_number, &page))
        return false;
    if (page <= 0 || stat(store->path, &file) != 0 || file.st_size % page == 0 ||
        (stat(name, &log) == 0 && log.st_size > 0))
        return true;
    store->damaged = true;
    snprintf(store->error, sizeof store->error, "%s: damaged: its last page is cut", store->path);
    return false;
}

static bool open_file(struct store *store, int flags, const char *name)
{
    sqlite3_close(store->database);
    if (sqlite3_open_v2(name, &store->database, flags, NULL) != SQLITE_OK)
        return fail(store);
    sqlite3_busy_timeout(store->database, BUSY_MS);
    return true;
}

/* SQLite opens what it cannot write for reading, without a word. */
static bool is_writable(struct store *store)
{
    if (sqlite3_db_readonly(store->database, "main") == 0)
        return true;
    store->damaged = store->busy = false;
    snprintf(store->error, sizeof store->error, "%s: cannot be written", store->path);
    return false;
}

/* The first page has been read since, and only what it says of its format can have changed this. */
static bool has_writable_format(struct store *store)
{
    if (sqlite3_db_readonly(store->database, "main") == 0)
        return true;
    store->damaged = true;
    snprintf(store->error, sizeof store->error, "%s: of a format that cannot be written",
             store->path);
    return false;
}

/* Looked at before anything is written: one that is damaged stays as it was. Then one fsync a
   transaction, and it has happened when COMMIT returns. */
static bool open_for_writing(struct store *store)
{
    return open_file(store, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, store->path) &&
           is_writable(store) && each_row(store, "PRAGMA quick_check(1)", take_check, NULL) &&
           has_writable_format(store) && is_whole(store) &&
           run(store, "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL;") &&
           bring_schema(store);
}

/* "file:<path>?immutable=1", with what means something in it escaped. */
static void make_uri(const char *path, char *uri, size_t size)
{
    size_t used = (size_t)snprintf(uri, size, "file:");

    for (; *path && used < size; path++)
        used += (size_t)snprintf(uri + used, size - used, strchr("%?#", *path) ? "%%%02X" : "%c",
                                 (unsigned char)*path);
    if (used < size)
        snprintf(uri + used, size - used, "?immutable=1");
}

static bool exists(const struct store *store, const char *suffix)
{
    char name[sizeof store->path + 8];

    snprintf(name, sizeof name, "%s%s", store->path, suffix);
    return access(name, F_OK) == 0;
}

/* A log with changes that are not in the file itself takes part in reading; it needs an index,
   which cannot be made here if it is not there. Without one the file is all there is. */
static bool open_for_reading(struct store *store)
{
    char uri[3 * sizeof store->path];

    store->read_only = true;
    make_uri(store->path, uri, sizeof uri);
    return (open_file(store, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI,
                      exists(store, "-wal") ? store->path : uri)) &&
           bring_schema(store) && is_whole(store) &&
           each_row(store, "PRAGMA quick_check(1)", take_check, NULL);
}

/* SQLite takes one byte for nothing, too. */
static bool is_empty_file(const char *path)
{
    struct stat file;

    return stat(path, &file) == 0 && file.st_size <= 1;
}

static bool open_database(struct store *store)
{
    bool is_first = !exists(store, "");
    char why[sizeof store->error];

    if (is_empty_file(store->path)) {
        store->damaged = true;
        snprintf(store->error, sizeof store->error, "%s: empty", store->path);
        return false;
    }
    if (open_for_writing(store))
        return true;
    /* What could not become a database (the disk is full) is not one that was damaged. */
    if (is_first && is_empty_file(store->path))
        unlink(store->path);
    if (store->damaged || store->busy)
        return false;
    strcpy(why, store->error); /* which says more than that it cannot be read either */
    if (open_for_reading(store))
        return true;
    strcpy(store->error, why);
    return false;
}

struct store *store_open(const char *directory, bool *damaged, char *error, size_t error_size)
{
    struct store *store = calloc(1, sizeof *store);

    *damaged = false;
    if (!store) {
        snprintf(error, error_size, "%s: out of memory", directory);
        return NULL;
    }
    snprintf(store->path, sizeof store->path, "%s/" STORE_FILE, directory);
    if (open_database(store))
        return store;
    *damaged = store->damaged;
    snprintf(error, error_size, "%s", store->error);
    store_close(store);
    return NULL;
}

static bool open_memory(struct store *store, void *memory, size_t size, size_t used)
{
    return open_file(store, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, ":memory:") &&
           (sqlite3_deserialize(store->database, "main", memory, (sqlite3_int64)used,
                                (sqlite3_int64)size, 0) == SQLITE_OK ||
            fail(store)) &&
           each_row(store, "PRAGMA quick_check(1)", take_check, NULL) && bring_schema(store);
}

struct store *store_open_in(void *memory, size_t size, size_t used, const char *name, char *error,
                            size_t error_size)
{
    struct store *store = calloc(1, sizeof *store);

    if (!store) {
        snprintf(error, error_size, "%s: out of memory", name);
        return NULL;
    }
    snprintf(store->path, sizeof store->path, "%s", name);
    if (open_memory(store, memory, size, used))
        return store;
    snprintf(error, error_size, "%s", store->error);
    store_close(store);
    return NULL;
}

size_t store_used(const struct store *store)
{
    sqlite3_int64 used = 0;

    return sqlite3_serialize(store->database, "main", &used, SQLITE_SERIALIZE_NOCOPY) ? (size_t)used
                                                                                      : 0;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    /* What is damaged stays as it is. */
    if (store->database)
        sqlite3_db_config(store->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, (int)store->damaged,
                          NULL);
    sqlite3_close(store->database);
    free(store);
}

/* The first number that no file has yet. */
static bool name_aside(const char *path, char *name, size_t name_size)
{
    struct stat file;

    for (unsigned number = 1; number < 10000; number++) {
        snprintf(name, name_size, "%s.aside-%u", path, number);
        if (lstat(name, &file) != 0 && errno == ENOENT)
            return true;
    }
    return false;
}

bool store_set_aside(const char *directory, char *name, size_t name_size)
{
    static const char *const belongings[] = {"-journal", "-wal", "-shm"};
    char path[1100], from[1200], to[1300];

    snprintf(path, sizeof path, "%s/" STORE_FILE, directory);
    if (!name_aside(path, name, name_size) || rename(path, name) != 0)
        return false;
    for (size_t i = 0; i < sizeof belongings / sizeof *belongings; i++) {
        snprintf(from, sizeof from, "%s%s", path, belongings[i]);
        snprintf(to, sizeof to, "%s%s", name, belongings[i]);
        if (rename(from, to) != 0 && errno != ENOENT)
            return false;
    }
    return true;
}

static bool take_setting(struct store *store, sqlite3_stmt *row, void *to)
{
    struct set_settings *settings = to;
    int64_t metric = sqlite3_column_int64(row, 0);
    const char *key = (const char *)sqlite3_column_text(row, 1);
    int64_t value = sqlite3_column_int64(row, 2);

    (void)store;
    if (metric < METRIC_FIRST || metric > METRIC_LAST || !key)
        return true;
    for (int id = 0; id < SETTING_COUNT; id++) {
        const struct setting_type *type = &setting_types[id];

        if (strcmp(key, type->key) == 0 && value >= type->minimum && value <= type->maximum) {
            settings->value[metric].value[id] = (uint32_t)value;
            settings->set[metric] |= UINT32_C(1) << id;
        }
    }
    return true;
}

bool store_load_settings(struct store *store, struct set_settings *settings)
{
    *settings = (struct set_settings){0};
    return each_row(store, "SELECT metric, key, value FROM setting", take_setting, settings);
}

static bool insert_settings(struct store *store, const struct set_settings *settings)
{
    for (enum metric metric = METRIC_FIRST; metric <= METRIC_LAST; metric++) {
        for (int id = 0; id < SETTING_COUNT; id++) {
            const int64_t numbers[] = {metric, settings->value[metric].value[id]};

            if ((settings->set[metric] >> id & 1) &&
                !run_with(store, "INSERT INTO setting (metric, value, key) VALUES (?, ?, ?)",
                          numbers, 2, setting_types[id].key))
                return false;
        }
    }
    return true;
}

bool store_save_settings(struct store *store, const struct set_settings *settings)
{
    return run(store, "BEGIN IMMEDIATE") &&
           end_transaction(store,
                           run(store, "DELETE FROM setting") && insert_settings(store, settings));
}

bool store_forget_settings(struct store *store)
{
    return run(store, "DELETE FROM setting");
}

static bool damaged(struct store *store, const char *table, int64_t key)
{
    store->damaged = true;
    snprintf(store->error, sizeof store->error, "%s: table %s: row %lld is damaged", store->path,
             table, (long long)key);
    return false;
}

/* What an agent has written, and what can be added and subtracted: ms since 1970 up to the year
   2248, ns of a clock some decades around 0. */
static bool is_date_ms(int64_t time_ms)
{
    return time_ms >= 0 && time_ms < INT64_C(1) << 43;
}

static bool is_time_ns(int64_t time_ns)
{
    return time_ns > -(INT64_C(1) << 61) && time_ns < INT64_C(1) << 61;
}

static bool has_times(sqlite3_stmt *row)
{
    bool good = is_date_ms(sqlite3_column_int64(row, 2));

    for (int column = 4; column <= 7; column++)
        good = good && is_time_ns(sqlite3_column_int64(row, column));
    return good;
}

static bool take_alarm(struct store *store, sqlite3_stmt *row, void *to)
{
    struct stored_alarm *stored = to;
    int64_t metric = sqlite3_column_int64(row, 0), state = sqlite3_column_int64(row, 3);

    if (metric < METRIC_FIRST || metric > METRIC_LAST || state < ALARM_NORMAL ||
        state > ALARM_CLEARING || !has_times(row))
        return damaged(store, "alarm", metric);
    stored[metric] = (struct stored_alarm){
        .found = true,
        .instance = (uint64_t)sqlite3_column_int64(row, 1),
        .saved_ms = sqlite3_column_int64(row, 2),
        .alarm =
            {
                .state = (enum alarm_state)state,
                .stepped_ns = sqlite3_column_int64(row, 4),
                .state_since_ns = sqlite3_column_int64(row, 5),
                .raised_ns = sqlite3_column_int64(row, 6),
                .normal_since_ns = sqlite3_column_int64(row, 7),
                .has_baseline = sqlite3_column_int64(row, 8) != 0,
                .baseline_centi = (uint32_t)sqlite3_column_int64(row, 9),
                .stand_in_centi = (uint32_t)sqlite3_column_int64(row, 10),
                .value_centi = (uint32_t)sqlite3_column_int64(row, 11),
                .value_known = sqlite3_column_int64(row, 12) != 0,
                .rising_centi = (uint32_t)sqlite3_column_int64(row, 13),
                .falling_centi = (uint32_t)sqlite3_column_int64(row, 14),
                .peak_centi = (uint32_t)sqlite3_column_int64(row, 15),
                .raises = (uint32_t)sqlite3_column_int64(row, 16),
            },
    };
    return true;
}

bool store_load_alarms(struct store *store, struct stored_alarm stored[METRIC_SLOTS])
{
    memset(stored, 0, METRIC_SLOTS * sizeof *stored);
    return each_row(store, "SELECT * FROM alarm", take_alarm, stored);
}

static bool save_alarm(struct store *store, enum metric metric, const struct alarm *alarm,
                       uint64_t instance, int64_t now_ms)
{
    const int64_t row[] = {
        metric,
        (int64_t)instance,
        now_ms,
        alarm->state,
        alarm->stepped_ns,
        alarm->state_since_ns,
        alarm->raised_ns,
        alarm->normal_since_ns,
        alarm->has_baseline,
        alarm->baseline_centi,
        alarm->stand_in_centi,
        alarm->value_centi,
        alarm->value_known,
        alarm->rising_centi,
        alarm->falling_centi,
        alarm->peak_centi,
        alarm->raises,
    };

    return run_with(store,
                    "REPLACE INTO alarm VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    row, sizeof row / sizeof *row, NULL);
}

static bool take_event(struct store *store, sqlite3_stmt *row, void *to)
{
    struct event_log *log = to;
    int64_t number = sqlite3_column_int64(row, 0), kind = sqlite3_column_int64(row, 1);
    int64_t metric = sqlite3_column_int64(row, 2), cause = sqlite3_column_int64(row, 11);
    int64_t evidence = sqlite3_column_int64(row, 12);
    const char *summary = (const char *)sqlite3_column_text(row, 10);
    struct event event = {
        .number = (uint32_t)number,
        .kind = (enum event_kind)kind,
        .metric = (enum metric)metric,
        .time_ms = sqlite3_column_int64(row, 3),
        .value_centi = (uint32_t)sqlite3_column_int64(row, 4),
        .threshold_centi = (uint32_t)sqlite3_column_int64(row, 5),
        .peak_centi = (uint32_t)sqlite3_column_int64(row, 6),
        .duration_s = (uint32_t)sqlite3_column_int64(row, 7),
        .method = (uint8_t)sqlite3_column_int64(row, 8),
        .syn_cookie_state = (uint8_t)sqlite3_column_int64(row, 9),
        .cause = (uint8_t)cause,
        .evidence = {(uint8_t)evidence, (uint32_t)sqlite3_column_int64(row, 13),
                     (uint32_t)sqlite3_column_int64(row, 14),
                     (uint32_t)sqlite3_column_int64(row, 15)},
    };

    if (number < 1 || number > INT32_MAX || kind < EVENT_RAISED || kind > EVENT_METHOD ||
        metric < METRIC_FIRST || metric > METRIC_LAST || cause < CAUSE_NONE ||
        cause >= CAUSE_SLOTS || evidence < EVIDENCE_NONE || evidence > EVIDENCE_DELETED ||
        !is_date_ms(event.time_ms) || !summary)
        return damaged(store, "event", number);
    snprintf(event.summary, sizeof event.summary, "%s", summary);
    event_log_add(log, &event);
    return true;
}

static bool take_delivered(struct store *store, sqlite3_stmt *row, void *to)
{
    struct event_log *log = to;

    int64_t delivered = sqlite3_column_int64(row, 0), dropped = sqlite3_column_int64(row, 1);

    if (delivered < 0 || delivered > INT32_MAX || dropped < 0 || dropped > UINT32_MAX ||
        (log->kept > 0 && delivered > log->newest))
        return damaged(store, "delivery", delivered);
    log->delivered = (uint32_t)delivered;
    if (log->kept == 0) /* the number that the next one is to be above */
        log->newest = log->delivered;
    log->dropped += (uint32_t)dropped; /* beside those that it has no room for any more */
    return true;
}

bool store_load_events(struct store *store, struct event_log *log)
{
    const char *query = "SELECT number, kind, metric, time_ms, value_centi, threshold_centi,"
                        " peak_centi, duration_s, method, syn_cookie_state, summary, cause,"
                        " evidence_state, evidence_packets, evidence_bytes, evidence_not_kept"
                        " FROM event ORDER BY number";

    return each_row(store, query, take_event, log) &&
           each_row(store, "SELECT delivered, dropped FROM delivery", take_delivered, log);
}

/* A store that was away for a while has some of them. */
static bool insert_event(struct store *store, const struct event *event)
{
    const int64_t row[] = {
        event->number,           event->kind,           event->metric,
        event->time_ms,          event->value_centi,    event->threshold_centi,
        event->peak_centi,       event->duration_s,     event->method,
        event->syn_cookie_state, event->cause,          event->evidence.state,
        event->evidence.packets, event->evidence.bytes, event->evidence.not_kept,
    };

    return run_with(store,
                    "INSERT OR REPLACE INTO event (number, kind, metric, time_ms, value_centi,"
                    " threshold_centi, peak_centi, duration_s, method, syn_cookie_state, cause,"
                    " evidence_state, evidence_packets, evidence_bytes, evidence_not_kept,"
                    " summary) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    row, sizeof row / sizeof *row, event->summary);
}

static bool insert_events(struct store *store, const struct event_log *log, uint32_t after)
{
    const int64_t capacity = log->capacity;

    for (const struct event *event = event_log_after(log, after); event;
         event = event_log_after(log, event->number))
        if (!insert_event(store, event))
            return false;
    return run_with(store,
                    "DELETE FROM event WHERE number <="
                    " (SELECT number FROM event ORDER BY number DESC LIMIT 1 OFFSET ?)",
                    &capacity, 1, NULL);
}

static bool save_alarms(struct store *store, const struct alarm alarms[METRIC_SLOTS],
                        uint64_t instance, int64_t now_ms)
{
    for (enum metric metric = METRIC_FIRST; metric <= METRIC_LAST; metric++)
        if (!save_alarm(store, metric, &alarms[metric], instance, now_ms))
            return false;
    return true;
}

static bool save_delivery(struct store *store, const struct event_log *log)
{
    const int64_t row[] = {log->delivered, log->dropped};

    return run_with(store, "UPDATE delivery SET delivered = ?, dropped = ?", row, 2, NULL);
}

bool store_record(struct store *store, const struct event_log *log, uint32_t after,
                  const struct alarm alarms[METRIC_SLOTS], uint64_t instance, int64_t now_ms)
{
    return run(store, "BEGIN IMMEDIATE") &&
           end_transaction(store, insert_events(store, log, after) && save_delivery(store, log) &&
                                      save_alarms(store, alarms, instance, now_ms));
}

bool store_evidence(struct store *store, const struct event *event)
{
    const struct evidence_file *file = &event->evidence;
    const int64_t row[] = {file->state, file->packets, file->bytes, file->not_kept, event->number};

    return run_with(store,
                    "UPDATE event SET evidence_state = ?, evidence_packets = ?,"
                    " evidence_bytes = ?, evidence_not_kept = ? WHERE number = ?",
                    row, sizeof row / sizeof *row, NULL);
}

bool store_delivered(struct store *store, uint32_t number)
{
    const int64_t row[] = {number};

    return run_with(store, "UPDATE delivery SET delivered = ?", row, 1, NULL);
}
