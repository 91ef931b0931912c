/*
 * A file of samples, to be played in place of the kernel: for tests, demos and
 * faults. Text, one sample a line, at the time that it says:
 *
 *   # a flood of 100 resets a second
 *   time_ms=0    tcpResetReceived=0   tcpResetSent=0 syn_cookie_state=onOverflow
 *   time_ms=100  tcpResetReceived=10  tcpResetSent=0 received_method=exact
 *   time_ms=200  fail=1
 *
 * Words are separated by spaces or tabs; from a word that begins with '#' to
 * the end of its line is comment; lines without a word are skipped. Each key
 * but a peer's may stand once in a line:
 *
 *   time_ms           since the first reading; required; 0 in the first line, then growing
 *   tcpReset…         a counter (counter_names[]), 0 to 2^64-1; without it, it is not valid
 *   received.…,       counters by cause: received.aborted, sent.noListener
 *   sent.…
 *   syn_cookie_state  0 to 3, or unknown, disabled, onOverflow, always; without it, unknown
 *   received_method,  exact or estimated; without it, estimated if tcpResetReceived
 *   sent_method       (tcpResetSent) is there, else unknown
 *   cause_method      measured or derived; without it, measured if a counter by cause is there,
 *                     else unknown
 *   received.peer,    ADDRESS,PORT,CAUSE,COUNT, as in received.peer=192.0.2.7,443,noListener,100:
 *   sent.peer         a peer of the slice that begins with the line before and ends with this one.
 *                     Ports are counted from the peers; one has the cause of its heaviest peer.
 *   received.others,  resets of that slice by peers that are not listed; without it, 0
 *   sent.others
 *   fail              1: readings fail as long as this line holds; 0 is as if it were not there
 *
 * A file in which no line has a peer or others knows none.
 */
#ifndef RSTWATCH_REPLAY_H
#define RSTWATCH_REPLAY_H

#include <stddef.h>
#include <stdio.h>

#include "platform/peers.h"
#include "platform/sample.h"

struct replay_line {
    int64_t time_ns; /* since the first reading */
    size_t number;   /* of the line in the file, from 1 */
    bool fail;
    /* Counters, valid, methods, SYN-cookie state, sources, peers_known; the rest is 0. */
    struct sample sample;
    struct peer_slice *slice; /* that ends with this line; NULL: none does. Times as above. */
};

struct replay {
    struct replay_line *lines; /* by time; at least one, at time 0 */
    size_t count;
};

/*
 * Parses a text of `length` bytes, which need not end in NUL. On failure returns
 * false and writes "name:line: key: what is wrong" to error (one line, without
 * newline); `replay` is then empty. On success replay_free() is due.
 */
bool replay_parse(const char *text, size_t length, const char *name, struct replay *replay,
                  char *error, size_t error_size);

void replay_free(struct replay *replay);

/* The line that holds at `elapsed_ns`: the last one whose time is not later, the
   first one for negative times. */
const struct replay_line *replay_at(const struct replay *replay, int64_t elapsed_ns);

/* Writes a sample as such a line, without peers: what is parsed from it equals the sample. */
void replay_print(FILE *to, int64_t time_ms, const struct sample *sample);

/* Writes the line of a reading that failed. */
void replay_print_failure(FILE *to, int64_t time_ms);

#endif
