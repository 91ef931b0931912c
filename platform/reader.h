/*
 * The contract of a reader, a source of samples. A platform lists the readers
 * it has, best first; the sampler opens one and calls it at every tick.
 *
 * open   Opens everything the reader will ever need, with the rights of the
 *        caller; afterwards those rights may go. `argument` is what follows the
 *        colon of `-s name:argument`, "" without one. On success *reader is
 *        set; else what failed and where (one line, no newline) is in error.
 * read   Fills counters, valid bits, methods, SYN-cookie state, sources and peers_known of
 *        *sample; the rest of it is zero before the call, but time_ns is set.
 *        What the source does not know stays without its valid bit. Never
 *        blocks. Returns false and writes error when nothing could be read;
 *        the next call tries again. A reader that fails for long is closed in
 *        favour of the next best, if `-s auto` had chosen it.
 * read_peers  Of a source that knows peers: called after each reading until it returns
 *        false; fills *slice, which is zero before, with a slice that is new or longer than
 *        before. There is one about once a second, and of one that is a large part of the
 *        last 10 s also what it has so far, so that an alarm can tell whose a burst is.
 * read_evidence  Of a source that keeps the headers of resets: called after each
 *        reading until it returns false; fills *evidence with the oldest record
 *        that it has not delivered.
 * close  Gives back what open took.
 *
 * A reader does not print, keeps no global state and knows no other stage.
 */
#ifndef RSTWATCH_READER_H
#define RSTWATCH_READER_H

#include <stddef.h>

#include "platform/evidence.h"
#include "platform/peers.h"
#include "platform/sample.h"

struct reader; /* each reader's own */

enum reader_open {
    READER_OPEN,
    READER_FAILED, /* another source may do better */
    READER_TAKEN,  /* another instance counts what this one would: none must count it again */
};

struct reader_type {
    const char *name;     /* as in -s, "procfs" */
    const char *meaning;  /* one line for --help */
    const char *argument; /* what must follow the colon, "FILE"; NULL: nothing need */
    const char *missing;  /* why this build is without it; then it has no functions; NULL: it has */
    bool automatic;       /* `-s auto` may choose it */
    bool reads_with_rights; /* reading takes a part of the rights of opening: platform/rights.h */
    enum reader_open (*open)(struct reader **reader, const char *argument, char *error,
                             size_t error_size);
    bool (*read)(struct reader *reader, struct sample *sample, char *error, size_t error_size);
    bool (*read_peers)(struct reader *reader, int64_t now_ns, struct peer_slice *slice);
    bool (*read_evidence)(struct reader *reader, struct evidence *evidence);
    void (*close)(struct reader *reader);
};

/* platform/<OS>/: what this platform has, best first, NULL at the end. */
extern const struct reader_type *const platform_readers[];

/* platform/<OS>/: what each counter is of this platform's kernel, by enum counter. */
extern const char *const platform_counter_sources[COUNTER_BY_CAUSE];

/* platform/replay.c: plays a file; on every platform. */
extern const struct reader_type replay_reader;

#endif
