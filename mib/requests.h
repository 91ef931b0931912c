/*
 * What the requests of a master agent (RFC 2741, 7.2) are answered with, for all of
 * TCP-RESET-MIB. The library's own way to a handler is not taken: it is a pipe to itself and
 * back for each request, six system calls and most of the time, and it keeps SETs that a master
 * leaves unfinished, or finishes out of turn, in memory that it reads after it was freed.
 */
#ifndef RSTWATCH_REQUESTS_H
#define RSTWATCH_REQUESTS_H

#include "mib/objects.h"

struct mib_service {
    /* Fills in what answers are taken from. */
    void (*view)(void *context, struct mib_view *view);
    /* Makes settings that passed settings_check() hold, durably; false: nothing has changed. */
    bool (*apply)(void *context, const struct set_settings *settings);
    void *context;
};

/* After init_agent(), has the root registered with each master; `service` is kept. False: the
   library refused. */
bool mib_register(const struct mib_service *service);

struct snmp_pdu; /* netsnmp_pdu */

/*
 * Turns a request, as the library has taken it apart, into its response: variables, errstat
 * (an error of SNMP or of RFC 2741, 6.2.16) and errindex. False: nothing is to be sent.
 *
 * There is one SET at a time. A TestSet begins a new one; the one before is forgotten, and so is
 * what could be undone of it. Phases that are out of turn get processingError.
 */
bool mib_answer(struct snmp_pdu *pdu);

/* The session has ended, and with it the SET that it had begun. */
void mib_forget_set(void);

#endif
