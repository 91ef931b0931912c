/* The filter programs, run by libpcap's bpf_filter over packets that are built here byte by byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <pcap/pcap.h>

#include "platform/FreeBSD/reset_filter.h"
#include "tests/unit/random.h"

_Static_assert(sizeof(struct bpf_insn) == sizeof(struct filter_instruction), "one form");
_Static_assert(offsetof(struct bpf_insn, jt) == offsetof(struct filter_instruction, jump_true) &&
                   offsetof(struct bpf_insn, jf) ==
                       offsetof(struct filter_instruction, jump_false) &&
                   offsetof(struct bpf_insn, k) == offsetof(struct filter_instruction, value),
               "one form");

#define RST 0x04
#define ACK 0x10
#define SYN 0x02

static const struct addresses own = {
    .ipv4_count = 3,
    .ipv6_count = 2,
    .ipv4 = {{192, 0, 2, 1}, {198, 51, 100, 7}, {127, 0, 0, 1}},
    .ipv6 = {{0x20, 0x01, 0x0d, 0xb8, [15] = 1}, {0xfe, 0x80, [8] = 2, 3, 4, 5, 6, 7, 8, 9}},
};
static const uint8_t peer4[4] = {192, 0, 2, 2};
static const uint8_t peer6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 2};

struct packet {
    size_t length;
    uint8_t bytes[2000];
};

static void add(struct packet *packet, const void *bytes, size_t length)
{
    memcpy(packet->bytes + packet->length, bytes, length);
    packet->length += length;
}

#define ADD(packet, ...)                                                                           \
    add(packet, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void add_link(struct packet *packet, enum filter_link link, bool ipv6)
{
    static const uint8_t hardware[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};

    switch (link) {
    case LINK_ETHERNET:
        add(packet, hardware, sizeof hardware);
        if (ipv6)
            ADD(packet, 0x86, 0xdd);
        else
            ADD(packet, 0x08, 0x00);
        break;
    case LINK_FAMILY: /* FreeBSD's AF_INET and AF_INET6, on a little-endian host */
        ADD(packet, ipv6 ? 28 : 2, 0, 0, 0);
        break;
    case LINK_NONE:
        break;
    }
}

static void add_tcp(struct packet *packet, uint8_t flags)
{
    ADD(packet, 0x1f, 0x90, 0x00, 0x50, 1, 2, 3, 4, 5, 6, 7, 8, 0x50, flags, 0x10, 0, 0, 0, 0, 0);
}

struct ipv4 {
    const uint8_t *source, *destination;
    uint8_t option_words, protocol, flags;
    uint16_t fragment; /* more fragments 0x2000, and where it begins */
};

static void add_ipv4(struct packet *packet, struct ipv4 ip)
{
    static const uint8_t options[40] = {1, 1, 1, 1};

    ADD(packet, (uint8_t)(0x45 + ip.option_words), 0, 0, (uint8_t)(40 + 4 * ip.option_words), 0, 1,
        (uint8_t)(ip.fragment >> 8), (uint8_t)ip.fragment, 64, ip.protocol ? ip.protocol : 6, 0, 0);
    add(packet, ip.source, 4);
    add(packet, ip.destination, 4);
    add(packet, options, ip.option_words * 4u);
    add_tcp(packet, ip.flags);
}

static struct packet ipv4_packet(enum filter_link link, struct ipv4 ip)
{
    struct packet packet = {0};

    add_link(&packet, link, false);
    add_ipv4(&packet, ip);
    return packet;
}

static void add_ipv6(struct packet *packet, const uint8_t *source, const uint8_t *destination,
                     uint8_t next)
{
    ADD(packet, 0x60, 0, 0, 0, 0, 20, next, 64);
    add(packet, source, 16);
    add(packet, destination, 16);
}

static struct packet ipv6_packet(enum filter_link link, const uint8_t *source,
                                 const uint8_t *destination, uint8_t flags)
{
    struct packet packet = {0};

    add_link(&packet, link, true);
    add_ipv6(&packet, source, destination, 6);
    add_tcp(&packet, flags);
    return packet;
}

static unsigned run(const struct reset_filter *filter, const struct packet *packet)
{
    const struct bpf_insn *code = (const struct bpf_insn *)filter->code;

    assert_true(bpf_validate(code, (int)filter->length));
    return bpf_filter(code, packet->bytes, (unsigned)packet->length, (unsigned)packet->length);
}

static bool matches(enum filter_link link, enum filter_family family, enum direction direction,
                    const struct packet *packet)
{
    struct reset_filter filter;
    unsigned result;

    assert_true(reset_filter_build(&filter, link, family, direction, &own));
    result = run(&filter, packet);
    assert_in_range(result, 0, 1); /* a longer record would not fit the descriptor's buffer */
    return result;
}

#define RECEIVED4(packet) matches(LINK_ETHERNET, FILTER_IPV4, DIRECTION_RECEIVED, &(packet))
#define RECEIVED6(packet) matches(LINK_ETHERNET, FILTER_IPV6, DIRECTION_RECEIVED, &(packet))

static const enum filter_link links[] = {LINK_ETHERNET, LINK_FAMILY, LINK_NONE};

/* Each packet is for one family and direction; the other three must let it pass. */
static void assert_only(enum filter_link link, const struct packet *packet,
                        enum filter_family family, enum direction direction)
{
    for (int each = FILTER_IPV4; each <= FILTER_IPV6; each++)
        for (int way = DIRECTION_RECEIVED; way <= DIRECTION_SENT; way++)
            assert_int_equal(matches(link, each, way, packet),
                             each == (int)family && way == (int)direction);
}

static void a_reset_matches_its_family_and_direction(void **state)
{
    (void)state;
    for (size_t n = 0; n < ARRAY_SIZE(links); n++) {
        enum filter_link link = links[n];
        struct packet in4 = ipv4_packet(link, (struct ipv4){peer4, own.ipv4[0], .flags = RST});
        struct packet out4 = ipv4_packet(link, (struct ipv4){own.ipv4[1], peer4, .flags = RST});
        struct packet in6 = ipv6_packet(link, peer6, own.ipv6[1], RST);
        struct packet out6 = ipv6_packet(link, own.ipv6[0], peer6, RST | ACK);

        assert_only(link, &in4, FILTER_IPV4, DIRECTION_RECEIVED);
        assert_only(link, &out4, FILTER_IPV4, DIRECTION_SENT);
        assert_only(link, &in6, FILTER_IPV6, DIRECTION_RECEIVED);
        assert_only(link, &out6, FILTER_IPV6, DIRECTION_SENT);
    }
}

static void only_the_flag_rst_matches(void **state)
{
    (void)state;
    for (unsigned flags = 0; flags < 256; flags++) {
        struct packet v4 =
            ipv4_packet(LINK_ETHERNET, (struct ipv4){peer4, own.ipv4[2], .flags = (uint8_t)flags});
        struct packet v6 = ipv6_packet(LINK_ETHERNET, peer6, own.ipv6[0], (uint8_t)flags);

        assert_int_equal(RECEIVED4(v4), (flags & RST) != 0);
        assert_int_equal(RECEIVED6(v6), (flags & RST) != 0);
    }
}

static void what_is_forwarded_does_not_match(void **state)
{
    static const uint8_t other4[4] = {192, 0, 2, 3};
    static const uint8_t other6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 3};

    (void)state;
    for (size_t n = 0; n < ARRAY_SIZE(links); n++) {
        struct packet v4 = ipv4_packet(links[n], (struct ipv4){peer4, other4, .flags = RST});
        struct packet v6 = ipv6_packet(links[n], peer6, other6, RST);

        for (int way = DIRECTION_RECEIVED; way <= DIRECTION_SENT; way++) {
            assert_false(matches(links[n], FILTER_IPV4, way, &v4));
            assert_false(matches(links[n], FILTER_IPV6, way, &v6));
        }
    }
}

static void an_address_that_differs_in_one_byte_is_not_ours(void **state)
{
    (void)state;
    for (size_t byte = 0; byte < 16; byte++) {
        uint8_t other[16];

        memcpy(other, own.ipv6[0], 16);
        other[byte] ^= 0x80;
        struct packet v6 = ipv6_packet(LINK_ETHERNET, peer6, other, RST);
        assert_false(RECEIVED6(v6));
        if (byte >= 4)
            continue;
        memcpy(other, own.ipv4[0], 4);
        other[byte] ^= 0x80;
        struct packet v4 = ipv4_packet(LINK_ETHERNET, (struct ipv4){peer4, other, .flags = RST});
        assert_false(RECEIVED4(v4));
    }
}

static void ipv4_options_are_passed_over(void **state)
{
    (void)state;
    for (uint8_t words = 0; words <= 10; words++) {
        struct ipv4 ip = {peer4, own.ipv4[0], .option_words = words, .flags = RST | ACK};
        struct packet reset = ipv4_packet(LINK_ETHERNET, ip);

        ip.flags = SYN;
        struct packet syn = ipv4_packet(LINK_ETHERNET, ip);

        assert_true(RECEIVED4(reset));
        assert_false(RECEIVED4(syn));
    }
}

static void other_protocols_do_not_match(void **state)
{
    (void)state;
    for (unsigned protocol = 1; protocol < 256; protocol++) {
        struct ipv4 ip = {peer4, own.ipv4[0], .protocol = (uint8_t)protocol, .flags = RST};
        struct packet packet = ipv4_packet(LINK_ETHERNET, ip);

        assert_int_equal(RECEIVED4(packet), protocol == 6);
    }
}

static void of_ipv4_fragments_the_first_matches(void **state)
{
    static const struct {
        uint16_t fragment;
        bool expected;
    } cases[] = {{0x4000, true}, {0x2000, true}, {0x2001, false}, {0x0003, false}, {0x1fff, false}};

    (void)state;
    for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
        struct packet packet =
            ipv4_packet(LINK_ETHERNET, (struct ipv4){peer4, own.ipv4[0], .flags = RST,
                                                     .fragment = cases[n].fragment});

        assert_int_equal(RECEIVED4(packet), cases[n].expected);
    }
}

/* ---- IPv6 extension headers ---- */

/* A packet with these headers, the type of each before it; lengths grow. */
static struct packet extended(const uint8_t *types, size_t count, uint8_t last, uint8_t flags)
{
    struct packet packet = {0};

    add_link(&packet, LINK_ETHERNET, true);
    add_ipv6(&packet, peer6, own.ipv6[0], count > 0 ? types[0] : last);
    for (size_t n = 0; n < count; n++) {
        static const uint8_t zero[64];
        uint8_t next = n + 1 < count ? types[n + 1] : last;

        switch (types[n]) {
        case 44: /* an atomic fragment */
            ADD(&packet, next, 0, 0, 0, 0, 0, 0, 1);
            break;
        case 51: /* units of 4 bytes, without 2 */
            ADD(&packet, next, 4);
            add(&packet, zero, 22);
            break;
        default: /* units of 8 bytes, without 1 */
            ADD(&packet, next, (uint8_t)n);
            add(&packet, zero, 6 + 8 * n);
        }
    }
    add_tcp(&packet, flags);
    return packet;
}

static void up_to_four_extension_headers_are_passed_over(void **state)
{
    static const uint8_t known[] = {0, 43, 44, 51, 60};
    struct random random = {random_first_seed()};

    (void)state;
    for (int round = 0; round < 2000; round++) {
        uint8_t types[6];
        size_t count = (size_t)random_between(&random, 0, 6);

        for (size_t n = 0; n < count; n++)
            types[n] = known[random_between(&random, 0, 4)];

        struct packet reset = extended(types, count, 6, RST);
        struct packet syn = extended(types, count, 6, SYN | ACK);
        struct packet udp = extended(types, count, 17, RST);

        assert_int_equal(RECEIVED6(reset), count <= 4);
        assert_false(RECEIVED6(syn));
        assert_false(RECEIVED6(udp));
    }
}

static void unknown_extension_headers_do_not_match(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        bool known = type == 0 || type == 43 || type == 44 || type == 60;
        const uint8_t types[] = {(uint8_t)type};

        if (type == 6 || type == 51)
            continue;
        struct packet packet = extended(types, 1, 6, RST);
        assert_int_equal(RECEIVED6(packet), known);
    }
}

static void of_ipv6_fragments_the_first_matches(void **state)
{
    const uint8_t types[] = {44};
    struct packet packet = extended(types, 1, 6, RST);
    uint8_t *offset = packet.bytes + 14 + 40 + 2;

    (void)state;
    for (unsigned bit = 0; bit < 16; bit++) { /* 0: more fragments; 1 and 2: unused */
        offset[0] = (uint8_t)(1 << bit >> 8);
        offset[1] = (uint8_t)(1 << bit);
        assert_int_equal(RECEIVED6(packet), bit < 3);
    }
}

/* ---- Frames ---- */

static void only_a_priority_tag_is_looked_behind(void **state)
{
    (void)state;
    for (int ipv6 = 0; ipv6 <= 1; ipv6++) {
        for (unsigned tag = 0; tag < 0x10000; tag = tag ? tag << 1 : 1) {
            struct packet plain =
                ipv6 ? ipv6_packet(LINK_ETHERNET, peer6, own.ipv6[0], RST)
                     : ipv4_packet(LINK_ETHERNET, (struct ipv4){peer4, own.ipv4[0], .flags = RST});
            struct packet tagged = {0};

            add(&tagged, plain.bytes, 12);
            ADD(&tagged, 0x81, 0x00, (uint8_t)(tag >> 8), (uint8_t)tag);
            add(&tagged, plain.bytes + 12, plain.length - 12);
            assert_int_equal(ipv6 ? RECEIVED6(tagged) : RECEIVED4(tagged), (tag & 0xfff) == 0);
        }
    }
}

static void other_frames_do_not_match(void **state)
{
    struct packet packet =
        ipv4_packet(LINK_ETHERNET, (struct ipv4){peer4, own.ipv4[0], .flags = RST});

    (void)state;
    for (unsigned type = 0; type < 0x10000; type++) {
        packet.bytes[12] = (uint8_t)(type >> 8);
        packet.bytes[13] = (uint8_t)type;
        if (type == 0x8100) /* above */
            continue;
        assert_int_equal(RECEIVED4(packet), type == 0x0800);
    }
}

/* What a byte says that is not there is never taken for a match. */
static void a_cut_packet_does_not_match(void **state)
{
    static const uint8_t types[] = {0, 60, 44, 51};

    (void)state;
    for (size_t n = 0; n < ARRAY_SIZE(links); n++) {
        struct packet packet =
            ipv4_packet(links[n], (struct ipv4){peer4, own.ipv4[0], 3, .flags = RST});
        size_t to_flags = packet.length - 6; /* up to and with the flags */

        for (packet.length = 0; packet.length < to_flags; packet.length++)
            assert_false(matches(links[n], FILTER_IPV4, DIRECTION_RECEIVED, &packet));
        assert_true(matches(links[n], FILTER_IPV4, DIRECTION_RECEIVED, &packet));
    }
    struct packet packet = extended(types, 4, 6, RST);
    size_t to_flags = packet.length - 6;

    for (packet.length = 0; packet.length < to_flags; packet.length++)
        assert_false(RECEIVED6(packet));
    assert_true(RECEIVED6(packet));
}

static void anything_at_all_ends(void **state)
{
    struct random random = {random_first_seed()};
    struct packet packet;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        packet = extended((const uint8_t[]){0, 43, 44, 60}, (size_t)(round % 5), 6, RST);
        for (int n = 0; n < 4; n++)
            packet.bytes[random_between(&random, 0, (int64_t)packet.length - 1)] =
                (uint8_t)random_next(&random);
        packet.length = (size_t)random_between(&random, 0, (int64_t)packet.length);
        for (int family = FILTER_IPV4; family <= FILTER_IPV6; family++)
            matches(LINK_ETHERNET, family, DIRECTION_RECEIVED, &packet);
    }
}

/* A second opinion: what libpcap makes of an expression for people. */
static void a_compiled_expression_matches_the_same(void **state)
{
    static const char *const expressions[] = {
        [FILTER_IPV4] = "ip and tcp[tcpflags] & tcp-rst != 0 and dst net 192.0.2.1/32",
        [FILTER_IPV6] = "ip6 and ip6[6] = 6 and ip6[40 + 13] & 4 != 0 and dst host 2001:db8::1",
    };
    static const struct addresses one = {
        1, 1, {{192, 0, 2, 1}}, {{0x20, 0x01, 0x0d, 0xb8, [15] = 1}}};
    struct random random = {random_first_seed()};
    pcap_t *dead = pcap_open_dead(DLT_EN10MB, 65535);
    int matched[2] = {0, 0};

    (void)state;
    assert_non_null(dead);
    for (int family = FILTER_IPV4; family <= FILTER_IPV6; family++) {
        struct bpf_program expected;
        struct reset_filter filter;

        assert_int_equal(pcap_compile(dead, &expected, expressions[family], 1, 0), 0);
        assert_true(reset_filter_build(&filter, LINK_ETHERNET, family, DIRECTION_RECEIVED, &one));
        for (int round = 0; round < 50000; round++) {
            struct packet packet =
                family == FILTER_IPV6
                    ? ipv6_packet(LINK_ETHERNET, peer6, own.ipv6[0], RST)
                    : ipv4_packet(LINK_ETHERNET, (struct ipv4){peer4, own.ipv4[0],
                                                               (uint8_t)(round % 11), 6, RST, 0});
            uint8_t version = packet.bytes[14] & 0xf0;

            packet.bytes[random_between(&random, 12, (int64_t)packet.length - 1)] ^=
                (uint8_t)(1 << random_between(&random, 0, 7));
            packet.bytes[14] = (packet.bytes[14] & 0x0f) | version; /* libpcap does not look */
            if (random_one_in(&random, 3))
                packet.length = (size_t)random_between(&random, 14, (int64_t)packet.length);

            unsigned expects = bpf_filter(expected.bf_insns, packet.bytes, (unsigned)packet.length,
                                          (unsigned)packet.length);

            assert_int_equal(run(&filter, &packet), expects != 0);
            matched[family] += expects != 0;
        }
        pcap_freecode(&expected);
        assert_in_range(matched[family], 10000, 45000); /* it was no test of one answer */
    }
    pcap_close(dead);
}

/* ---- Addresses ---- */

static size_t most_addresses(enum filter_link link, enum filter_family family)
{
    struct addresses addresses = {0};
    size_t *count = family == FILTER_IPV6 ? &addresses.ipv6_count : &addresses.ipv4_count;
    struct reset_filter filter;

    for (*count = 1; *count <= ADDRESSES_MAX; ++*count)
        if (!reset_filter_build(&filter, link, family, DIRECTION_SENT, &addresses))
            break;
    return *count - 1;
}

static void there_is_room_for_so_many_addresses(void **state)
{
    (void)state;
    assert_int_equal(most_addresses(LINK_ETHERNET, FILTER_IPV4), FILTER_IPV4_MOST);
    assert_int_equal(most_addresses(LINK_ETHERNET, FILTER_IPV6), FILTER_IPV6_MOST);
    for (size_t n = 0; n < ARRAY_SIZE(links); n++) {
        assert_true(most_addresses(links[n], FILTER_IPV4) >= FILTER_IPV4_MOST);
        assert_true(most_addresses(links[n], FILTER_IPV6) >= FILTER_IPV6_MOST);
    }
}

static void the_last_of_many_addresses_matches(void **state)
{
    static struct addresses many;
    struct reset_filter filter;
    struct packet v4 = ipv4_packet(LINK_ETHERNET, (struct ipv4){peer4, own.ipv4[0], .flags = RST});
    struct packet v6 = ipv6_packet(LINK_ETHERNET, peer6, own.ipv6[0], RST);

    (void)state;
    many.ipv4_count = FILTER_IPV4_MOST;
    many.ipv6_count = FILTER_IPV6_MOST;
    memcpy(many.ipv4[many.ipv4_count - 1], own.ipv4[0], 4);
    memcpy(many.ipv6[many.ipv6_count - 1], own.ipv6[0], 16);
    assert_true(reset_filter_build(&filter, LINK_ETHERNET, FILTER_IPV4, DIRECTION_RECEIVED, &many));
    assert_int_equal(run(&filter, &v4), 1);
    assert_true(reset_filter_build(&filter, LINK_ETHERNET, FILTER_IPV6, DIRECTION_RECEIVED, &many));
    assert_int_equal(run(&filter, &v6), 1);
}

static void without_addresses_nothing_matches(void **state)
{
    static const struct addresses none;
    struct packet packet =
        ipv4_packet(LINK_ETHERNET, (struct ipv4){peer4, own.ipv4[0], .flags = RST});
    struct reset_filter filter;

    (void)state;
    assert_true(reset_filter_build(&filter, LINK_ETHERNET, FILTER_IPV4, DIRECTION_RECEIVED, &none));
    assert_int_equal(run(&filter, &packet), 0);
    reset_filter_none(&filter);
    assert_int_equal(run(&filter, &packet), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reset_matches_its_family_and_direction),
        cmocka_unit_test(only_the_flag_rst_matches),
        cmocka_unit_test(what_is_forwarded_does_not_match),
        cmocka_unit_test(an_address_that_differs_in_one_byte_is_not_ours),
        cmocka_unit_test(ipv4_options_are_passed_over),
        cmocka_unit_test(other_protocols_do_not_match),
        cmocka_unit_test(of_ipv4_fragments_the_first_matches),
        cmocka_unit_test(up_to_four_extension_headers_are_passed_over),
        cmocka_unit_test(unknown_extension_headers_do_not_match),
        cmocka_unit_test(of_ipv6_fragments_the_first_matches),
        cmocka_unit_test(only_a_priority_tag_is_looked_behind),
        cmocka_unit_test(other_frames_do_not_match),
        cmocka_unit_test(a_cut_packet_does_not_match),
        cmocka_unit_test(anything_at_all_ends),
        cmocka_unit_test(a_compiled_expression_matches_the_same),
        cmocka_unit_test(there_is_room_for_so_many_addresses),
        cmocka_unit_test(the_last_of_many_addresses_matches),
        cmocka_unit_test(without_addresses_nothing_matches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
