/*
 * The AgentX session to the master agent, by net-snmp: connecting, connecting
 * again, the event loop, notifications with their acknowledgement.
 *
 * A master that hangs can make agentx_run_once() block for some seconds: libnetsnmp
 * waits for the answers to what it sends when it connects. Nothing that is being
 * measured depends on it.
 */
#ifndef RSTWATCH_AGENTX_H
#define RSTWATCH_AGENTX_H

#include <stdbool.h>
#include <stdint.h>

struct variable_list; /* netsnmp_variable_list */
struct snmp_pdu;      /* netsnmp_pdu */

/* Initialises the library as a subagent; objects are registered after this. `address`
   in snmpd's forms: unix:/path, tcp:host:port. False: the library refused. */
bool agentx_open(const char *address);

/* `answer` turns each request of the master into its response (variables, errstat, errindex);
   false: it gets none. To be set before agentx_start(). */
void agentx_on_request(bool (*answer)(struct snmp_pdu *request));

/* Connects; where there is no master it goes on trying, every 0.25 s. */
void agentx_start(void);

/* Ends the session and the library. */
void agentx_close(void);

/* `ready` is called from agentx_run_once() when there is something to read from fd. */
bool agentx_watch(int fd, void (*ready)(int fd, void *context), void *context);

/* Waits until something happens (a signal, too) and serves it. */
void agentx_run_once(void);

bool agentx_connected(void);

/* CLOCK_MONOTONIC at which the sysUpTime of the master agent was 0, to 10 ms; the same
   for as long as the session lasts. */
int64_t agentx_master_start_ns(void);

/*
 * Sends varbinds (snmpTrapOID.0 first) and gives them back. `answered` is called
 * once, with whether the master took them; never, if the session ends before:
 * then `lost` of agentx_on_lost() is called. False: nothing was sent.
 */
bool agentx_notify(struct variable_list *varbinds, void (*answered)(bool taken, void *context),
                   void *context);

/* `lost` is called when the session ends. */
void agentx_on_lost(void (*lost)(void *context), void *context);

#endif
