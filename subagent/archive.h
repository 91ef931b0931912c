/*
 * What is kept on disk, whatever becomes of the disk. Where the store cannot be
 * opened or written, measuring, answering and notifying go on with what is in
 * memory, and it is tried again with the next record; a store that is damaged is
 * set aside, never written over, and a new one begun with all that is in memory.
 * Each of these is said once in the log.
 */
#ifndef RSTWATCH_ARCHIVE_H
#define RSTWATCH_ARCHIVE_H

#include <sys/types.h>

#include "subagent/handover.h"
#include "subagent/store.h"

/* Values: tcpResetStorageState of the MIB. */
enum archive_state {
    ARCHIVE_GOOD = 1,     /* all is on disk */
    ARCHIVE_FAILING = 2,  /* what has happened since it began to fail is in memory only */
    ARCHIVE_REPLACED = 3, /* all is on disk; a damaged store was set aside in this run */
};

/* Tells a directory from another one in its place. */
struct place {
    dev_t device;
    ino_t inode; /* 0: there is none */
};

struct archive {
    const char *directory;
    struct place place;  /* of the directory, when the agent began */
    bool displaced;      /* see archive_open() */
    struct store *store; /* NULL: it could not be opened */
    enum archive_state state;
    char error[1500]; /* the newest; "" in ARCHIVE_GOOD */
    bool loaded;      /* what was on disk at the start has been taken up */
    bool replaced;
    bool settings_missing; /* the store was begun without them */
    bool evidence_missing; /* that of some event has changed since */
    uint32_t recorded;     /* events up to this number are in the store */
};

/* What an agent has to keep. */
struct archive_record {
    const struct set_settings *settings;
    const struct alarm *alarms; /* METRIC_SLOTS of them */
    const struct event_log *events;
    uint64_t instance; /* ring_instance() */
    int64_t now_ms;    /* since 1970 */
};

/*
 * Opens the store in `directory` (not copied) and loads what it holds; what
 * cannot be read is empty. Then the events begin above event_number_above_all().
 * What an earlier agent has left comes on top of that, and goes with the next record.
 *
 * An agent may be confined to the directory that it began with, so that another one in its
 * place (made anew, mounted) is open to a new agent only: `displaced` says that this is so.
 */
void archive_open(struct archive *archive, const char *directory, struct handover *handover,
                  int64_t now_ms, struct stored *stored);

/* The alarms as they stand, and the events and deliveries that the store does not have. True:
   they are on disk. */
bool archive_record(struct archive *archive, const struct archive_record *record);

/* True: they are on disk. */
bool archive_save_settings(struct archive *archive, const struct set_settings *settings);

/* What has become of the evidence of an event; what cannot be written is with the next record. */
void archive_evidence(struct archive *archive, const struct event *event);

/* The notifications of the events up to `number` have been delivered. */
void archive_delivered(struct archive *archive, uint32_t number);

/* What cannot be recorded is left to the next agent. NULL: there is nothing. */
void archive_close(struct archive *archive, const struct archive_record *record,
                   struct handover *handover);

#endif
