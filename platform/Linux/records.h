/*
 * Evidence from the rings that the counting programs (count.bpf.c) keep: each
 * reset once, oldest first, a segment that is answered just before its answer.
 *
 * In a flood it is thinned: 500 resets a second, above a burst of 8192, evenly
 * over what has come, so that what is passed on lasts for all of the time. How many
 * of a direction had no record (left out, or written over by the programs) is what
 * was counted and not passed on.
 */
#ifndef RSTWATCH_LINUX_RECORDS_H
#define RSTWATCH_LINUX_RECORDS_H

#include <stddef.h>

#include "platform/Linux/count.h"
#include "platform/evidence.h"

#define RECORDS_REASONS 64

struct records_reader {
    const struct count_ring *rings;              /* COUNT_RECORD_KINDS of them */
    uint64_t next[COUNT_RECORD_KINDS];           /* numbers of the records to look at */
    uint64_t until;                              /* resets up to here are looked at now */
    uint64_t stride;                             /* one of so many is passed on */
    int64_t tokens_ns;                           /* time that has not been used up */
    int64_t now_ns;                              /* of the newest records_begin() */
    bool read;                                   /* since the newest records_begin() */
    uint64_t counted[COUNT_DIRECTIONS];          /* resets, by then */
    uint64_t told[COUNT_DIRECTIONS];             /* of these: passed on, or told as missed */
    bool has_reset;                              /* its trigger has been passed on */
    struct evidence reset;                       /* then: to be passed on next */
    char reasons[RECORDS_REASONS][EVIDENCE_WHY]; /* names, by number in this kernel */
};

/* `rings`: mapped. Takes the names of the kernel's reasons from its BTF. */
void records_open(struct records_reader *reader, const struct count_ring *rings);

/* What has been kept up to now is to be read; `counted`: all resets so far, read before this. Where
   nothing was read since the last time, what is older is nobody's. */
void records_begin(struct records_reader *reader, const uint64_t counted[COUNT_DIRECTIONS],
                   int64_t now_ns);

/* The next of it, and at the end how many were missed; false: that was all. */
bool records_read(struct records_reader *reader, struct evidence *evidence);

#endif
