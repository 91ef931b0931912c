#include "subagent/agentx.h"

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include <net-snmp/agent/net-snmp-agent-includes.h>

#include <net-snmp/agent/agent_callbacks.h>
#include <net-snmp/library/fd_event_manager.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "mib/agentx.h"
#include "subagent/agentx_framing.h"
#include "subagent/agentx_transport.h"
#include "subagent/clock.h"
#include "subagent/log.h"

#define APPLICATION "rstwatchd"

#define AGENTX_VERSION 0xC1 /* version 1, as the library marks it */

/* The library's own interval to try again, in whole seconds, 1 at least; see hasten_retry(). */
#define RETRY_S  1
#define RETRY_MS 250L

/* Long after any session has ended: only an answer or the end of the session ends a
   notification, since one that times out may have been delivered all the same. */
#define NOTIFY_TIMEOUT_S (30L * 24 * 3600)

static netsnmp_session *session; /* NULL: not connected */
static int64_t master_start_ns;
static char told_missing[100]; /* why; empty: it is there */
static bool told_connected;
static const char *master_address;

static bool (*on_request)(netsnmp_pdu *request);
static netsnmp_callback library_callback; /* what the session had before take_packet() */

static void (*on_lost)(void *context);
static void *on_lost_context;

struct notification {
    void (*answered)(bool taken, void *context);
    void *context;
};

static struct notification in_flight;

/* The library logs through this; its word on lost masters is said better below. */
static int take_log(int major, int minor, void *server, void *client)
{
    const struct snmp_log_message *message = server;
    int length = (int)strcspn(message->msg, "\n");

    (void)major, (void)minor, (void)client;
    log_write(LOG_DEBUG, "net-snmp: %.*s", length, message->msg);
    return 0;
}

/* Often it is the rights on the socket; the library keeps that to itself. */
static const char *why_missing(void)
{
    const char prefix[] = "unix:";

    if (agentx_transport_fault())
        return agentx_transport_fault();
    if (strncmp(master_address, prefix, sizeof prefix - 1) == 0 &&
        access(master_address + sizeof prefix - 1, R_OK | W_OK) != 0)
        return strerror(errno);
    return "no answer";
}

/* Once an outage; again when the reason is another. */
static void tell_missing(void)
{
    const char *why = why_missing();

    if (strcmp(why, told_missing) != 0)
        log_write(
            LOG_WARNING,
            "no AgentX master at %s (%s): measuring goes on, connecting as soon as it is there",
            master_address, why);
    snprintf(told_missing, sizeof told_missing, "%s", why);
    told_connected = false;
}

/* Where the session is TCP, a master whose host has died shows itself within 30 s. */
static void keep_alive(netsnmp_session *with)
{
    netsnmp_transport *transport = snmp_sess_transport(snmp_sess_pointer(with));
    const int yes = 1, idle_s = 15, interval_s = 5, count = 3;

    if (!transport || setsockopt(transport->sock, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes) != 0)
        return;
    /* On a unix socket these fail, and are not needed. */
    setsockopt(transport->sock, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    setsockopt(transport->sock, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
    setsockopt(transport->sock, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

/* The library has taken over the sysUpTime in the master's answer to Open. */
static int64_t start_of_master(void)
{
    return clock_ns(CLOCK_MONOTONIC) - (int64_t)netsnmp_get_agent_uptime() * INT64_C(10000000);
}

/* A master that has the library drops a longer PDU, and ends the session for want of an answer. */
static void send_too_big(netsnmp_session *to, netsnmp_pdu *answer)
{
    snmp_free_varbind(answer->variables);
    answer->variables = NULL;
    answer->errstat = SNMP_ERR_TOOBIG;
    answer->errindex = 0;
    if (!snmp_send(to, answer))
        snmp_free_pdu(answer);
}

/* Takes what the session receives before the library does. */
static int take_packet(int operation, netsnmp_session *from, int request, netsnmp_pdu *pdu,
                       void *magic)
{
    netsnmp_pdu *answer;

    if (operation != NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE)
        return library_callback(operation, from, request, pdu, magic);
    agentx_transport_taken();
    if (!on_request(pdu))
        return 1;
    answer = snmp_pdu_create(AGENTX_RESPONSE);
    if (!answer)
        return 1;
    answer->version = pdu->version;
    answer->flags |= pdu->flags & AGENTX_NETWORK_ORDER;
    answer->sessid = pdu->sessid;
    answer->transid = pdu->transid;
    answer->reqid = pdu->reqid;
    answer->time = netsnmp_get_agent_uptime();
    answer->errstat = pdu->errstat;
    answer->errindex = pdu->errindex;
    answer->variables = pdu->variables;
    pdu->variables = NULL;
    answer->msgMaxSize = AGENTX_PDU_MAX;
    if (!snmp_send(from, answer))
        send_too_big(from, answer);
    return 1;
}

/* While the library waits for an answer it has a callback of its own there. */
static bool takes_requests(void)
{
    return session && session->callback == take_packet;
}

static int session_begins(int major, int minor, void *server, void *client)
{
    (void)major, (void)minor, (void)client;
    session = server;
    master_start_ns = start_of_master();
    keep_alive(session);
    library_callback = session->callback;
    session->callback = take_packet;
    return 0;
}

static int session_ends(int major, int minor, void *server, void *client)
{
    (void)major, (void)minor, (void)server, (void)client;
    session = NULL;
    in_flight.answered = NULL;
    tell_missing();
    if (on_lost)
        on_lost(on_lost_context);
    return 0;
}

bool agentx_open(const char *address)
{
    char checked_address[1200];

    master_address = address;
    snmp_disable_log();
    snmp_enable_calllog();
    snmp_register_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_LOGGING, take_log, NULL);
    netsnmp_enable_subagent();
    if (!agentx_transport_register(takes_requests))
        return false;
    snprintf(checked_address, sizeof checked_address, AGENTX_TRANSPORT ":%s", address);
    netsnmp_ds_set_string(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_X_SOCKET, checked_address);
    netsnmp_ds_set_boolean(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_NO_CONNECTION_WARNINGS, 1);
    /* No files of the library's: neither MIB modules nor snmpd's configuration nor state. */
    setenv("MIBS", "", 1);
    netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
    netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
    netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DISABLE_PERSISTENT_LOAD, 1);
    netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DISABLE_PERSISTENT_SAVE, 1);
    snmp_register_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_START, session_begins,
                           NULL);
    snmp_register_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_STOP, session_ends,
                           NULL);
    if (init_agent(APPLICATION) != 0)
        return false;
    /* init_agent() sets it to 15 s. */
    netsnmp_ds_set_int(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_AGENTX_PING_INTERVAL, RETRY_S);
    return true;
}

void agentx_on_request(bool (*answer)(netsnmp_pdu *request))
{
    on_request = answer;
}

static void tell_connected(void)
{
    if (!told_connected)
        log_write(LOG_NOTICE, "connected to the AgentX master at %s", master_address);
    told_connected = true;
    told_missing[0] = '\0';
}

void agentx_start(void)
{
    init_snmp(APPLICATION); /* connects, too */
    if (!session)
        tell_missing();
}

/* What came while the objects were being registered: requests, or the end. */
static void read_held(void)
{
    void *held = snmp_sess_pointer(session);
    netsnmp_transport *transport = snmp_sess_transport(held);
    fd_set ready;

    FD_ZERO(&ready);
    FD_SET(transport->sock, &ready);
    snmp_sess_read(held, &ready);
}

void agentx_close(void)
{
    on_lost = NULL;
    snmp_shutdown(APPLICATION);
    shutdown_agent();
}

bool agentx_watch(int fd, void (*ready)(int fd, void *context), void *context)
{
    return register_readfd(fd, ready, context) == FD_REGISTERED_OK;
}

/*
 * With a session the library's alarms do harm only. One pings the master and waits for the
 * answer: 11 s, if the master is paused. (A dead master shows itself without that, by the end
 * of the connection. The library keeps the alarm's number in securityModel, which AgentX has no
 * use for.) The others try to connect, one more for each time that it failed in the midst.
 */
static void stop_alarms(void)
{
    snmp_alarm_unregister_all();
    session->securityModel = SNMP_DEFAULT_SECMODEL;
}

/* Without one there are the library's alarms to try again: one is enough, and sooner, please. */
static void hasten_retry(void)
{
    const struct timeval interval = {.tv_usec = RETRY_MS * 1000};
    const struct snmp_alarm *retry = sa_find_next();
    SNMPAlarmCallback *connect_again = retry ? retry->thecallback : NULL;

    if (!retry || retry->t.tv_sec != RETRY_S)
        return;
    snmp_alarm_unregister_all();
    snmp_alarm_register_hr(interval, SA_REPEAT, connect_again, NULL);
}

void agentx_run_once(void)
{
    if (agentx_transport_holds()) {
        read_held();
    } else {
        if (session) {
            tell_connected();
            stop_alarms();
        } else {
            hasten_retry();
        }
        agent_check_and_process(1);
    }
    agentx_transport_settle();
}

bool agentx_connected(void)
{
    return session != NULL;
}

int64_t agentx_master_start_ns(void)
{
    return master_start_ns;
}

void agentx_on_lost(void (*lost)(void *context), void *context)
{
    on_lost = lost;
    on_lost_context = context;
}

static int take_answer(int operation, netsnmp_session *from, int request, netsnmp_pdu *pdu,
                       void *magic)
{
    struct notification notification = in_flight;

    (void)from, (void)request, (void)magic;
    if (operation != NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE || !notification.answered)
        return 1;
    in_flight.answered = NULL;
    notification.answered(pdu->errstat == SNMP_ERR_NOERROR, notification.context);
    return 1;
}

bool agentx_notify(netsnmp_variable_list *varbinds, void (*answered)(bool taken, void *context),
                   void *context)
{
    netsnmp_pdu *pdu = snmp_pdu_create(AGENTX_NOTIFY);

    if (!pdu || !session) {
        snmp_free_varbind(varbinds);
        snmp_free_pdu(pdu);
        return false;
    }
    pdu->version = AGENTX_VERSION;
    pdu->sessid = session->sessid;
    pdu->flags |= UCD_MSG_FLAG_PDU_TIMEOUT;
    pdu->time = NOTIFY_TIMEOUT_S;
    pdu->variables = varbinds;
    in_flight = (struct notification){answered, context};
    if (snmp_async_send(session, pdu, take_answer, NULL) != 0)
        return true;
    in_flight.answered = NULL;
    snmp_free_pdu(pdu);
    return false;
}
