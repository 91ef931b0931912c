#include "subagent/agentx_framing.h"

#include <string.h>

#define VERSION       1
#define NETWORK_ORDER 0x10 /* bit of h.flags */
#define FLAGS_AT      2
#define LENGTH_AT     16

static uint32_t payload_length(const uint8_t *header)
{
    const uint8_t *at = header + LENGTH_AT;

    if (header[FLAGS_AT] & NETWORK_ORDER)
        return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

/* What comes next of at most `most` bytes. */
static size_t part(size_t count, size_t most)
{
    return count < most ? count : most;
}

static bool begin_payload(struct agentx_framing *framing)
{
    framing->left = payload_length(framing->header);
    framing->header_size = 0;
    return framing->header[0] == VERSION && framing->left % 4 == 0 &&
           framing->left <= AGENTX_PAYLOAD_MAX;
}

bool agentx_framing_take(struct agentx_framing *framing, const uint8_t *bytes, size_t count)
{
    while (count > 0) {
        size_t size = framing->left > 0 ? part(count, framing->left)
                                        : part(count, AGENTX_HEADER - framing->header_size);

        if (framing->left > 0) {
            framing->left -= (uint32_t)size;
        } else {
            memcpy(framing->header + framing->header_size, bytes, size);
            framing->header_size += size;
            if (framing->header_size == AGENTX_HEADER && !begin_payload(framing))
                return false;
        }
        bytes += size;
        count -= size;
    }
    return true;
}
