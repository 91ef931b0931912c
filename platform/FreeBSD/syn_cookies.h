/*
 * SYN cookies as the FreeBSD kernel tells of them. Pure.
 *
 * net.inet.tcp.syncookies_only = 1: every SYN is answered by a cookie: always(3).
 * net.inet.tcp.syncookies = 1, the default: kept connections are answered by a cookie as well,
 * and when the cache of them overflows, no more are kept for a while: onOverflow(2).
 * Else: disabled(1).
 *
 * tcps_sc_sendcookie counts cookies of connections that are kept, too, which need none: a cookie
 * is sent, as on other systems, where none was kept: sc_sendcookie - sc_added.
 */
#ifndef RSTWATCH_FREEBSD_SYN_COOKIES_H
#define RSTWATCH_FREEBSD_SYN_COOKIES_H

#include <stddef.h>

#include "platform/sample.h"

/* A sysctl that is an int (13.2) or a bool of one byte (15.1). False: it is neither. */
bool syn_cookies_flag(const void *bytes, size_t length, bool *flag);

enum syn_cookie_state syn_cookies_state(bool syncookies, bool syncookies_only);

/* All zero at first. */
struct syn_cookies {
    bool started;
    uint64_t sendcookie, added; /* of the newest reading */
    uint64_t pending;           /* of the newest reading, not counted yet */
    uint64_t sent;              /* since the first reading; only grows */
};

/*
 * Takes the next reading of both counters, and counts one reading late: the kernel does not read
 * them at one instant, and a SYN that one reading has in part is made up for by the next one.
 */
void syn_cookies_next(struct syn_cookies *cookies, uint64_t sendcookie, uint64_t added);

#endif
