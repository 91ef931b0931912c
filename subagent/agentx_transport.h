/*
 * The transport of the AgentX session: the library's own for the master's address, with a look
 * at what comes. The library takes any number for the length of a PDU, and keeps in memory what
 * comes of it, without end: here the connection ends instead.
 */
#ifndef RSTWATCH_AGENTX_TRANSPORT_H
#define RSTWATCH_AGENTX_TRANSPORT_H

/* Before an address in snmpd's forms: "checked:unix:/path". */
#define AGENTX_TRANSPORT "checked"

/* Makes that known to the library. */
void agentx_transport_register(void);

#endif
