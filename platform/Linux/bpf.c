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
#include <sys/stat.h>
#include <unistd.h>

#include "platform/Linux/components.h"
#include "platform/Linux/exact.h"
#include "platform/Linux/netfilter.h"
#include "platform/Linux/peer_maps.h"
#include "platform/Linux/pulse.h"
#include "platform/Linux/records.h"
#include "platform/reader.h"

#include "count.skel.h" /* build/: count.bpf.c, compiled; needs the types of count.h */

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
#define LINK_COUNT (HOOK_COUNT + 1) /* the last one: to the tracepoint */

/* The tracepoint, and the program for it. No one can detach it by force. */
#define TRACEPOINT         "tcp_send_reset"
#define TRACEPOINT_PROGRAM "tcp_sends_reset"

/* The argument for tests: causes as with a kernel before 6.10. */
#define WITHOUT_REASONS "no-reasons"

#define PULSE_INTERVAL_NS NS_PER_S

struct reader {
    struct components *components;
    struct count *count; /* of the skeleton */
    int links[LINK_COUNT];
    struct peers_reader peers;
    struct records_reader records;
    uint64_t resets[COUNT_DIRECTIONS]; /* as of the newest reading */
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

static struct bpf_program *program_of(const struct count *count, const char *name)
{
    return bpf_object__find_program_by_name(count->obj, name);
}

/* libbpf 1.1 does not know the section name "netfilter". */
static bool set_types(const struct count *count)
{
    for (size_t n = 0; n < HOOK_COUNT; n++) {
        struct bpf_program *program = program_of(count, hooks[n].program);

        if (bpf_program__set_type(program, PROGRAM_TYPE_NETFILTER) != 0 ||
            bpf_program__set_expected_attach_type(program, ATTACH_TYPE_NETFILTER) != 0)
            return false;
    }
    return true;
}

/* The tracepoint tells of every namespace. */
static bool set_constants(const struct count *count, bool without_reasons)
{
    struct stat namespace;

    if (stat("/proc/self/ns/net", &namespace) != 0)
        return false;
    count->rodata->own_namespace = (uint32_t) namespace.st_ino;
    count->rodata->without_reasons = without_reasons;
    return true;
}

static bool load(struct reader *reader, bool without_reasons, char *error, size_t error_size)
{
    char said[400];
    bool good;
    int why;

    keep_warnings_in(said, sizeof said);
    reader->count = count__open();
    good = reader->count && set_types(reader->count) &&
           set_constants(reader->count, without_reasons) && count__load(reader->count) == 0;
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

/* The kernel lets only one BPF program of a namespace have this place and priority. */
static enum reader_open attach_hooks(struct reader *reader, char *error, size_t error_size)
{
    for (size_t n = 0; n < HOOK_COUNT; n++) {
        int program = bpf_program__fd(program_of(reader->count, hooks[n].program));

        reader->links[n] =
            netfilter_attach(program, hooks[n].protocol, hooks[n].hook, EXACT_PRIORITY);
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

/* Before the hooks: LOCAL_OUT leaves to it what it counts. */
static bool attach_tracepoint(struct reader *reader, char *error, size_t error_size)
{
    int program = bpf_program__fd(program_of(reader->count, TRACEPOINT_PROGRAM));

    reader->links[HOOK_COUNT] = bpf_raw_tracepoint_open(TRACEPOINT, program);
    if (reader->links[HOOK_COUNT] >= 0)
        return true;
    snprintf(error, error_size, "attaching to the tracepoint " TRACEPOINT ": %s", strerror(errno));
    return false;
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
    for (size_t n = 0; n < LINK_COUNT; n++) {
        if (reader->links[n] >= 0)
            close(reader->links[n]);
    }
    pulse_close(&reader->pulse);
    peers_close(&reader->peers);
    count__destroy(reader->count);
    components_close(reader->components);
    free(reader);
}

static bool open_peers(struct reader *reader, char *error, size_t error_size)
{
    const int maps[] = {bpf_map__fd(reader->count->maps.peers_0),
                        bpf_map__fd(reader->count->maps.peers_1)};

    if (peers_open(&reader->peers, maps, &reader->count->bss->half))
        return true;
    snprintf(error, error_size, "bpf: %s", strerror(errno));
    return false;
}

static enum reader_open bpf_open(struct reader **opened, const char *argument, char *error,
                                 size_t error_size)
{
    struct reader *reader = calloc(1, sizeof *reader);
    enum reader_open result = READER_FAILED;

    if (!reader) {
        snprintf(error, error_size, "bpf: %s", strerror(errno));
        return READER_FAILED;
    }
    pulse_open(&reader->pulse);
    for (size_t n = 0; n < LINK_COUNT; n++)
        reader->links[n] = -1;
    reader->components = components_open("", EXACT_COMPONENTS_INTERVAL_NS, error, error_size);
    if (reader->components &&
        load(reader, strcmp(argument, WITHOUT_REASONS) == 0, error, error_size) &&
        attach_tracepoint(reader, error, error_size))
        result = attach_hooks(reader, error, error_size);
    if (result != READER_OPEN) {
        bpf_close(reader);
        return result;
    }
    if (!open_peers(reader, error, error_size)) {
        bpf_close(reader);
        return READER_FAILED;
    }
    records_open(&reader->records, reader->count->bss->rings);
    forget_programs(reader->count);
    *opened = reader;
    return READER_OPEN;
}

/* The families of one cause may be read at two instants; a total is what has been read. */
static struct exact read_counts(const struct count__bss *shared)
{
    struct exact exact = {0};

    for (int direction = 0; direction < COUNT_DIRECTIONS; direction++) {
        for (int family = 0; family < COUNT_FAMILIES; family++) {
            for (enum cause cause = CAUSE_NONE; cause < CAUSE_SLOTS; cause++) {
                uint64_t count =
                    __atomic_load_n(&shared->resets[direction][family][cause], __ATOMIC_RELAXED);

                exact.resets[direction][family] += count;
                exact.causes[direction][cause] += count;
            }
        }
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
    exact_set_causes(&exact, sample);
    for (int direction = 0; direction < COUNT_DIRECTIONS; direction++)
        reader->resets[direction] =
            exact.resets[direction][COUNT_IPV4] + exact.resets[direction][COUNT_IPV6];
    records_begin(&reader->records, reader->resets, sample->time_ns);
    sample->sources |= UINT32_C(1) << SOURCE_BPF;
    sample->peers_known = true;
    return true;
}

static bool bpf_read_peers(struct reader *reader, int64_t now_ns, struct peer_slice *slice)
{
    return peers_read(&reader->peers, reader->resets, now_ns, slice);
}

/* From the first call on they are kept. */
static bool bpf_read_evidence(struct reader *reader, struct evidence *evidence)
{
    if (!reader->count->bss->keep_records)
        reader->count->bss->keep_records = 1;
    return records_read(&reader->records, evidence);
}

const struct reader_type bpf_reader = {
    .name = "bpf",
    .meaning = "netfilter BPF programs: exact (Linux 6.4 and newer)",
    .automatic = true,
    .open = bpf_open,
    .read = bpf_read,
    .read_peers = bpf_read_peers,
    .read_evidence = bpf_read_evidence,
    .close = bpf_close,
};
