/*
 * struct tcpstat of the FreeBSD kernel, from the bytes of the sysctl net.inet.tcp.stats. Pure.
 *
 * The struct differs between releases, and has nothing in it that tells which it is; its length
 * does. A length that is not in tcpstat.def is refused: no field is ever guessed.
 *
 * None of its fields counts resets received or sent. Measured on 13.2 and 15.1, these tell most
 * of those received (the estimate of platform/estimate.h):
 *
 *   conndrops    connects that were refused, or timed out
 *   drops        connections aborted by the peer; also own aborts, and those that timed out
 *   badrst       resets ignored since their sequence number is not exact, and those to a listener
 *   sc_reset     resets for half-open connections
 *   timeoutdrop, keepdrops, persistdrop, progdrops
 *                timeouts, each of which is one of conndrops or drops as well
 *
 * They stand for tcpResetAttemptFails (conndrops + sc_reset), tcpResetEstabResets (drops),
 * tcpResetEmbryonic (sc_reset), tcpResetAbortsOnTimeout (the timeouts) and received.blind
 * (badrst). Not seen: resets for no connection, outside the window, in TIME_WAIT, and for
 * half-open connections with net.inet.tcp.syncookies_only = 1. Taken for received: own aborts.
 */
#ifndef RSTWATCH_FREEBSD_TCPSTAT_H
#define RSTWATCH_FREEBSD_TCPSTAT_H

#include <stddef.h>

#include "platform/sample.h"

#define TCPSTAT_MAX 4096 /* bytes: more than any release has */

enum tcpstat_field {
#define FIELD(name, offset_904, offset_1000) TCPSTAT_##name,
#include "platform/FreeBSD/tcpstat.def"
#undef FIELD
    TCPSTAT_FIELDS
};

struct tcpstat_values {
    bool known[TCPSTAT_FIELDS]; /* false: this release has no such field, and the value is 0 */
    uint64_t value[TCPSTAT_FIELDS];
};

/* `bytes` as the kernel gave them, in its byte order. False: error names the length. */
bool tcpstat_decode(const void *bytes, size_t length, struct tcpstat_values *values, char *error,
                    size_t error_size);

/* Sets the counters above, and those of bad checksums, listeners and valid and bad SYN cookies.
   Of SYN cookies sent: syn_cookies.h. */
void tcpstat_set(const struct tcpstat_values *values, struct sample *sample);

#endif
