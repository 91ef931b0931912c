/*
 * AgentX PDUs (RFC 2741, 6.1) in the bytes of a connection: where one ends, what kind it is, and
 * the few that are answered before anybody takes them apart. Pure.
 */
#ifndef RSTWATCH_AGENTX_FRAMING_H
#define RSTWATCH_AGENTX_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AGENTX_HEADER 20

/* Bytes of a PDU that the library takes; it drops a longer one without a word. */
#define AGENTX_PDU_MAX 65536

/* Bytes of a PDU of which the end is waited for. An SNMP request fills a datagram at most (64
   KiB), and is not ten times longer as AgentX. */
#define AGENTX_REFUSED_MAX (UINT32_C(1) << 20)

struct agentx_pdu {
    uint8_t type;    /* h.type, of mib/agentx.h */
    uint32_t packet; /* h.packetID: the same in a request and its response */
    uint32_t size;   /* bytes, with the header */
    uint16_t error;  /* of a response that is whole; else 0 */
};

enum agentx_frame {
    AGENTX_WHOLE,
    AGENTX_PART,   /* the header is there (size is set), or not yet (size is 0) */
    AGENTX_BROKEN, /* no AgentX of version 1, or longer than AGENTX_REFUSED_MAX */
};

/* What begins at `bytes`. */
enum agentx_frame agentx_frame(const uint8_t *bytes, size_t count, struct agentx_pdu *pdu);

/* Makes the response to a request of which `header` is the header: without varbinds, and with
   an error that is of the whole request. */
#define AGENTX_REFUSAL (AGENTX_HEADER + 8)
void agentx_refuse(const uint8_t *header, uint16_t error, uint8_t response[AGENTX_REFUSAL]);

#endif
