/* Bytes in any pieces: where PDUs end, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "subagent/agentx_framing.h"

/* A PDU whose header says so; returns its size. */
static size_t put(uint8_t *at, uint8_t version, uint8_t flags, uint32_t length, size_t payload)
{
    memset(at, 0xff, AGENTX_HEADER + payload);
    at[0] = version;
    at[2] = flags;
    for (int n = 0; n < 4; n++)
        at[16 + n] = (uint8_t)(length >> 8 * (flags & 0x10 ? 3 - n : n));
    return AGENTX_HEADER + payload;
}

static void pdus_in_pieces_of_any_size(void **state)
{
    uint8_t bytes[400];
    size_t size = put(bytes, 1, 0x10, 0, 0);

    (void)state;
    size += put(bytes + size, 1, 0x00, 8, 8);
    size += put(bytes + size, 1, 0x10, 300, 300);
    for (size_t piece = 1; piece <= size; piece++) {
        struct agentx_framing framing = {.left = 0};

        for (size_t at = 0; at < size; at += piece)
            assert_true(
                agentx_framing_take(&framing, bytes + at, size - at < piece ? size - at : piece));
        assert_int_equal(framing.left, 0);
        assert_int_equal(framing.header_size, 0);
    }
}

static void what_is_no_pdu(void **state)
{
    static const struct {
        uint8_t version, flags;
        uint32_t length;
        bool good;
    } cases[] = {
        {1, 0x10, AGENTX_PAYLOAD_MAX, true},
        {1, 0x00, AGENTX_PAYLOAD_MAX, true},
        {1, 0x10, AGENTX_PAYLOAD_MAX + 4, false},
        {1, 0x00, AGENTX_PAYLOAD_MAX + 4, false},
        {1, 0x10, 0x7fffff00, false},
        {1, 0x10, 0xfffffffc, false},
        {1, 0x10, 6, false},
        {0, 0x10, 8, false},
        {2, 0x10, 8, false},
    };
    uint8_t bytes[2 * AGENTX_HEADER];

    (void)state;
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        struct agentx_framing framing = {.left = 0};
        size_t size = put(bytes, 1, 0x10, 0, 0);

        size += put(bytes + size, cases[n].version, cases[n].flags, cases[n].length, 0);
        assert_int_equal(agentx_framing_take(&framing, bytes, size), cases[n].good);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pdus_in_pieces_of_any_size),
        cmocka_unit_test(what_is_no_pdu),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
