/* Rows of the state database with any values in their columns. The bytes are rows, one behind the
   other: a table, then for each column a type and a value. */
#include "subagent/store.c"

#include "tests/fuzz/stored.h"

static struct store *store;

static const struct {
    const char *insert, *clear;
    int columns;
} tables[] = {
    {"INSERT OR REPLACE INTO setting VALUES (?, ?, ?)", "DELETE FROM setting", 3},
    {"INSERT OR REPLACE INTO alarm VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
     "DELETE FROM alarm", 17},
    {"INSERT OR REPLACE INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
     "DELETE FROM event", 16},
    {"INSERT OR REPLACE INTO delivery VALUES (?, ?)", "DELETE FROM delivery", 2},
};

#define TABLES ((int)(sizeof tables / sizeof *tables))

static sqlite3_stmt *inserts[TABLES], *clears[TABLES];

static void open_in_memory(void)
{
    store = calloc(1, sizeof *store);
    if (!store || !open_file(store, SQLITE_OPEN_READWRITE, ":memory:") || !bring_schema(store))
        abort();
    for (int table = 0; table < TABLES; table++)
        if (sqlite3_prepare_v2(store->database, tables[table].insert, -1, &inserts[table], NULL) ||
            sqlite3_prepare_v2(store->database, tables[table].clear, -1, &clears[table], NULL))
            abort();
}

static void bind_key(sqlite3_stmt *statement, int column, struct input *input)
{
    const char *key = setting_types[take_byte(input) % SETTING_COUNT].key;

    sqlite3_bind_text(statement, column, key, -1, SQLITE_STATIC);
}

static void bind(sqlite3_stmt *statement, int column, struct input *input)
{
    char text[64];

    switch (take_byte(input) % 8) {
    case 0:
        sqlite3_bind_null(statement, column);
        break;
    case 1:
        sqlite3_bind_int64(statement, column, (int64_t)take_u64(input));
        break;
    case 2:
        sqlite3_bind_double(statement, column, (double)(int64_t)take_u64(input) / 3);
        break;
    case 3:
        take(input, text, sizeof text);
        sqlite3_bind_text(statement, column, text, take_byte(input) % sizeof text,
                          SQLITE_TRANSIENT);
        break;
    case 4:
        take(input, text, sizeof text);
        sqlite3_bind_blob(statement, column, text, take_byte(input) % sizeof text,
                          SQLITE_TRANSIENT);
        break;
    case 5:
        bind_key(statement, column, input);
        break;
    default:
        sqlite3_bind_int(statement, column, take_byte(input));
    }
}

static void step(sqlite3_stmt *statement)
{
    sqlite3_step(statement); /* one that a constraint refuses is not there */
    sqlite3_reset(statement);
}

static void insert_row(struct input *input)
{
    int table = take_byte(input) % TABLES;

    for (int column = 1; column <= tables[table].columns; column++)
        bind(inserts[table], column, input);
    step(inserts[table]);
}

static void is_told(void)
{
    HOLDS(is_one_line(store_error(store)));
}

static void load_settings(void)
{
    struct set_settings stored;

    if (store_load_settings(store, &stored))
        settings_hold(&stored);
    else
        is_told();
}

static void load_alarms(void)
{
    struct stored_alarm stored[METRIC_SLOTS];

    if (store_load_alarms(store, stored))
        alarms_hold(stored);
    else
        is_told();
}

static void load_events(void)
{
    struct event_log log;

    if (!event_log_open(&log, 10))
        abort();
    if (store_load_events(store, &log))
        events_hold(&log);
    else
        is_told();
    event_log_close(&log);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};

    if (!store)
        open_in_memory();
    for (int n = 0; input.left > 0 && n < 16; n++)
        insert_row(&input);
    load_settings();
    load_alarms();
    load_events();
    for (int table = 0; table < TABLES; table++)
        step(clears[table]);
    return 0;
}
