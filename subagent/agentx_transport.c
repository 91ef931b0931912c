#include "subagent/agentx_transport.h"

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include "subagent/agentx_framing.h"
#include "subagent/log.h"

static int (*library_receive)(netsnmp_transport *, void *, int, void **, int *);

static struct agentx_framing framing; /* of the one connection that there is */

static int receive(netsnmp_transport *transport, void *bytes, int size, void **opaque,
                   int *opaque_size)
{
    int got = library_receive(transport, bytes, size, opaque, opaque_size);

    if (got <= 0 || agentx_framing_take(&framing, bytes, (size_t)got))
        return got;
    log_write(LOG_ERR, "the AgentX master sends what is no AgentX PDU, or a too long one: the "
                       "connection is given up");
    return 0; /* as if the master had closed it */
}

static netsnmp_transport *create(const char *address, int local, const char *default_target)
{
    netsnmp_transport *transport = netsnmp_tdomain_transport(address, local, "unix");

    (void)default_target;
    if (!transport)
        return NULL;
    framing = (struct agentx_framing){.left = 0};
    library_receive = transport->f_recv;
    transport->f_recv = receive;
    return transport;
}

void agentx_transport_register(void)
{
    static const oid none[] = {0, 0};
    static const char *prefixes[] = {AGENTX_TRANSPORT, NULL};
    static netsnmp_tdomain domain = {
        .name = none,
        .name_length = OID_LENGTH(none),
        .prefix = prefixes,
        .f_create_from_tstring_new = create,
    };

    netsnmp_tdomain_register(&domain);
}
