/*
 * What outlives the process: settings made by SET, the state of the alarms and
 * the events, in one SQLite database, <directory>/rstwatch.db. The only file
 * that knows SQLite. A call that returns true has reached the disk.
 *
 * Every function that can fail returns false and leaves its reason in
 * store_error(); what it was to write is then not written at all.
 */
#ifndef RSTWATCH_STORE_H
#define RSTWATCH_STORE_H

#include "subagent/alarm.h"
#include "subagent/events.h"

#define STORE_FILE "rstwatch.db"

struct store;

/*
 * Opens the database, and makes it where there is none. One that cannot be
 * written is opened for reading. NULL after writing error, one line; *damaged
 * then says that the file is there, but no database of this version: only
 * store_set_aside() helps. So is an empty file: it has been more than that.
 */
struct store *store_open(const char *directory, bool *damaged, char *error, size_t error_size);
/* A store in these `size` bytes of memory, which outlive it: the one of the first `used` of them,
   as it was left there by another process, or with 0 a new one. It has no name but `name`. */
struct store *store_open_in(void *memory, size_t size, size_t used, const char *name, char *error,
                            size_t error_size);

/* The bytes that one in memory has used. */
size_t store_used(const struct store *store);

void store_close(struct store *store); /* NULL: nothing to do */

/*
 * Gives a database that is not open, and what belongs to it, another name, which
 * goes to `name`: <directory>/rstwatch.db.aside-<number>. False: errno, and
 * nothing has been renamed.
 */
bool store_set_aside(const char *directory, char *name, size_t name_size);

/* Why the newest call failed: one line, file named. */
const char *store_error(const struct store *store);

/* It failed since the database is damaged. */
bool store_damaged(const struct store *store);

/* It was made when it was opened. */
bool store_is_new(const struct store *store);

/* Opened for reading, or no longer where it was opened (removed, or its directory renamed):
   to be opened anew. */
bool store_is_stale(const struct store *store);

/* Only what SET has made. Settings that this version does not know are left out. */
bool store_load_settings(struct store *store, struct set_settings *settings);
bool store_save_settings(struct store *store, const struct set_settings *settings);
bool store_forget_settings(struct store *store);

/*
 * An alarm as it was saved, by which sampler (ring_instance()) and when (ms since
 * 1970). With the same sampler its times still hold, and a new agent steps on
 * from alarm.stepped_ns; saved at least once a minute, so the ring reaches back.
 */
struct stored_alarm {
    bool found;
    struct alarm alarm;
    uint64_t instance;
    int64_t saved_ms;
};

bool store_load_alarms(struct store *store, struct stored_alarm stored[METRIC_SLOTS]);

/* All of it. */
struct stored {
    struct set_settings settings;
    struct stored_alarm alarms[METRIC_SLOTS];
    struct event_log *events; /* open */
};

/* Events into `log`, oldest first, and how many were delivered; a damaged row is an error. */
bool store_load_events(struct store *store, struct event_log *log);

/* In one transaction: the alarms as they stand, the events of `log` above `after`, and what
   is delivered; of all events the newest log->capacity are kept. */
bool store_record(struct store *store, const struct event_log *log, uint32_t after,
                  const struct alarm alarms[METRIC_SLOTS], uint64_t instance, int64_t now_ms);

/* What has become of the evidence of an event that is there. */
bool store_evidence(struct store *store, const struct event *event);

/* The master agent has acknowledged the notifications of the events up to `number`. */
bool store_delivered(struct store *store, uint32_t number);

#endif
