/*
 * What a kernel's own counters tell of resets, where nothing better is to be had: how many
 * came in, of which no kernel has a counter, and some of the causes. Pure.
 *
 *   received += max(0, AttemptFails + max(0, EstabResets - AbortsOnData - AbortsOnClose)
 *                      - AbortsOnTimeout) + blind       (each: its growth since the last reading)
 *
 * In the names of Linux; platform/FreeBSD/tcpstat.h says what stands for them there.
 *
 * AttemptFails       grows when a connection attempt ends by a reset, and also by a timeout
 *                    or an ICMP error (Linux net/ipv4/tcp.c tcp_done, tcp_minisocks.c)
 * EstabResets        grows when a connection leaves ESTABLISHED or CLOSE_WAIT at once, whoever
 *                    ended it (tcp.c tcp_set_state)
 * TCPAbortOnData     own aborts, which move EstabResets too if the connection was in one of
 * TCPAbortOnClose    these states, hence the inner max (tcp.c __tcp_close)
 * TCPAbortOnTimeout  timeouts, which move AttemptFails or EstabResets, or neither if we had
 *                    closed already, hence the outer max (tcp_timer.c tcp_write_err)
 * received.blind     as a reading has it: resets that the kernel counts because it ignores
 *                    them; Linux counts none
 *
 * AttemptFails and EstabResets are read some microseconds before the others. What has moved one of
 * those by then and not yet these does so in the next reading, and is taken off there.
 *
 * TCPAbortOnLinger and TCPAbortOnMemory move neither. Not seen at all: resets for no
 * connection, to a listener, outside the window, in TIME_WAIT, after our own close. Taken for
 * received: connects that end in an ICMP error, own aborts that have no counter (AF_UNSPEC,
 * ss -K, a listener closed with connections not accepted).
 *
 * Causes. Received: handshakeAborted is EmbryonicRsts, which moves AttemptFails too;
 * noListener the rest of AttemptFails; blind as it is; aborted the rest of the estimate.
 * Sent: aborted is TCPAbortOnData + TCPAbortOnClose + TCPAbortOnLinger, memory is
 * TCPAbortOnMemory. Where the resets of a direction are counted otherwise, unexplained is what
 * remains of them.
 */
#ifndef RSTWATCH_ESTIMATE_H
#define RSTWATCH_ESTIMATE_H

#include "platform/sample.h"

/* All zero at first. */
struct estimate {
    struct sample last;     /* the newest known value of each counter that is looked at */
    struct sample by_cause; /* counters by cause since the first reading; only grow */
    uint64_t received;      /* resets received since the first reading; only grows */
    /* In the last reading, and not in what is read first. */
    uint64_t early_embryonic, early_aborts, early_timeouts;
    uint64_t counted_received, counted_sent; /* by another source, since the first reading */
};

/*
 * Takes the next reading, whose counters are those of the kernel, but
 * COUNTER_RECEIVED and COUNTER_SENT of any source that counts them. False if it
 * has no AttemptFails or no EstabResets: then there is no estimate now, and the
 * next one makes up for it. Other counters that are missing do not grow, nor
 * does one that stepped backwards.
 */
bool estimate_next(struct estimate *estimate, const struct sample *reading);

/* Sets the counters by cause that are known, as derived. */
void estimate_set_causes(const struct estimate *estimate, struct sample *sample);

#endif
