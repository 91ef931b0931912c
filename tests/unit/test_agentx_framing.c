/* Where PDUs end, what is none, and the refusal of one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "mib/agentx.h"
#include "subagent/agentx_framing.h"

#define PACKET UINT32_C(0x01020304)

static void put(uint8_t *pdu, size_t at, size_t size, uint32_t number)
{
    for (size_t n = 0; n < size; n++)
        pdu[at + n] = (uint8_t)(number >> 8 * (pdu[2] & AGENTX_NETWORK_ORDER ? size - 1 - n : n));
}

/* A header; what it does not say is 0xff. */
static void put_header(uint8_t *at, uint8_t version, uint8_t type, uint8_t flags, uint32_t length)
{
    memset(at, 0xff, AGENTX_HEADER);
    at[0] = version;
    at[1] = type;
    at[2] = flags;
    put(at, 12, 4, PACKET);
    put(at, 16, 4, length);
}

static void a_pdu_is_whole_with_its_last_byte(void **state)
{
    static const uint8_t orders[] = {0, AGENTX_NETWORK_ORDER};
    uint8_t bytes[400];
    struct agentx_pdu pdu;

    (void)state;
    for (size_t n = 0; n < 2; n++) {
        memset(bytes, 0xff, sizeof bytes);
        put_header(bytes, 1, AGENTX_GETNEXT, orders[n], 300);
        for (size_t count = 0; count < AGENTX_HEADER; count++) {
            assert_int_equal(agentx_frame(bytes, count, &pdu), AGENTX_PART);
            assert_int_equal(pdu.size, 0);
        }
        for (size_t count = AGENTX_HEADER; count < 320; count++) {
            assert_int_equal(agentx_frame(bytes, count, &pdu), AGENTX_PART);
            assert_int_equal(pdu.size, 320);
        }
        for (size_t count = 320; count < sizeof bytes; count++) {
            assert_int_equal(agentx_frame(bytes, count, &pdu), AGENTX_WHOLE);
            assert_int_equal(pdu.size, 320);
            assert_int_equal(pdu.type, AGENTX_GETNEXT);
            assert_int_equal(pdu.packet, PACKET);
            assert_int_equal(pdu.error, 0);
        }
    }
}

static void a_response_tells_its_error(void **state)
{
    uint8_t bytes[AGENTX_HEADER + 8];
    struct agentx_pdu pdu;

    (void)state;
    memset(bytes, 0xff, sizeof bytes);
    put_header(bytes, 1, AGENTX_RESPONSE, 0, 8);
    put(bytes, AGENTX_HEADER + 4, 2, AGENTX_DUPLICATE_REGISTRATION);
    assert_int_equal(agentx_frame(bytes, sizeof bytes, &pdu), AGENTX_WHOLE);
    assert_int_equal(pdu.error, AGENTX_DUPLICATE_REGISTRATION);
    put_header(bytes, 1, AGENTX_RESPONSE, 0, 4); /* too short to have one */
    assert_int_equal(agentx_frame(bytes, sizeof bytes, &pdu), AGENTX_WHOLE);
    assert_int_equal(pdu.error, 0);
}

static void what_is_no_pdu(void **state)
{
    static const struct {
        uint8_t version, flags;
        uint32_t length;
        enum agentx_frame frame;
    } cases[] = {
        {1, 0x10, AGENTX_REFUSED_MAX - AGENTX_HEADER, AGENTX_PART},
        {1, 0x00, AGENTX_REFUSED_MAX - AGENTX_HEADER, AGENTX_PART},
        {1, 0x10, AGENTX_REFUSED_MAX - AGENTX_HEADER + 4, AGENTX_BROKEN},
        {1, 0x00, AGENTX_REFUSED_MAX - AGENTX_HEADER + 4, AGENTX_BROKEN},
        {1, 0x10, 0x7fffff00, AGENTX_BROKEN},
        {1, 0x10, 0xfffffffc, AGENTX_BROKEN},
        {1, 0x10, 6, AGENTX_BROKEN},
        {1, 0x10, 0, AGENTX_WHOLE},
        {0, 0x10, 8, AGENTX_BROKEN},
        {2, 0x10, 8, AGENTX_BROKEN},
    };
    uint8_t bytes[AGENTX_HEADER];
    struct agentx_pdu pdu;

    (void)state;
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        put_header(bytes, cases[n].version, AGENTX_GET, cases[n].flags, cases[n].length);
        assert_int_equal(agentx_frame(bytes, sizeof bytes, &pdu), cases[n].frame);
    }
    bytes[0] = 2; /* seen before the header is whole */
    assert_int_equal(agentx_frame(bytes, 1, &pdu), AGENTX_BROKEN);
}

static void a_refusal_is_the_response_to_its_request(void **state)
{
    static const uint8_t orders[] = {0, AGENTX_NETWORK_ORDER};
    uint8_t header[AGENTX_HEADER], response[AGENTX_REFUSAL];
    struct agentx_pdu pdu;

    (void)state;
    for (size_t n = 0; n < 2; n++) {
        put_header(header, 1, AGENTX_GETNEXT, orders[n] | AGENTX_HAS_CONTEXT, 70000);
        agentx_refuse(header, AGENTX_TOO_BIG, response);
        assert_int_equal(agentx_frame(response, sizeof response, &pdu), AGENTX_WHOLE);
        assert_int_equal(pdu.size, sizeof response);
        assert_int_equal(pdu.type, AGENTX_RESPONSE);
        assert_int_equal(pdu.packet, PACKET);
        assert_int_equal(pdu.error, AGENTX_TOO_BIG);
        assert_int_equal(response[2], orders[n]);
        assert_memory_equal(response + 4, header + 4, 8); /* session and transaction */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pdu_is_whole_with_its_last_byte),
        cmocka_unit_test(a_response_tells_its_error),
        cmocka_unit_test(what_is_no_pdu),
        cmocka_unit_test(a_refusal_is_the_response_to_its_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
