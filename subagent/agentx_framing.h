/*
 * Where one AgentX PDU ends and the next begins (RFC 2741, 6.1), in the bytes of a connection.
 * Pure.
 */
#ifndef RSTWATCH_AGENTX_FRAMING_H
#define RSTWATCH_AGENTX_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AGENTX_HEADER 20

/* Bytes after the header: far above what a master sends. */
#define AGENTX_PAYLOAD_MAX (UINT32_C(1) << 20)

/* All zero: at the beginning of a connection. */
struct agentx_framing {
    uint8_t header[AGENTX_HEADER];
    size_t header_size; /* of the header, how much has come */
    uint32_t left;      /* of the payload, what is still to come */
};

/* Goes on with what has come. False: that is no AgentX of version 1, or a PDU of more than
   AGENTX_PAYLOAD_MAX. */
bool agentx_framing_take(struct agentx_framing *framing, const uint8_t *bytes, size_t count);

#endif
