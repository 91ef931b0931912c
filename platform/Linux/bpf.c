/*
 * Source bpf: the programs of count.bpf.c, embedded here, see every packet of
 * the network namespace at netfilter's LOCAL_IN and LOCAL_OUT. Exact. Linux 6.4
 * and newer, with its own BTF. Rights are needed to open, none afterwards: what
 * stays open is the map of counts and the links, which end with the process.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "count.skel.h" /* build/: count.bpf.c, compiled */
#include "platform/Linux/components.h"
#include "platform/Linux/exact.h"
#include "platform/Linux/pulse.h"
#include "platform/reader.h"

/* Names of Linux 6.4; the headers and the libbpf that we build with may be older. */
#define PROGRAM_TYPE_NETFILTER 32 /* BPF_PROG_TYPE_NETFILTER */
#define ATTACH_TYPE_NETFILTER  45 /* BPF_NETFILTER */

struct link_request { /* union bpf_attr, link_create, as far as netfilter needs it */
    uint32_t program_fd, target_fd, attach_type, flags;
    struct {
        uint32_t protocol, hook;
        int32_t priority;
        uint32_t flags;
    } netfilter;
};

static const struct {
    const char *program;
    enum count_direction direction;
    enum count_family family;
    uint32_t protocol, hook; /* netfilter's numbers of the two */
} hooks[] = {
    {"received_ipv4", COUNT_RECEIVED, COUNT_IPV4, NFPROTO_IPV4, NF_INET_LOCAL_IN},
    {"received_ipv6", COUNT_RECEIVED, COUNT_IPV6, NFPROTO_IPV6, NF_INET_LOCAL_IN},
    {"sent_ipv4", COUNT_SENT, COUNT_IPV4, NFPROTO_IPV4, NF_INET_LOCAL_OUT},
    {"sent_ipv6", COUNT_SENT, COUNT_IPV6, NFPROTO_IPV6, NF_INET_LOCAL_OUT},
};

#define HOOK_COUNT (sizeof hooks / sizeof *hooks)

#define PULSE_INTERVAL_NS INT64_C(1000000000)

struct reader {
    struct components *components;
    struct count *count; /* of the skeleton */
    int links[HOOK_COUNT];
    struct pulse pulse;
    int64_t pulse_ns;     /* when it was sent */
    const char *detached; /* the program that is not attached any more */
};

/* libbpf reports through a callback without an argument of ours; the first warning says most. */
static char *warning;
static size_t warning_size;

static int keep_warning(enum libbpf_print_level level, const char *format, va_list arguments)
{
    if (level != LIBBPF_WARN || !warning || warning[0] != '\0')
        return 0;
    vsnprintf(warning, warning_size, format, arguments);
    warning[strcspn(warning, "\n")] = '\0';
    return 0;
}

static void keep_warnings_in(char *text, size_t size)
{
    warning = text;
    warning_size = size;
    if (text)
        text[0] = '\0';
    libbpf_set_print(keep_warning);
}

/* libbpf 1.1 does not know the section name "netfilter". */
static bool set_types(struct count *count)
{
    struct bpf_program *program = NULL;

    while ((program = bpf_object__next_program(count->obj, program)) != NULL) {
        if (bpf_program__set_type(program, PROGRAM_TYPE_NETFILTER) != 0 ||
            bpf_program__set_expected_attach_type(program, ATTACH_TYPE_NETFILTER) != 0)
            return false;
    }
    return true;
}

static bool load(struct reader *reader, char *error, size_t error_size)
{
    char said[400];
    bool good;
    int why;

    keep_warnings_in(said, sizeof said);
    reader->count = count__open();
    good = reader->count && set_types(reader->count) && count__load(reader->count) == 0;
    why = errno;
    keep_warnings_in(NULL, 0);
    if (good)
        return true;
    if (why == EPERM) /* of which libbpf says much that misleads */
        snprintf(error, error_size, "loading: %s (takes CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN)",
                 strerror(why));
    else
        snprintf(error, error_size, "loading: %s (%s)", strerror(why), said);
    return false;
}

/* bpf_link_create() of libbpf 1.1 does not know this kind of link. */
static int create_link(int program_fd, uint32_t protocol, uint32_t hook)
{
    /* As large as the kernel's: what is behind it must be zero. */
    union {
        struct link_request request;
        uint64_t whole[16];
    } attributes = {
        .whole = {0},
    };

    attributes.request = (struct link_request){
        .program_fd = (uint32_t)program_fd,
        .attach_type = ATTACH_TYPE_NETFILTER,
        .netfilter = {.protocol = protocol, .hook = hook, .priority = EXACT_PRIORITY},
    };
    return (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attributes, sizeof attributes);
}

/* The kernel lets only one BPF program of a namespace have this place and priority. */
static enum reader_open attach(struct reader *reader, char *error, size_t error_size)
{
    for (size_t n = 0; n < HOOK_COUNT; n++) {
        struct bpf_program *program =
            bpf_object__find_program_by_name(reader->count->obj, hooks[n].program);

        reader->links[n] = create_link(bpf_program__fd(program), hooks[n].protocol, hooks[n].hook);
        if (reader->links[n] >= 0)
            continue;
        if (errno == EBUSY) {
            snprintf(error, error_size,
                     "another instance counts in this network namespace (netfilter priority %d is "
                     "taken)",
                     EXACT_PRIORITY);
            return READER_TAKEN;
        }
        snprintf(error, error_size, "attaching %s to netfilter: %s", hooks[n].program,
                 strerror(errno));
        return READER_FAILED;
    }
    return READER_OPEN;
}

/* With a program's descriptor it could be attached elsewhere, by whoever gets hold of it. */
static void forget_programs(struct count *count)
{
    struct bpf_program *program = NULL;

    while ((program = bpf_object__next_program(count->obj, program)) != NULL)
        bpf_program__unload(program);
}

static void bpf_close(struct reader *reader)
{
    for (size_t n = 0; n < HOOK_COUNT; n++) {
        if (reader->links[n] >= 0)
            close(reader->links[n]);
    }
    pulse_close(&reader->pulse);
    count__destroy(reader->count);
    components_close(reader->components);
    free(reader);
}

static enum reader_open bpf_open(struct reader **opened, const char *argument, char *error,
                                 size_t error_size)
{
    struct reader *reader = calloc(1, sizeof *reader);
    enum reader_open result = READER_FAILED;

    (void)argument;
    if (!reader) {
        snprintf(error, error_size, "bpf: %s", strerror(errno));
        return READER_FAILED;
    }
    pulse_open(&reader->pulse);
    for (size_t n = 0; n < HOOK_COUNT; n++)
        reader->links[n] = -1;
    reader->components = components_open("", EXACT_NETSTAT_INTERVAL_NS, error, error_size);
    if (reader->components && load(reader, error, error_size))
        result = attach(reader, error, error_size);
    if (result != READER_OPEN) {
        bpf_close(reader);
        return result;
    }
    forget_programs(reader->count);
    *opened = reader;
    return READER_OPEN;
}

static struct exact read_counts(const struct count__bss *shared)
{
    struct exact exact;

    for (int direction = 0; direction < COUNT_DIRECTIONS; direction++) {
        for (int family = 0; family < COUNT_FAMILIES; family++)
            exact.resets[direction][family] =
                __atomic_load_n(&shared->resets[direction][family], __ATOMIC_RELAXED);
    }
    return exact;
}

/*
 * Root can detach a link by force, and nothing tells its owner: counts would just
 * stand still. But a program that is attached has seen the pulse that is back.
 */
static const char *look_for_detached(struct reader *reader)
{
    bool arrived[COUNT_FAMILIES];

    for (enum count_family family = 0; family < COUNT_FAMILIES; family++)
        arrived[family] = pulse_arrived(&reader->pulse, family);
    for (size_t n = 0; n < HOOK_COUNT; n++) {
        uint8_t *alive = &reader->count->bss->alive[hooks[n].direction][hooks[n].family];

        if (__atomic_exchange_n(alive, 0, __ATOMIC_RELAXED) == 0 && arrived[hooks[n].family])
            return hooks[n].program;
    }
    return NULL;
}

static bool is_attached(struct reader *reader, int64_t now_ns)
{
    if (reader->detached || now_ns - reader->pulse_ns < PULSE_INTERVAL_NS)
        return !reader->detached;
    reader->detached = look_for_detached(reader);
    pulse_send(&reader->pulse);
    reader->pulse_ns = now_ns;
    return !reader->detached;
}

static bool bpf_read(struct reader *reader, struct sample *sample, char *error, size_t error_size)
{
    struct exact exact = read_counts(reader->count->bss);

    if (!is_attached(reader, sample->time_ns)) {
        snprintf(error, error_size, "program %s was detached from netfilter", reader->detached);
        return false;
    }
    if (!components_read(reader->components, sample, error, error_size))
        return false;
    exact_set(&exact, sample);
    sample->sources |= UINT32_C(1) << SOURCE_BPF;
    return true;
}

const struct reader_type bpf_reader = {
    .name = "bpf",
    .meaning = "netfilter BPF programs: exact (Linux 6.4 and newer)",
    .automatic = true,
    .open = bpf_open,
    .read = bpf_read,
    .close = bpf_close,
};
