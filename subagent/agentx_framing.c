#include "subagent/agentx_framing.h"

#include <string.h>

#include "mib/agentx.h"

#define VERSION 1

enum { VERSION_AT, TYPE_AT, FLAGS_AT, PACKET_AT = 12, LENGTH_AT = 16, ERROR_AT = 24 };

/* A number of `size` bytes in the order of this PDU. */
static uint32_t take(const uint8_t *pdu, size_t at, size_t size)
{
    uint32_t number = 0;

    for (size_t n = 0; n < size; n++)
        number |= (uint32_t)pdu[at + n]
                  << 8 * (pdu[FLAGS_AT] & AGENTX_NETWORK_ORDER ? size - 1 - n : n);
    return number;
}

static void put(uint8_t *pdu, size_t at, size_t size, uint32_t number)
{
    for (size_t n = 0; n < size; n++)
        pdu[at + n] =
            (uint8_t)(number >> 8 * (pdu[FLAGS_AT] & AGENTX_NETWORK_ORDER ? size - 1 - n : n));
}

enum agentx_frame agentx_frame(const uint8_t *bytes, size_t count, struct agentx_pdu *pdu)
{
    uint32_t length;

    *pdu = (struct agentx_pdu){.size = 0};
    if (count > 0 && bytes[VERSION_AT] != VERSION)
        return AGENTX_BROKEN;
    if (count < AGENTX_HEADER)
        return AGENTX_PART;
    length = take(bytes, LENGTH_AT, 4);
    if (length % 4 != 0 || length > AGENTX_REFUSED_MAX - AGENTX_HEADER)
        return AGENTX_BROKEN;
    pdu->type = bytes[TYPE_AT];
    pdu->packet = take(bytes, PACKET_AT, 4);
    pdu->size = AGENTX_HEADER + length;
    if (count < pdu->size)
        return AGENTX_PART;
    if (pdu->type == AGENTX_RESPONSE && pdu->size >= AGENTX_REFUSAL)
        pdu->error = (uint16_t)take(bytes, ERROR_AT, 2);
    return AGENTX_WHOLE;
}

void agentx_refuse(const uint8_t *header, uint16_t error, uint8_t response[AGENTX_REFUSAL])
{
    memset(response, 0, AGENTX_REFUSAL);
    memcpy(response, header, AGENTX_HEADER);
    response[TYPE_AT] = AGENTX_RESPONSE;
    response[FLAGS_AT] &= (uint8_t)~AGENTX_HAS_CONTEXT;
    put(response, LENGTH_AT, 4, AGENTX_REFUSAL - AGENTX_HEADER);
    put(response, ERROR_AT, 2, error);
}
