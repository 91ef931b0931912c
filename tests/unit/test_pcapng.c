/* Blocks of pcapng, byte by byte as its specification has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "subagent/pcapng.h"

#define GUARD 0x5a

static uint8_t block[PCAPNG_BLOCK_MAX + 1];

static int set_guard(void **state)
{
    (void)state;
    memset(block, GUARD, sizeof block);
    return 0;
}

static uint32_t number_at(size_t offset)
{
    return block[offset] | block[offset + 1] << 8 | block[offset + 2] << 16 |
           (uint32_t)block[offset + 3] << 24;
}

/* Its size at both ends, a multiple of 4, and nothing written behind it. */
static void assert_framed(size_t size, uint32_t type)
{
    assert_int_equal(size % 4, 0);
    assert_true(size <= PCAPNG_BLOCK_MAX);
    assert_int_equal(number_at(0), type);
    assert_int_equal(number_at(4), size);
    assert_int_equal(number_at(size - 4), size);
    assert_int_equal(number_at(size - 8), 0); /* opt_endofopt */
    assert_int_equal(block[size], GUARD);
}

static void test_interface(void **state)
{
    static const uint8_t wanted[] = {
        1, 0, 0, 0, 44,  0,   0,   0,   113, 0, 0, 0, 144, 0, 0, 0, /* */
        2, 0, 5, 0, 'v', 'e', 't', 'h', '0', 0, 0, 0,               /* if_name */
        9, 0, 1, 0, 9,   0,   0,   0,                               /* if_tsresol */
        0, 0, 0, 0, 44,  0,   0,   0,
    };
    size_t size = pcapng_interface(block, "veth0", 128);

    (void)state;
    assert_framed(size, 1);
    assert_int_equal(size, sizeof wanted);
    assert_memory_equal(block + 8, wanted + 8, size - 12);
}

static void test_packet(void **state)
{
    static const uint8_t data[] = {0x45, 1, 2, 3, 4};
    static const uint8_t wanted[] = {
        6,    0, 0,    0,    76,  0,   0,   0, /* type, size */
        3,    0, 0,    0,                      /* interface */
        4,    3, 2,    1,    8,   7,   6,   5, /* time, its upper half first */
        21,   0, 0,    0,    76,  0,   0,   0, /* captured, original */
        0,    4, 0xff, 0xfe, 0,   0,   0,   0, 0, 0, 0, 0, 0, 0, 8, 0, /* cooked: outgoing, IPv4 */
        0x45, 1, 2,    3,    4,   0,   0,   0,                         /* */
        1,    0, 3,    0,    'w', 'h', 'y', 0,                         /* opt_comment */
        2,    0, 4,    0,    2,   0,   0,   0,                         /* epb_flags: outbound */
        0,    0, 0,    0,    76,  0,   0,   0,
    };
    struct pcapng_packet packet = {.interface = 3,
                                   .time_ns = 0x0102030405060708,
                                   .data = data,
                                   .captured = sizeof data,
                                   .original = 60,
                                   .way = PCAPNG_OUTBOUND,
                                   .comment = "why"};
    size_t size = pcapng_packet(block, &packet);

    (void)state;
    assert_framed(size, 6);
    assert_int_equal(size, sizeof wanted);
    assert_memory_equal(block, wanted, size);
}

static void test_an_ipv6_packet_that_came_in(void **state)
{
    static const uint8_t data[] = {0x60};

    (void)state;
    pcapng_packet(
        block,
        &(struct pcapng_packet){
            .data = data, .captured = 1, .original = 1, .way = PCAPNG_INBOUND, .comment = ""});
    assert_int_equal(block[29], 0); /* to us */
    assert_int_equal(block[42], 0x86);
    assert_int_equal(block[43], 0xdd);
}

static void test_section(void **state)
{
    static const uint8_t wanted[] = {
        0x4d,
        0x3c,
        0x2b,
        0x1a,
        1,
        0,
        0,
        0,
        0xff,
        0xff,
        0xff,
        0xff,
        0xff,
        0xff,
        0xff,
        0xff,
        1,
        0,
        PCAPNG_TEXT_MAX & 0xff,
        PCAPNG_TEXT_MAX >> 8,
        'e',
        ' ',
    };
    size_t size = pcapng_section(block, "e");

    (void)state;
    assert_framed(size, 0x0a0d0d0a);
    assert_memory_equal(block + 8, wanted, sizeof wanted);
    for (size_t i = 8 + sizeof wanted; i < size - 8; i++)
        assert_int_equal(block[i], ' ');
}

/* So that it can be written over when the file is finished. */
static void test_every_section_has_the_same_size(void **state)
{
    char comment[PCAPNG_TEXT_MAX + 100];
    size_t empty = pcapng_section(block, "");

    (void)state;
    memset(comment, 'c', sizeof comment);
    comment[sizeof comment - 1] = '\0';
    for (size_t length = 0; length < sizeof comment; length++) {
        set_guard(NULL);
        assert_int_equal(pcapng_section(block, comment + length), empty);
        assert_framed(empty, 0x0a0d0d0a);
    }
}

/* Every length of data and comment, those that are cut, too. */
static void test_packets_of_all_lengths(void **state)
{
    static uint8_t data[PCAPNG_DATA_MAX + 10];
    char comment[PCAPNG_TEXT_MAX + 10];

    (void)state;
    memset(comment, 'c', sizeof comment);
    comment[sizeof comment - 1] = '\0';
    for (uint32_t captured = 0; captured <= sizeof data; captured++) {
        for (size_t cut = 0; cut < sizeof comment; cut += cut < 30 ? 1 : 97) {
            set_guard(NULL);
            assert_framed(pcapng_packet(block, &(struct pcapng_packet){.data = data,
                                                                       .captured = captured,
                                                                       .original = captured,
                                                                       .comment = comment + cut}),
                          6);
            assert_int_equal(number_at(20),
                             PCAPNG_COOKED +
                                 (captured < PCAPNG_DATA_MAX ? captured : PCAPNG_DATA_MAX));
        }
    }
}

int main(void)
{
#define BLOCK_TEST(test) cmocka_unit_test_setup(test, set_guard)
    const struct CMUnitTest tests[] = {
        BLOCK_TEST(test_interface),
        BLOCK_TEST(test_packet),
        BLOCK_TEST(test_an_ipv6_packet_that_came_in),
        BLOCK_TEST(test_section),
        BLOCK_TEST(test_every_section_has_the_same_size),
        BLOCK_TEST(test_packets_of_all_lengths),
    };

    return cmocka_run_group_tests_name("pcapng", tests, NULL, NULL);
}
