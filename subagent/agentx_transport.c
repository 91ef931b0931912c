#include "subagent/agentx_transport.h"

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "mib/agentx.h"
#include "subagent/agentx_framing.h"

/* A master that reads nothing for so long is given up: it must not stop the agent. */
#define SEND_TIMEOUT_S 5

static int (*library_send)(netsnmp_transport *, const void *, int, void **, int *);
static bool (*is_open)(void);

/* The one that there is. */
static struct {
    netsnmp_transport *transport;
    uint8_t bytes[AGENTX_PDU_MAX]; /* what has come and is not handed over */
    size_t size;
    size_t skip;                  /* of a PDU that was refused, what is still to come */
    uint8_t asked[AGENTX_HEADER]; /* the header of what was sent last */
    uint8_t given[AGENTX_HEADER]; /* of the request that the library has to take apart */
    bool untaken;                 /* it has not come out of it yet */
    bool ended;
    const char *fault;
} connection;

/*
 * The end of the connection is nothing received. But the library must not hear of it while it
 * waits for an answer: it would free the list of callbacks that it is just going through. So
 * that answer is "not open", and the end comes later.
 */
static int end(uint8_t *to, const char *fault)
{
    if (fault)
        connection.fault = fault;
    connection.ended = true;
    if (is_open())
        return 0;
    agentx_refuse(connection.asked, AGENTX_NOT_OPEN, to);
    return AGENTX_REFUSAL;
}

static void forget(size_t count)
{
    connection.size -= count;
    memmove(connection.bytes, connection.bytes + count, connection.size);
}

static void skip(void)
{
    size_t count = connection.skip < connection.size ? connection.skip : connection.size;

    connection.skip -= count;
    forget(count);
}

/* Not by the library, which asks for the master's address at each packet. */
static ssize_t fill(const netsnmp_transport *transport)
{
    ssize_t got;

    do {
        got = recv(transport->sock, connection.bytes + connection.size,
                   sizeof connection.bytes - connection.size, 0);
    } while (got < 0 && errno == EINTR);
    if (got > 0)
        connection.size += (size_t)got;
    skip();
    return got;
}

static bool is_refusal(const struct agentx_pdu *pdu)
{
    struct agentx_pdu asked;

    agentx_frame(connection.asked, AGENTX_HEADER, &asked);
    return pdu->error != 0 && asked.type == AGENTX_REGISTER && asked.packet == pdu->packet;
}

/* Answers a request by its header, if it is one that is answered. */
static void refuse(const uint8_t *header, uint16_t error)
{
    uint8_t response[AGENTX_REFUSAL];
    struct agentx_pdu pdu;

    agentx_frame(header, AGENTX_HEADER, &pdu);
    if (pdu.type < AGENTX_GET || pdu.type >= AGENTX_CLEANUPSET)
        return;
    agentx_refuse(header, error, response);
    library_send(connection.transport, response, sizeof response, NULL, NULL);
}

/* What is too long, from `at`. */
static void refuse_long(size_t at, uint32_t size)
{
    refuse(connection.bytes + at, AGENTX_TOO_BIG);
    connection.skip = size - (connection.size - at);
    connection.size = at;
}

static void give_request(const uint8_t *header)
{
    memcpy(connection.given, header, AGENTX_HEADER);
    connection.untaken = true;
}

/* To the library: responses; a request, when it can be taken. The others stay. */
static int hand_over(netsnmp_transport *transport, uint8_t *to, size_t room)
{
    size_t at = 0, kept = 0, handed = 0;
    struct agentx_pdu pdu;
    enum agentx_frame frame;

    connection.untaken = false;
    while ((frame = agentx_frame(connection.bytes + at, connection.size - at, &pdu)) ==
               AGENTX_WHOLE &&
           handed + pdu.size <= room && !connection.untaken) {
        if (is_refusal(&pdu))
            return end(to, pdu.error == AGENTX_DUPLICATE_REGISTRATION
                               ? "it has these objects of another agent: duplicateRegistration"
                               : "it refuses to register the objects");
        if (pdu.type == AGENTX_RESPONSE || is_open()) {
            memcpy(to + handed, connection.bytes + at, pdu.size);
            handed += pdu.size;
            if (pdu.type != AGENTX_RESPONSE)
                give_request(connection.bytes + at);
        } else {
            memmove(connection.bytes + kept, connection.bytes + at, pdu.size);
            kept += pdu.size;
        }
        at += pdu.size;
    }
    if (frame == AGENTX_BROKEN)
        return end(to, "it sends what is no AgentX PDU, or a too long one");
    if (frame == AGENTX_PART && pdu.size > AGENTX_PDU_MAX)
        refuse_long(at, pdu.size);
    connection.size -= at - kept;
    memmove(connection.bytes + kept, connection.bytes + at, connection.size - kept);
    if (handed == 0 && connection.size == sizeof connection.bytes)
        return end(to, "it sends requests and does not answer");
    if (handed == 0)
        transport->flags |= NETSNMP_TRANSPORT_FLAG_EMPTY_PKT;
    return (int)handed;
}

static int receive(netsnmp_transport *transport, void *bytes, int size, void **opaque,
                   int *opaque_size)
{
    *opaque = NULL;
    *opaque_size = 0;
    if (connection.ended || (!agentx_transport_holds() && fill(transport) <= 0))
        return end(bytes, NULL);
    return hand_over(transport, bytes, (size_t)size);
}

/* The library takes no notice of a PDU that was sent in part. */
static int send_whole(netsnmp_transport *transport, const void *bytes, int size, void **opaque,
                      int *opaque_size)
{
    memcpy(connection.asked, bytes, AGENTX_HEADER);
    if (connection.ended)
        return -1;
    if (library_send(transport, bytes, size, opaque, opaque_size) == size)
        return size;
    connection.fault = "it does not read";
    connection.ended = true;
    return -1;
}

static netsnmp_transport *create(const char *address, int local, const char *default_target)
{
    const struct timeval timeout = {.tv_sec = SEND_TIMEOUT_S};
    netsnmp_transport *transport = netsnmp_tdomain_transport(address, local, "unix");

    (void)default_target;
    memset(&connection, 0, sizeof connection);
    if (!transport)
        return NULL;
    connection.transport = transport;
    setsockopt(transport->sock, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    library_send = transport->f_send;
    transport->f_recv = receive;
    transport->f_send = send_whole;
    return transport;
}

bool agentx_transport_register(bool (*open)(void))
{
    static const oid none[] = {0, 0};
    static netsnmp_tdomain domain = {
        .name = none,
        .name_length = OID_LENGTH(none),
        .f_create_from_tstring_new = create,
    };

    is_open = open;
    domain.prefix = calloc(2, sizeof *domain.prefix); /* the library frees it when it ends */
    if (!domain.prefix)
        return false;
    domain.prefix[0] = AGENTX_TRANSPORT;
    return netsnmp_tdomain_register(&domain);
}

bool agentx_transport_holds(void)
{
    struct agentx_pdu pdu;

    return is_open() && (connection.ended ||
                         agentx_frame(connection.bytes, connection.size, &pdu) == AGENTX_WHOLE);
}

const char *agentx_transport_fault(void)
{
    return connection.fault;
}

void agentx_transport_taken(void)
{
    connection.untaken = false;
}

void agentx_transport_settle(void)
{
    if (connection.untaken && is_open() && !connection.ended)
        refuse(connection.given, AGENTX_PARSE_ERROR);
    connection.untaken = false;
}
