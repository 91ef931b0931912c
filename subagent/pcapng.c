#include "subagent/pcapng.h"

#include <stdbool.h>
#include <string.h>

#define BLOCK_SECTION   0x0a0d0d0a
#define BLOCK_INTERFACE 1
#define BLOCK_PACKET    6

#define BYTE_ORDER_MAGIC   0x1a2b3c4d
#define LINKTYPE_LINUX_SLL 113

#define SLL_TO_US    0
#define SLL_OUTGOING 4
#define SLL_NO_LINK  0xfffe /* ARPHRD_NONE */
#define SLL_IPV4     0x0800
#define SLL_IPV6     0x86dd

#define OPTION_END     0
#define OPTION_COMMENT 1
#define OPTION_NAME    2 /* of an interface */
#define OPTION_FLAGS   2 /* of a packet */
#define OPTION_TSRESOL 9

#define NANOSECONDS 9 /* of if_tsresol: 10^-9 s */

/* ---- Parts of a block: each returns the end of what it wrote ---- */

static uint8_t *put16(uint8_t *to, uint16_t number)
{
    to[0] = (uint8_t)number;
    to[1] = (uint8_t)(number >> 8);
    return to + 2;
}

static uint8_t *put32(uint8_t *to, uint32_t number)
{
    return put16(put16(to, (uint16_t)number), (uint16_t)(number >> 16));
}

/* Bytes up to the next multiple of 4 are 0. */
static uint8_t *put_bytes(uint8_t *to, const void *bytes, size_t size)
{
    size_t padding = -size & 3;

    memcpy(to, bytes, size);
    memset(to + size, 0, padding);
    return to + size + padding;
}

static uint8_t *put_option(uint8_t *to, uint16_t code, const void *value, size_t size)
{
    return put_bytes(put16(put16(to, code), (uint16_t)size), value, size);
}

static uint8_t *put_text(uint8_t *to, uint16_t code, const char *text)
{
    return put_option(to, code, text, strnlen(text, PCAPNG_TEXT_MAX));
}

/* Big-endian, as on a wire. */
static uint8_t *put16_wire(uint8_t *to, uint16_t number)
{
    to[0] = (uint8_t)(number >> 8);
    to[1] = (uint8_t)number;
    return to + 2;
}

/* Type, kind of link, size of the address and the address, of which there is none, protocol. */
static uint8_t *put_cooked(uint8_t *to, const struct pcapng_packet *packet)
{
    bool is_ipv6 = packet->captured > 0 && packet->data[0] >> 4 == 6;

    to = put16_wire(to, packet->way == PCAPNG_OUTBOUND ? SLL_OUTGOING : SLL_TO_US);
    to = put16_wire(to, SLL_NO_LINK);
    memset(to, 0, 10);
    return put16_wire(to + 10, is_ipv6 ? SLL_IPV6 : SLL_IPV4);
}

/* The size of a block stands behind its type, and at its end. */
static uint8_t *begin_block(uint8_t *block, uint32_t type)
{
    return put32(block, type) + 4;
}

static size_t end_block(uint8_t *block, uint8_t *end)
{
    size_t size = (size_t)(end - block) + 8;

    end = put32(end, OPTION_END);
    put32(end, (uint32_t)size);
    put32(block + 4, (uint32_t)size);
    return size;
}

/* ---- Blocks ---- */

size_t pcapng_section(uint8_t *block, const char *comment)
{
    char room[PCAPNG_TEXT_MAX];
    uint8_t *end = begin_block(block, BLOCK_SECTION);

    memset(room, ' ', sizeof room);
    memcpy(room, comment, strnlen(comment, sizeof room));
    end = put32(end, BYTE_ORDER_MAGIC);
    end = put16(put16(end, 1), 0);                   /* version 1.0 */
    end = put32(put32(end, UINT32_MAX), UINT32_MAX); /* length of the section: to the end */
    return end_block(block, put_option(end, OPTION_COMMENT, room, sizeof room));
}

size_t pcapng_interface(uint8_t *block, const char *name, uint32_t snap_length)
{
    const uint8_t resolution = NANOSECONDS;
    uint8_t *end = begin_block(block, BLOCK_INTERFACE);

    end = put16(put16(end, LINKTYPE_LINUX_SLL), 0);
    end = put32(end, PCAPNG_COOKED + snap_length);
    end = put_text(end, OPTION_NAME, name);
    return end_block(block, put_option(end, OPTION_TSRESOL, &resolution, sizeof resolution));
}

size_t pcapng_packet(uint8_t *block, const struct pcapng_packet *packet)
{
    uint32_t captured = packet->captured < PCAPNG_DATA_MAX ? packet->captured : PCAPNG_DATA_MAX;
    uint64_t time_ns = (uint64_t)packet->time_ns;
    uint8_t flags[4];
    uint8_t *end = begin_block(block, BLOCK_PACKET);

    put32(flags, packet->way);
    end = put32(end, packet->interface);
    end = put32(put32(end, (uint32_t)(time_ns >> 32)), (uint32_t)time_ns);
    end = put32(put32(end, PCAPNG_COOKED + captured), PCAPNG_COOKED + packet->original);
    end = put_cooked(end, packet);
    end = put_bytes(end, packet->data, captured);
    end = put_text(end, OPTION_COMMENT, packet->comment);
    return end_block(block, put_option(end, OPTION_FLAGS, flags, sizeof flags));
}
