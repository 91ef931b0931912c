#include "subagent/archive.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "subagent/log.h"

/* What an agent leaves to the next one, in errors. */
#define LEFT "what an earlier agent has left"

/* ---- What is said ---- */

static void good(struct archive *archive)
{
    if (archive->state == ARCHIVE_FAILING)
        log_write(LOG_NOTICE, "the state directory %s can be used again", archive->directory);
    archive->state = archive->replaced ? ARCHIVE_REPLACED : ARCHIVE_GOOD;
    if (!archive->replaced)
        archive->error[0] = '\0';
}

static bool failed(struct archive *archive, const char *error)
{
    if (archive->state != ARCHIVE_FAILING)
        log_write(LOG_ERR, "%s; measuring and answering go on", error);
    archive->state = ARCHIVE_FAILING;
    if (error != archive->error)
        snprintf(archive->error, sizeof archive->error, "%s", error);
    return false;
}

/* ---- Opening ---- */

static void close_store(struct archive *archive)
{
    store_close(archive->store);
    archive->store = NULL;
}

/* `error`: how it was found to be damaged; it may be the store's own. */
static bool set_aside(struct archive *archive, const char *error)
{
    char name[1200], why[sizeof archive->error];

    snprintf(archive->error, sizeof archive->error, "%s", error);
    close_store(archive);
    if (!store_set_aside(archive->directory, name, sizeof name)) {
        snprintf(why, sizeof why, "%.700s; it cannot be set aside: %s", archive->error,
                 strerror(errno));
        return failed(archive, why);
    }
    log_write(LOG_ERR, "%s; it is now %s, and a new one is begun", archive->error, name);
    snprintf(why, sizeof why, "%.700s; set aside as %.700s", archive->error, name);
    strcpy(archive->error, why);
    archive->replaced = true;
    return true;
}

/* Opens the store, a new one in place of one that is damaged. */
static bool open_store(struct archive *archive)
{
    char error[sizeof archive->error];
    bool damaged;

    archive->store = store_open(archive->directory, &damaged, error, sizeof error);
    if (!archive->store && damaged && set_aside(archive, error))
        archive->store = store_open(archive->directory, &damaged, error, sizeof error);
    if (archive->store)
        return true;
    return failed(archive, error);
}

static struct place place_of(const char *directory)
{
    struct stat status;

    if (stat(directory, &status) != 0)
        return (struct place){.inode = 0};
    return (struct place){status.st_dev, status.st_ino};
}

static bool is_displaced(const struct archive *archive)
{
    struct place now = place_of(archive->directory);

    return now.inode != 0 &&
           (now.inode != archive->place.inode || now.device != archive->place.device);
}

/* Open and where it belongs; one that is opened anew may have none of our events. */
static bool ready(struct archive *archive)
{
    if (archive->store && !store_is_stale(archive->store))
        return true;
    close_store(archive);
    if (!open_store(archive)) {
        archive->displaced = is_displaced(archive);
        return false;
    }
    archive->recorded = 0;
    if (store_is_new(archive->store))
        archive->loaded = archive->settings_missing = true;
    return true;
}

/* ---- Loading ---- */

static bool load(struct store *store, struct stored *stored)
{
    return store_load_settings(store, &stored->settings) &&
           store_load_alarms(store, stored->alarms) && store_load_events(store, stored->events);
}

static bool open_and_load(struct archive *archive, struct stored *stored)
{
    if (!open_store(archive))
        return false;
    if (load(archive->store, stored))
        return true;
    if (!store_damaged(archive->store))
        return failed(archive, store_error(archive->store));
    return set_aside(archive, store_error(archive->store)) && open_store(archive) &&
           load(archive->store, stored);
}

static void begin(struct archive *archive, int64_t now_ms, struct stored *stored)
{
    archive->loaded = open_and_load(archive, stored);
    if (archive->loaded && !archive->replaced) {
        archive->recorded = stored->events->newest;
        return;
    }
    stored->settings = (struct set_settings){0};
    memset(stored->alarms, 0, sizeof stored->alarms);
    event_log_begin(stored->events, event_number_above_all(now_ms));
    if (archive->loaded)
        good(archive);
}

static bool load_left(struct handover *handover, size_t used, struct stored *left)
{
    char error[sizeof((struct archive *)0)->error];
    struct store *store =
        store_open_in(handover->bytes, sizeof handover->bytes, used, LEFT, error, sizeof error);
    bool good = store && load(store, left);

    if (!good)
        log_write(LOG_ERR, "%s: not used", store ? store_error(store) : error);
    store_close(store);
    return good;
}

/* It is newer than what was on disk, and goes there with the next record, which tells that the
   directory can be used again. */
static void go_on(struct archive *archive, const struct stored *left, bool settings_known,
                  struct stored *stored)
{
    if (settings_known)
        stored->settings = left->settings;
    memcpy(stored->alarms, left->alarms, sizeof stored->alarms);
    if (stored->events->kept == 0) /* its numbers are nobody's */
        event_log_begin(stored->events, 0);
    event_log_merge(stored->events, left->events);
    archive->state = ARCHIVE_FAILING;
    archive->loaded = archive->loaded || settings_known;
    archive->settings_missing = archive->loaded;
    archive->evidence_missing = true;
}

static void take_left(struct archive *archive, struct handover *handover, struct stored *stored)
{
    size_t used = handover->used;
    struct event_log events;
    struct stored left = {.events = &events};

    handover->used = 0;
    if (used == 0 || used > sizeof handover->bytes)
        return;
    if (event_log_open(&events, stored->events->capacity) && load_left(handover, used, &left))
        go_on(archive, &left, handover->settings_known, stored);
    event_log_close(&events);
}

void archive_open(struct archive *archive, const char *directory, struct handover *handover,
                  int64_t now_ms, struct stored *stored)
{
    *archive = (struct archive){
        .directory = directory, .place = place_of(directory), .state = ARCHIVE_GOOD};
    begin(archive, now_ms, stored);
    take_left(archive, handover, stored);
}

/* ---- Writing ---- */

static bool write_settings(struct archive *archive, const struct set_settings *settings)
{
    if (!store_save_settings(archive->store, settings))
        return false;
    archive->settings_missing = false;
    return true;
}

static bool write_evidence(struct archive *archive, const struct event_log *events)
{
    for (const struct event *event = event_log_after(events, 0); event;
         event = event_log_after(events, event->number))
        if (event->evidence.state != EVIDENCE_NONE && !store_evidence(archive->store, event))
            return false;
    archive->evidence_missing = false;
    return true;
}

static bool write_record(struct archive *archive, const struct archive_record *record)
{
    if (archive->settings_missing && !write_settings(archive, record->settings))
        return false;
    if (!store_record(archive->store, record->events, archive->recorded, record->alarms,
                      record->instance, record->now_ms))
        return false;
    archive->recorded = record->events->newest;
    return !archive->evidence_missing || write_evidence(archive, record->events);
}

bool archive_record(struct archive *archive, const struct archive_record *record)
{
    if (!ready(archive))
        return false;
    if (!write_record(archive, record)) {
        if (!store_damaged(archive->store))
            return failed(archive, store_error(archive->store));
        if (!set_aside(archive, store_error(archive->store)) || !ready(archive))
            return false;
        if (!write_record(archive, record))
            return failed(archive, store_error(archive->store));
    }
    good(archive);
    return true;
}

bool archive_save_settings(struct archive *archive, const struct set_settings *settings)
{
    if (!ready(archive))
        return false;
    /* It would go over settings that nobody here has seen. */
    if (!archive->loaded)
        return failed(archive, "settings made by SET before could not be read at the start: "
                               "SIGHUP or a restart reads them");
    if (!write_settings(archive, settings))
        return failed(archive, store_error(archive->store));
    good(archive);
    return true;
}

void archive_evidence(struct archive *archive, const struct event *event)
{
    /* An event that is not in the store brings its evidence when it comes. */
    if (!ready(archive) || store_evidence(archive->store, event))
        return;
    archive->evidence_missing = true;
    failed(archive, store_error(archive->store));
}

void archive_delivered(struct archive *archive, uint32_t number)
{
    if (!ready(archive) || archive->recorded < number)
        return; /* with the event itself, then */
    if (store_delivered(archive->store, number))
        good(archive);
    else
        failed(archive, store_error(archive->store));
}

/* Whole or not at all: an agent may be killed meanwhile. */
static void leave(const struct archive *archive, const struct archive_record *record,
                  struct handover *handover)
{
    char error[sizeof archive->error];
    struct store *store;

    handover->used = 0;
    store = store_open_in(handover->bytes, sizeof handover->bytes, 0, LEFT, error, sizeof error);
    if (store && store_save_settings(store, record->settings) &&
        store_record(store, record->events, 0, record->alarms, record->instance, record->now_ms)) {
        handover->settings_known = archive->loaded;
        handover->used = store_used(store);
    } else {
        log_write(LOG_ERR, "%s", store ? store_error(store) : error);
    }
    store_close(store);
}

void archive_close(struct archive *archive, const struct archive_record *record,
                   struct handover *handover)
{
    if (record && !archive_record(archive, record))
        leave(archive, record, handover);
    close_store(archive);
}
