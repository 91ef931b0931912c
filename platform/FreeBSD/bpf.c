/*
 * Source bpf: every reset that an interface sees, by descriptors of bpf(4) that match resets and
 * are never read (match_count.h): one for each interface, direction and family, on a loopback
 * one for each family, as there every packet is received and sent at once. What the kernel
 * itself counts is read beside, once a second.
 *
 * All that takes rights is opening descriptors: some are kept for interfaces to come. A
 * descriptor can be asked for its counts and set to another interface; reading packets from it
 * or writing some is what Capsicum takes away from it at once. The sampler does not enter
 * capability mode: there it could neither read the kernel's counters nor the list of interfaces,
 * and the agent, which it starts by fork, could open no file.
 */
#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <net/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capsicum.h>
#include <sys/filio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "platform/FreeBSD/interfaces.h"
#include "platform/FreeBSD/kernel_tcp.h"
#include "platform/FreeBSD/match_count.h"
#include "platform/FreeBSD/reset_filter.h"
#include "platform/FreeBSD/self_check.h"
#include "platform/estimate.h"
#include "platform/reader.h"

#define DEVICE             "/dev/bpf"
#define KERNEL_INTERVAL_NS NS_PER_S
#define TAPS_MAX           (4 * INTERFACES_MAX)
#define TAPS_SPARE         64 /* 16 interfaces to come, more than those that went */
#define CHECK_RESETS       5  /* the first two are stored, the others dropped */
#define CHECK_TRIES        10 /* others may make resets meanwhile */

_Static_assert(sizeof(struct bpf_insn) == sizeof(struct filter_instruction) &&
                   offsetof(struct bpf_insn, jt) ==
                       offsetof(struct filter_instruction, jump_true) &&
                   offsetof(struct bpf_insn, k) == offsetof(struct filter_instruction, value),
               "reset_filter.h has the form of the kernel");
_Static_assert(FILTER_MAX <= BPF_MAXINSNS && MATCH_BUFFER_BYTES == BPF_MINBUFSIZE,
               "limits of the kernel");

/* A descriptor; a spare one matches nothing. */
struct tap {
    int fd;
    unsigned interface; /* its index; 0: spare */
    bool both_ways;     /* loopback: `direction` is received, and what is received is sent */
    enum filter_link link;
    enum filter_family family;
    enum direction direction;
    struct match_count count;
};

struct reader {
    int watch, probe; /* -1: not open; probe: a descriptor that only asks for link types */
    bool changed;     /* interfaces or addresses are not followed yet */
    size_t tap_count;
    struct tap taps[TAPS_MAX];
    uint64_t resets[DIRECTION_SENT + 1][FILTER_IPV6 + 1];
    struct interfaces interfaces, next; /* as it was, and as it is */
    struct kernel_tcp kernel;
    struct estimate estimate;
    struct reset_filter filter; /* scratch */
};

static bool fail(const char *what, const char *call, char *error, size_t error_size)
{
    snprintf(error, error_size, "%s: %s: %s", what, call, strerror(errno));
    return false;
}

/* ---- Descriptors ---- */

/* A kernel without Capsicum has nothing to take away with. */
static bool limit_rights(int fd)
{
    static const unsigned long requests[] = {BIOCSETIF, BIOCGDLT,   BIOCSETF,      BIOCSETFNR,
                                             FIONREAD,  BIOCGSTATS, BIOCSDIRECTION};
    cap_rights_t rights;

    cap_rights_init(&rights, CAP_IOCTL);
    return (cap_rights_limit(fd, &rights) == 0 &&
            cap_ioctls_limit(fd, requests, sizeof requests / sizeof *requests) == 0) ||
           errno == ENOSYS;
}

static bool set_filter(int fd, unsigned long request, struct reset_filter *filter)
{
    struct bpf_program program = {.bf_len = (unsigned)filter->length,
                                  .bf_insns = (struct bpf_insn *)filter->code};

    return ioctl(fd, request, &program) == 0;
}

/* One on no interface yet, with the smallest buffers, and a filter that matches nothing. */
static int open_descriptor(struct reset_filter *scratch, char *error, size_t error_size)
{
    int fd = open(DEVICE, O_RDONLY | O_CLOEXEC);
    unsigned size = MATCH_BUFFER_BYTES;

    if (fd < 0) {
        snprintf(error, error_size, DEVICE ": %s", strerror(errno));
        return -1;
    }
    reset_filter_none(scratch);
    errno = EINVAL;
    if (ioctl(fd, BIOCSBLEN, &size) == 0 && size == MATCH_BUFFER_BYTES &&
        set_filter(fd, BIOCSETF, scratch) && limit_rights(fd))
        return fd;
    fail(DEVICE, "setting up", error, error_size);
    close(fd);
    return -1;
}

static bool open_taps(struct reader *reader, size_t count, char *error, size_t error_size)
{
    while (reader->tap_count < count) {
        int fd = open_descriptor(&reader->filter, error, error_size);

        if (fd < 0)
            return false;
        reader->taps[reader->tap_count++] = (struct tap){.fd = fd};
    }
    return true;
}

static size_t spare_taps(const struct reader *reader)
{
    size_t spare = 0;

    for (size_t n = 0; n < reader->tap_count; n++)
        spare += reader->taps[n].interface == 0;
    return spare;
}

/* A spare one; where there is none and rights still are, a new one. */
static struct tap *take_tap(struct reader *reader, const char *interface, char *error,
                            size_t error_size)
{
    char ignored[256];

    for (size_t n = 0; n < reader->tap_count; n++)
        if (reader->taps[n].interface == 0)
            return &reader->taps[n];
    if (reader->tap_count < TAPS_MAX &&
        open_taps(reader, reader->tap_count + 1, ignored, sizeof ignored))
        return &reader->taps[reader->tap_count - 1];
    snprintf(error, error_size, "%s: no descriptor is left for it: a restart opens more",
             interface);
    errno = EMFILE;
    return NULL;
}

static bool attach(int fd, const char *interface)
{
    struct ifreq request = {0};

    memcpy(request.ifr_name, interface, strnlen(interface, sizeof request.ifr_name - 1));
    return ioctl(fd, BIOCSETIF, &request) == 0;
}

/* False: packets there are none of ours, or it is gone already. */
static bool find_link(int probe, const char *interface, enum filter_link *link)
{
    unsigned type;

    if (!attach(probe, interface) || ioctl(probe, BIOCGDLT, &type) != 0)
        return false;
    switch (type) {
    case DLT_EN10MB:
        *link = LINK_ETHERNET;
        return true;
    case DLT_NULL:
    case DLT_LOOP:
        *link = LINK_FAMILY;
        return true;
    case DLT_RAW:
        *link = LINK_NONE;
        return true;
    default:
        return false;
    }
}

static bool build_filter(struct reader *reader, const struct tap *tap)
{
    return reset_filter_build(&reader->filter, tap->link, tap->family, tap->direction,
                              &reader->interfaces.addresses);
}

/* ---- Counts ---- */

static bool read_tap(struct reader *reader, struct tap *tap, char *error, size_t error_size)
{
    struct bpf_stat stat;
    int readable;
    uint64_t growth;

    /* Stored ones last: what comes between the two is in one of them. */
    if (ioctl(tap->fd, BIOCGSTATS, &stat) != 0 || ioctl(tap->fd, FIONREAD, &readable) != 0)
        return fail(DEVICE, "reading counts", error, error_size);
    growth = match_count_growth(&tap->count, stat.bs_drop, (uint32_t)readable);
    reader->resets[tap->direction][tap->family] += growth;
    if (tap->both_ways)
        reader->resets[DIRECTION_SENT][tap->family] += growth;
    return true;
}

static bool read_taps(struct reader *reader, char *error, size_t error_size)
{
    for (size_t n = 0; n < reader->tap_count; n++)
        if (reader->taps[n].interface != 0 &&
            !read_tap(reader, &reader->taps[n], error, error_size))
            return false;
    return true;
}

/* ---- Interfaces that come and go ---- */

/* What it has counted counts; then it is spare. */
static bool stop_tap(struct reader *reader, struct tap *tap, char *error, size_t error_size)
{
    if (!read_tap(reader, tap, error, error_size))
        return false;
    reset_filter_none(&reader->filter);
    if (!set_filter(tap->fd, BIOCSETF, &reader->filter))
        return fail(DEVICE, "BIOCSETF", error, error_size);
    *tap = (struct tap){.fd = tap->fd};
    return true;
}

/* `as`: what the tap is to be. Until its filter is set it matches nothing. */
static bool start_tap(struct reader *reader, const struct interface *interface, struct tap as,
                      char *error, size_t error_size)
{
    struct tap *tap = take_tap(reader, interface->name, error, error_size);
    unsigned way = as.direction == DIRECTION_SENT ? BPF_D_OUT : BPF_D_IN;

    if (!tap)
        return false;
    as.fd = tap->fd;
    as.interface = interface->index;
    if (as.both_ways)
        way = BPF_D_INOUT;
    if (!build_filter(reader, &as) || !attach(tap->fd, interface->name) ||
        ioctl(tap->fd, BIOCSDIRECTION, &way) != 0 ||
        !set_filter(tap->fd, BIOCSETF, &reader->filter)) /* which resets the counts */
        return fail(interface->name, "bpf", error, error_size);
    *tap = as;
    return true;
}

static bool start_taps(struct reader *reader, const struct interface *interface, char *error,
                       size_t error_size)
{
    struct tap tap = {.both_ways = interface->loopback};
    enum direction last = interface->loopback ? DIRECTION_RECEIVED : DIRECTION_SENT;

    if (!find_link(reader->probe, interface->name, &tap.link))
        return true;
    for (tap.direction = DIRECTION_RECEIVED; tap.direction <= last; tap.direction++)
        for (tap.family = FILTER_IPV4; tap.family <= FILTER_IPV6; tap.family++)
            if (!start_tap(reader, interface, tap, error, error_size))
                return false;
    return true;
}

/* All of its taps or none; none where it is gone already, which will be told. */
static bool start_interface(struct reader *reader, const struct interface *interface, char *error,
                            size_t error_size)
{
    char ignored[256];
    bool gone;

    if (start_taps(reader, interface, error, error_size))
        return true;
    gone = errno == ENXIO;
    for (size_t n = 0; n < reader->tap_count; n++)
        if (reader->taps[n].interface == interface->index)
            stop_tap(reader, &reader->taps[n], ignored, sizeof ignored);
    return gone;
}

static bool is_listed(const struct interfaces *interfaces, unsigned index)
{
    for (size_t n = 0; n < interfaces->count; n++)
        if (interfaces->list[n].index == index)
            return true;
    return false;
}

static bool has_taps(const struct reader *reader, unsigned index)
{
    for (size_t n = 0; n < reader->tap_count; n++)
        if (reader->taps[n].interface == index)
            return true;
    return false;
}

/* The kernel takes a descriptor off an interface that is gone; its counts stay. */
static bool is_attached(const struct tap *tap)
{
    unsigned type;

    return ioctl(tap->fd, BIOCGDLT, &type) == 0;
}

static bool stop_gone(struct reader *reader, char *error, size_t error_size)
{
    for (size_t n = 0; n < reader->tap_count; n++) {
        struct tap *tap = &reader->taps[n];

        if (tap->interface == 0 ||
            (is_attached(tap) && is_listed(&reader->interfaces, tap->interface)))
            continue;
        if (!stop_tap(reader, tap, error, error_size))
            return false;
    }
    return true;
}

/* The counts go on: this request does not reset them. */
static bool renew_filters(struct reader *reader, char *error, size_t error_size)
{
    for (size_t n = 0; n < reader->tap_count; n++) {
        struct tap *tap = &reader->taps[n];

        if (tap->interface == 0)
            continue;
        if (!build_filter(reader, tap) || !set_filter(tap->fd, BIOCSETFNR, &reader->filter))
            return fail(DEVICE, "BIOCSETFNR", error, error_size);
    }
    return true;
}

static bool follow_interfaces(struct reader *reader, char *error, size_t error_size)
{
    bool readdressed;

    if (!interfaces_read(&reader->next, error, error_size))
        return false;
    readdressed = memcmp(&reader->next.addresses, &reader->interfaces.addresses,
                         sizeof reader->next.addresses) != 0;
    reader->interfaces = reader->next;
    if (!stop_gone(reader, error, error_size) ||
        (readdressed && !renew_filters(reader, error, error_size)))
        return false;
    for (size_t n = 0; n < reader->interfaces.count; n++)
        if (!has_taps(reader, reader->interfaces.list[n].index) &&
            !start_interface(reader, &reader->interfaces.list[n], error, error_size))
            return false;
    return true;
}

/* ---- The reader ---- */

/* Whether so many resets over the loopback are counted, and each once. */
static bool check(struct reader *reader, char *error, size_t error_size)
{
    uint64_t received = 0, sent = 0;

    for (int n = 0; n < CHECK_TRIES; n++) {
        if (!read_taps(reader, error, error_size))
            return false;
        received = reader->resets[DIRECTION_RECEIVED][FILTER_IPV4];
        sent = reader->resets[DIRECTION_SENT][FILTER_IPV4];
        if (!self_check_resets(CHECK_RESETS, error, error_size) ||
            !read_taps(reader, error, error_size))
            return false;
        received = reader->resets[DIRECTION_RECEIVED][FILTER_IPV4] - received;
        sent = reader->resets[DIRECTION_SENT][FILTER_IPV4] - sent;
        if (received == CHECK_RESETS && sent == CHECK_RESETS)
            return true;
    }
    snprintf(error, error_size,
             "self-check on 127.0.0.1: of %d resets %llu were counted as received, %llu as sent",
             CHECK_RESETS, (unsigned long long)received, (unsigned long long)sent);
    return false;
}

static bool start(struct reader *reader, char *error, size_t error_size)
{
    reader->kernel.interval_ns = KERNEL_INTERVAL_NS;
    reader->watch = interfaces_watch(error, error_size);
    if (reader->watch < 0)
        return false;
    reader->probe = open_descriptor(&reader->filter, error, error_size);
    return reader->probe >= 0 && follow_interfaces(reader, error, error_size) &&
           open_taps(reader, reader->tap_count + TAPS_SPARE - spare_taps(reader), error,
                     error_size) &&
           check(reader, error, error_size);
}

static void bpf_close(struct reader *reader)
{
    for (size_t n = 0; n < reader->tap_count; n++)
        close(reader->taps[n].fd);
    if (reader->probe >= 0)
        close(reader->probe);
    if (reader->watch >= 0)
        close(reader->watch);
    free(reader);
}

static enum reader_open bpf_open(struct reader **opened, const char *argument, char *error,
                                 size_t error_size)
{
    struct reader *reader = calloc(1, sizeof *reader);

    (void)argument;
    if (!reader) {
        snprintf(error, error_size, "bpf: %s", strerror(errno));
        return READER_FAILED;
    }
    reader->watch = reader->probe = -1;
    if (!start(reader, error, error_size)) {
        bpf_close(reader);
        return READER_FAILED;
    }
    *opened = reader;
    return READER_OPEN;
}

static void set_exact(const struct reader *reader, struct sample *sample)
{
    const uint64_t *received = reader->resets[DIRECTION_RECEIVED];
    const uint64_t *sent = reader->resets[DIRECTION_SENT];

    sample_set_exact(sample, received[FILTER_IPV4], received[FILTER_IPV6], sent[FILTER_IPV4],
                     sent[FILTER_IPV6]);
    sample->sources |= UINT32_C(1) << SOURCE_FREEBSD_BPF;
}

static bool bpf_read(struct reader *reader, struct sample *sample, char *error, size_t error_size)
{
    if (interfaces_changed(reader->watch))
        reader->changed = true;
    if (reader->changed && !follow_interfaces(reader, error, error_size))
        return false;
    reader->changed = false;
    if (!read_taps(reader, error, error_size) ||
        !kernel_tcp_read(&reader->kernel, sample, error, error_size))
        return false;
    set_exact(reader, sample);
    /* Between two readings of the kernel's counters nothing can be told of what was counted. */
    if (kernel_tcp_is_fresh(&reader->kernel, sample))
        estimate_next(&reader->estimate, sample);
    estimate_set_causes(&reader->estimate, sample);
    return true;
}

const struct reader_type bpf_reader = {
    .name = "bpf",
    .meaning = "filters on bpf devices; exact, by family",
    .automatic = true,
    .open = bpf_open,
    .read = bpf_read,
    .close = bpf_close,
};
