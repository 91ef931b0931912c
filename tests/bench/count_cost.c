/*
 * What the counting programs cost: ns a packet by BPF_PROG_TEST_RUN, beside an
 * empty program, in interleaved runs. Needs root. One line a program and packet:
 *
 *   program packet ns ns …
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "platform/Linux/count.h"
#include "platform/Linux/netfilter.h"
#include "platform/causes.h"
#include "tests/bench/empty_program.h"

#include "count.skel.h" /* needs the types of count.h */

#define ROUNDS  31
#define REPEAT  1000000
#define PAYLOAD 1000

#define ETHERNET 14
#define TCP_ACK  0x10
#define TCP_RST  0x04

struct packet {
    const char *name;
    bool ipv6;
    uint8_t flags;
    size_t size;
    uint8_t frame[ETHERNET + 40 + 20 + PAYLOAD];
};

struct run {
    const char *program;
    int fd;
    const struct packet *packet;
    uint32_t ns[ROUNDS];
};

static void fill(struct packet *packet)
{
    uint8_t *ip = packet->frame + ETHERNET;
    size_t header = packet->ipv6 ? 40 : 20;
    size_t length = header + 20 + PAYLOAD;

    packet->size = ETHERNET + length;
    packet->frame[12] = packet->ipv6 ? 0x86 : 0x08;
    packet->frame[13] = packet->ipv6 ? 0xdd : 0x00;
    if (packet->ipv6) {
        ip[0] = 0x60;
        ip[4] = (uint8_t)((length - header) >> 8);
        ip[5] = (uint8_t)(length - header);
        ip[6] = 6; /* TCP */
    } else {
        ip[0] = 0x45;
        ip[2] = (uint8_t)(length >> 8);
        ip[3] = (uint8_t)length;
        ip[9] = 6; /* TCP */
    }
    ip[header + 12] = 0x50;
    ip[header + 13] = packet->flags;
}

static struct count *load_count(void)
{
    struct count *count = count__open();
    struct bpf_program *program = NULL;

    if (!count)
        return NULL;
    while ((program = bpf_object__next_program(count->obj, program)) != NULL) {
        if (strcmp(bpf_program__section_name(program), "netfilter") != 0)
            continue;
        bpf_program__set_type(program, PROGRAM_TYPE_NETFILTER);
        bpf_program__set_expected_attach_type(program, ATTACH_TYPE_NETFILTER);
    }
    return count__load(count) == 0 ? count : NULL;
}

/* The beginning of the kernel's struct nf_hook_state. */
struct hook_state {
    uint8_t hook, family;
};

static bool measure(struct run *run, int round)
{
    struct hook_state state = {NF_INET_LOCAL_IN, run->packet->ipv6 ? NFPROTO_IPV6 : NFPROTO_IPV4};
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = run->packet->frame,
                .data_size_in = (uint32_t)run->packet->size, .ctx_in = &state,
                .ctx_size_in = sizeof state, .repeat = REPEAT);

    if (bpf_prog_test_run_opts(run->fd, &options) != 0 || options.retval != NF_ACCEPT) {
        fprintf(stderr, "count_cost: %s: %s\n", run->program, strerror(errno));
        return false;
    }
    run->ns[round] = options.duration;
    return true;
}

static bool all_were_counted(const struct count *count, enum count_family family)
{
    const uint64_t expected = (uint64_t)ROUNDS * REPEAT;
    uint64_t counted = 0;

    for (int cause = 0; cause < CAUSE_SLOTS; cause++)
        counted += count->bss->resets[COUNT_RECEIVED][family][cause];
    if (counted != expected)
        fprintf(stderr, "count_cost: of %ju resets %ju were counted\n", (uintmax_t)expected,
                (uintmax_t)counted);
    return counted == expected;
}

static void print(const struct run *run)
{
    printf("%s %s", run->program, run->packet->name);
    for (int round = 0; round < ROUNDS; round++)
        printf(" %u", run->ns[round]);
    printf("\n");
}

int main(void)
{
    static struct packet packets[] = {
        {.name = "data-v4", .ipv6 = false, .flags = TCP_ACK},
        {.name = "reset-v4", .ipv6 = false, .flags = TCP_RST},
        {.name = "data-v6", .ipv6 = true, .flags = TCP_ACK},
        {.name = "reset-v6", .ipv6 = true, .flags = TCP_RST},
    };
    struct count *count = load_count();
    int empty = load_empty_program();

    if (!count || empty < 0) {
        fprintf(stderr, "count_cost: loading: %s\n", strerror(errno));
        return 1;
    }

    int ipv4 = bpf_program__fd(count->progs.received_ipv4);
    int ipv6 = bpf_program__fd(count->progs.received_ipv6);
    struct run runs[] = {
        {.program = "empty", .fd = empty, .packet = &packets[0]},
        {.program = "received_ipv4", .fd = ipv4, .packet = &packets[0]},
        {.program = "received_ipv4", .fd = ipv4, .packet = &packets[1]},
        {.program = "empty", .fd = empty, .packet = &packets[2]},
        {.program = "received_ipv6", .fd = ipv6, .packet = &packets[2]},
        {.program = "received_ipv6", .fd = ipv6, .packet = &packets[3]},
    };
    const size_t run_count = sizeof runs / sizeof *runs;

    for (size_t n = 0; n < sizeof packets / sizeof *packets; n++)
        fill(&packets[n]);
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t n = 0; n < run_count; n++) {
            if (!measure(&runs[n], round))
                return 1;
        }
    }
    if (!all_were_counted(count, COUNT_IPV4) || !all_were_counted(count, COUNT_IPV6))
        return 1;
    for (size_t n = 0; n < run_count; n++)
        print(&runs[n]);
    count__destroy(count);
    return 0;
}
