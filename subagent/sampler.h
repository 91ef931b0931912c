/*
 * Samples: a source is chosen and opened, read at every tick, and what it says
 * made one continuous stream into the ring. Knows neither net-snmp nor SQLite.
 */
#ifndef RSTWATCH_SAMPLER_H
#define RSTWATCH_SAMPLER_H

#include <stdio.h>

#include "platform/reader.h"
#include "subagent/ring.h"

struct sampler {
    const struct reader_type *type;
    struct reader *reader;
    bool automatic;         /* the source is ours to choose, and to leave */
    size_t rank;            /* type is sampler_source(rank) */
    char passed_over[1024]; /* "not NAME: why" of each better source; "" = there is none */
    struct continuity continuity;
    uint64_t sequence; /* of the newest sample published */
    uint32_t read_failures;
    bool keep_evidence; /* headers of resets are passed on, where the source has them; the caller's
                         */
    bool failing;       /* said once */
    int64_t good_ns;    /* time of the newest reading that worked; 0 = none */
    int64_t leave_ns;   /* failing: when to try the next best source */
};

enum sampler_result { SAMPLER_OPEN, SAMPLER_NO_SUCH_SOURCE, SAMPLER_FAILED };

/* `source` is "auto", or a reader's name, with ":argument" or without. On failure
   error is one line: what and where. */
enum sampler_result sampler_open(struct sampler *sampler, const char *source, char *error,
                                 size_t error_size);
void sampler_close(struct sampler *sampler);

/* One reading into the ring. A reading that fails leaves a gap, which costs resolution
   only; after 10 s without a good one every value is published as unknown. A source that
   was chosen automatically and has failed for 1 s is left for the next best that opens
   with the rights that are left; there is no way back but a restart. */
void sampler_tick(struct sampler *sampler, struct ring *ring);

/* The n-th source, NULL behind the last. */
const struct reader_type *sampler_source(size_t n);

/* For --help: a line for each source. */
void sampler_print_sources(FILE *to);

#endif
