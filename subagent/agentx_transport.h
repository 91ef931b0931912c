/*
 * The transport of the AgentX session: the library's own for the master's address, with a look
 * at what comes, whole PDU by whole PDU. The library
 *  - takes any number for the length of a PDU, and keeps in memory what comes of it, without end:
 *    here the connection ends instead;
 *  - drops a PDU of more than 64 KiB without a word, upon which snmpd closes the session: here
 *    it is answered with tooBig;
 *  - drops a PDU that it cannot take apart in the same way: here it is answered with parseError;
 *  - takes a request that comes while it waits for an answer for that answer, or keeps it for
 *    ever: here it is held back until the session is open;
 *  - reads what it has freed when the connection ends while it registers: here it hears of that
 *    later;
 *  - goes on without objects when the master refuses to register them (it may still have the
 *    session of an agent that has just died): here the connection ends, and is tried again.
 */
#ifndef RSTWATCH_AGENTX_TRANSPORT_H
#define RSTWATCH_AGENTX_TRANSPORT_H

#include <stdbool.h>

/* Before an address in snmpd's forms: "checked:unix:/path". */
#define AGENTX_TRANSPORT "checked"

/* Makes that known to the library. `open`: whether requests can be taken. False: the library
   refused. */
bool agentx_transport_register(bool (*open)(void));

/* Whether something has been held back, a PDU or the end of the connection: the session is to be
   read though nothing comes. */
bool agentx_transport_holds(void);

/* The request that the library was given last has come out of it. */
void agentx_transport_taken(void);

/* After the library has read: a request that has not come out of it cannot be taken apart (a type
   that AgentX does not know, which snmpd passes on), and gets its error. */
void agentx_transport_settle(void);

/* Why the newest connection was ended on this side; NULL: it was not. */
const char *agentx_transport_fault(void);

#endif
