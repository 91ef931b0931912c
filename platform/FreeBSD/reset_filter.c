#include "platform/FreeBSD/reset_filter.h"

/* Instructions, as in FreeBSD sys/net/bpf.h: class, size, mode and operation in one number. */
enum {
    LOAD_8 = 0x50,   /* A = packet[X + k] */
    LOAD_16 = 0x48,  /* A = packet[X + k], 2 bytes */
    LOAD_32 = 0x40,  /* A = packet[X + k], 4 bytes */
    FRAME_16 = 0x28, /* A = packet[k], 2 bytes */
    LOAD_VALUE = 0x00,
    LOAD_MEMORY = 0x60, /* A = M[k] */
    STORE = 0x02,       /* M[k] = A */
    X_VALUE = 0x01,
    X_MEMORY = 0x61,
    X_STORE = 0x03,
    ADD_VALUE = 0x04,
    ADD_X = 0x0c,
    AND_VALUE = 0x54,
    SHIFT_LEFT = 0x64,
    A_TO_X = 0x07,
    X_TO_A = 0x87,
    GO = 0x05,
    IF_EQUAL = 0x15,
    IF_ANY_BIT = 0x45,
    RETURN = 0x06,
};

enum memory { IP_AT, LENGTH, NEXT }; /* M[]: where IP begins; of an extension header */

enum {
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_IPV6 = 0x86dd,
    ETHERTYPE_VLAN = 0x8100,
    VLAN_NUMBER = 0x0fff,
    PROTOCOL_TCP = 6,
    HEADER_HOP_BY_HOP = 0,
    HEADER_ROUTING = 43,
    HEADER_FRAGMENT = 44,
    HEADER_AUTHENTICATION = 51,
    HEADER_DESTINATION = 60,
    IPV6_HEADER = 40,
    EXTENSION_HEADERS = 4,
    TCP_FLAGS_AT = 13,
    TCP_RST = 0x04,
};

static void emit_jump(struct reset_filter *filter, uint16_t code, uint32_t value, uint8_t if_true,
                      uint8_t if_false)
{
    if (filter->length < FILTER_MAX)
        filter->code[filter->length] = (struct filter_instruction){code, if_true, if_false, value};
    filter->length++; /* more than FILTER_MAX: it does not fit */
}

static void emit(struct reset_filter *filter, uint16_t code, uint32_t value)
{
    emit_jump(filter, code, value, 0, 0);
}

/* Ends without a match unless A is that value. */
static void require(struct reset_filter *filter, uint32_t value)
{
    emit_jump(filter, IF_EQUAL, value, 1, 0);
    emit(filter, RETURN, 0);
}

/* Ends without a match if A has one of these bits. */
static void refuse_bits(struct reset_filter *filter, uint32_t bits)
{
    emit_jump(filter, IF_ANY_BIT, bits, 0, 1);
    emit(filter, RETURN, 0);
}

/* X = where IP begins, behind the header of an Ethernet frame of that type. */
static void emit_ethernet(struct reset_filter *filter, uint32_t ethertype)
{
    emit(filter, FRAME_16, 12);
    emit_jump(filter, IF_EQUAL, ethertype, 0, 2);
    emit(filter, X_VALUE, 14);
    emit(filter, GO, 9);
    require(filter, ETHERTYPE_VLAN);
    emit(filter, FRAME_16, 14);
    refuse_bits(filter, VLAN_NUMBER);
    emit(filter, FRAME_16, 16);
    require(filter, ethertype);
    emit(filter, X_VALUE, 18);
}

static void emit_link(struct reset_filter *filter, enum filter_link link, enum filter_family family)
{
    switch (link) {
    case LINK_ETHERNET:
        emit_ethernet(filter, family == FILTER_IPV6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4);
        break;
    case LINK_FAMILY: /* in the byte order of the host or not: the version in IP tells, too */
        emit(filter, X_VALUE, 4);
        break;
    case LINK_NONE:
        emit(filter, X_VALUE, 0);
        break;
    }
    emit(filter, X_STORE, IP_AT);
    emit(filter, LOAD_8, 0);
    emit(filter, AND_VALUE, 0xf0);
    require(filter, family == FILTER_IPV6 ? 0x60 : 0x40);
}

/* X = where TCP begins. */
static void emit_ipv4(struct reset_filter *filter)
{
    emit(filter, LOAD_8, 9);
    require(filter, PROTOCOL_TCP);
    emit(filter, LOAD_16, 6);
    refuse_bits(filter, 0x1fff); /* a fragment that is not the first */
    emit(filter, LOAD_8, 0);
    emit(filter, AND_VALUE, 0x0f);
    emit(filter, SHIFT_LEFT, 2);
    emit(filter, ADD_X, 0);
    emit(filter, A_TO_X, 0);
}

/* A = the length of the extension header of type A at X, or the end without a match. */
static void emit_extension_length(struct reset_filter *filter)
{
    emit_jump(filter, IF_EQUAL, HEADER_AUTHENTICATION, 5, 0);
    emit_jump(filter, IF_EQUAL, HEADER_FRAGMENT, 8, 0);
    emit_jump(filter, IF_EQUAL, HEADER_HOP_BY_HOP, 12, 0);
    emit_jump(filter, IF_EQUAL, HEADER_ROUTING, 11, 0);
    emit_jump(filter, IF_EQUAL, HEADER_DESTINATION, 10, 0);
    emit(filter, RETURN, 0);

    emit(filter, LOAD_8, 1); /* authentication: in units of 4 bytes, without 2 */
    emit(filter, ADD_VALUE, 2);
    emit(filter, SHIFT_LEFT, 2);
    emit(filter, GO, 8);

    emit(filter, LOAD_16, 2); /* fragment */
    refuse_bits(filter, 0xfff8);
    emit(filter, LOAD_VALUE, 8);
    emit(filter, GO, 3);

    emit(filter, LOAD_8, 1); /* the others: in units of 8 bytes, without 1 */
    emit(filter, ADD_VALUE, 1);
    emit(filter, SHIFT_LEFT, 3);
}

/* A header of type A at X: A and X = the type of the next one, and where it is. */
static void emit_extension(struct reset_filter *filter)
{
    emit_extension_length(filter);
    emit(filter, STORE, LENGTH);
    emit(filter, LOAD_8, 0);
    emit(filter, STORE, NEXT);
    emit(filter, LOAD_MEMORY, LENGTH);
    emit(filter, ADD_X, 0);
    emit(filter, A_TO_X, 0);
    emit(filter, LOAD_MEMORY, NEXT);
}

/* X = where TCP begins. */
static void emit_ipv6(struct reset_filter *filter)
{
    size_t to_tcp[EXTENSION_HEADERS];

    emit(filter, LOAD_8, 6);
    emit(filter, STORE, NEXT);
    emit(filter, X_TO_A, 0);
    emit(filter, ADD_VALUE, IPV6_HEADER);
    emit(filter, A_TO_X, 0);
    emit(filter, LOAD_MEMORY, NEXT);
    for (int n = 0; n < EXTENSION_HEADERS; n++) {
        emit_jump(filter, IF_EQUAL, PROTOCOL_TCP, 0, 1);
        to_tcp[n] = filter->length;
        emit(filter, GO, 0);
        emit_extension(filter);
    }
    require(filter, PROTOCOL_TCP);
    for (int n = 0; n < EXTENSION_HEADERS; n++)
        filter->code[to_tcp[n]].value = (uint32_t)(filter->length - to_tcp[n] - 1);
}

static void emit_flags(struct reset_filter *filter)
{
    emit(filter, LOAD_8, TCP_FLAGS_AT);
    emit_jump(filter, IF_ANY_BIT, TCP_RST, 1, 0);
    emit(filter, RETURN, 0);
}

static uint32_t word_at(const uint8_t *byte)
{
    return (uint32_t)byte[0] << 24 | (uint32_t)byte[1] << 16 | (uint32_t)byte[2] << 8 | byte[3];
}

static void emit_ipv4_addresses(struct reset_filter *filter, enum direction direction,
                                const struct addresses *addresses)
{
    emit(filter, LOAD_32, direction == DIRECTION_SENT ? 12 : 16);
    for (size_t n = 0; n < addresses->ipv4_count; n++) {
        emit_jump(filter, IF_EQUAL, word_at(addresses->ipv4[n]), 0, 1);
        emit(filter, RETURN, 1);
    }
}

static void emit_ipv6_addresses(struct reset_filter *filter, enum direction direction,
                                const struct addresses *addresses)
{
    uint32_t at = direction == DIRECTION_SENT ? 8 : 24;

    for (size_t n = 0; n < addresses->ipv6_count; n++) {
        for (uint32_t byte = 0; byte < 16; byte += 4) {
            emit(filter, LOAD_32, at + byte);
            /* Past the rest of this address: two instructions a word, and the return. */
            emit_jump(filter, IF_EQUAL, word_at(addresses->ipv6[n] + byte), 0,
                      (uint8_t)((12 - byte) / 2 + 1));
        }
        emit(filter, RETURN, 1);
    }
}

/* What comes last: few packets get so far. */
static void emit_addresses(struct reset_filter *filter, enum filter_family family,
                           enum direction direction, const struct addresses *addresses)
{
    emit(filter, X_MEMORY, IP_AT);
    if (family == FILTER_IPV4)
        emit_ipv4_addresses(filter, direction, addresses);
    else
        emit_ipv6_addresses(filter, direction, addresses);
    emit(filter, RETURN, 0);
}

bool reset_filter_build(struct reset_filter *filter, enum filter_link link,
                        enum filter_family family, enum direction direction,
                        const struct addresses *addresses)
{
    filter->length = 0;
    emit_link(filter, link, family);
    if (family == FILTER_IPV4)
        emit_ipv4(filter);
    else
        emit_ipv6(filter);
    emit_flags(filter);
    emit_addresses(filter, family, direction, addresses);
    return filter->length <= FILTER_MAX;
}

void reset_filter_none(struct reset_filter *filter)
{
    filter->length = 0;
    emit(filter, RETURN, 0);
}
