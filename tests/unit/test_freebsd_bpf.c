/*
 * Source bpf of FreeBSD against a kernel that is imitated here: descriptors that store two
 * packets and count the others as dropped, as sys/net/bpf.c of 13.2 and 15.1 does, and filters
 * run by libpcap. It shows what becomes of counts as interfaces and addresses come and go;
 * whether the real kernel does as this one, it cannot show.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

static int kernel_open(const char *path, int flags);
static int kernel_close(int fd);
static int kernel_ioctl(int fd, unsigned long request, void *argument);

#define open       kernel_open
#define close      kernel_close
#define ioctl      kernel_ioctl
#define bpf_reader freebsd_bpf_reader /* that of this system is linked as well */
#pragma push_macro("fail")            /* of cmocka */
#undef fail
#define fail fail_with_errno
#include "platform/FreeBSD/bpf.c"
#undef open
#undef close
#undef ioctl
#undef fail
#pragma pop_macro("fail")

#define DESCRIPTORS 300
#define WIRES       24
#define ETHERNET    DLT_EN10MB

/* ---- The kernel ---- */

struct wire {
    unsigned index; /* 0: not there */
    char name[IF_NAMESIZE];
    unsigned type;
};

struct descriptor {
    bool open, limited;
    struct wire *wire;
    unsigned direction, size, filter_length;
    struct bpf_insn filter[BPF_MAXINSNS];
    uint32_t dropped, stored;
};

static struct {
    bool may_open, changed, checks_fail;
    unsigned opened, listed; /* descriptors; times that interfaces were read */
    int attaches_left;       /* -1: any number */
    struct wire wires[WIRES];
    struct descriptor descriptors[DESCRIPTORS];
    struct addresses addresses;
    uint64_t conndrops; /* of the kernel's own counters */
} kernel;

static int refuse(int error)
{
    errno = error;
    return -1;
}

static int kernel_open(const char *path, int flags)
{
    assert_string_equal(path, "/dev/bpf");
    assert_int_equal(flags & O_ACCMODE, O_RDONLY);
    if (!kernel.may_open)
        return refuse(EACCES);
    for (int fd = 0; fd < DESCRIPTORS; fd++) {
        if (kernel.descriptors[fd].open)
            continue;
        kernel.descriptors[fd] = (struct descriptor){.open = true, .direction = BPF_D_INOUT};
        kernel.opened++;
        return fd;
    }
    return refuse(EMFILE);
}

static int kernel_close(int fd)
{
    if (fd >= DESCRIPTORS) /* that of interfaces_watch() */
        return 0;
    assert_true(kernel.descriptors[fd].open);
    kernel.descriptors[fd] = (struct descriptor){.open = false};
    kernel.opened--;
    return 0;
}

int cap_rights_limit(int fd, const cap_rights_t *rights)
{
    assert_true(kernel.descriptors[fd].open);
    assert_int_equal(*rights, CAP_IOCTL);
    return 0;
}

int cap_ioctls_limit(int fd, const unsigned long *requests, size_t count)
{
    for (size_t n = 0; n < count; n++)
        assert_int_not_equal(requests[n], BIOCSBLEN);
    kernel.descriptors[fd].limited = true;
    return 0;
}

static void reset_counts(struct descriptor *descriptor)
{
    descriptor->dropped = descriptor->stored = 0;
}

static int set_interface(struct descriptor *descriptor, const struct ifreq *request)
{
    for (size_t n = 0; n < WIRES; n++) {
        if (!kernel.wires[n].index || strcmp(kernel.wires[n].name, request->ifr_name) != 0)
            continue;
        if (kernel.attaches_left == 0)
            return refuse(ENOBUFS);
        if (kernel.attaches_left > 0)
            kernel.attaches_left--;
        descriptor->wire = &kernel.wires[n];
        reset_counts(descriptor);
        return 0;
    }
    return refuse(ENXIO);
}

static void set_program(struct descriptor *descriptor, const struct bpf_program *program)
{
    assert_true(bpf_validate(program->bf_insns, (int)program->bf_len));
    descriptor->filter_length = program->bf_len;
    memcpy(descriptor->filter, program->bf_insns, program->bf_len * sizeof *program->bf_insns);
}

static int kernel_ioctl(int fd, unsigned long request, void *argument)
{
    struct descriptor *descriptor = &kernel.descriptors[fd];

    assert_true(descriptor->open);
    switch (request) {
    case BIOCSBLEN:
        assert_false(descriptor->limited);
        descriptor->size = *(unsigned *)argument;
        return 0;
    case BIOCSETF:
        set_program(descriptor, argument);
        reset_counts(descriptor);
        return 0;
    case BIOCSETFNR:
        set_program(descriptor, argument);
        return 0;
    case BIOCSETIF:
        return set_interface(descriptor, argument);
    case BIOCGDLT:
        if (!descriptor->wire)
            return refuse(EINVAL);
        *(unsigned *)argument = descriptor->wire->type;
        return 0;
    case BIOCSDIRECTION:
        descriptor->direction = *(unsigned *)argument;
        return 0;
    case BIOCGSTATS:
        ((struct bpf_stat *)argument)->bs_drop = descriptor->dropped;
        return 0;
    case FIONREAD:
        *(int *)argument = (int)(descriptor->stored * 27);
        return 0;
    default:
        return refuse(EINVAL);
    }
}

static struct wire *wire_of(const char *name)
{
    for (size_t n = 0; n < WIRES; n++)
        if (kernel.wires[n].index && strcmp(kernel.wires[n].name, name) == 0)
            return &kernel.wires[n];
    fail_msg("%s is not there", name);
    return NULL;
}

static void plug_in(unsigned index, const char *name, unsigned type)
{
    size_t n = 0;

    while (kernel.wires[n].index)
        n++;
    kernel.wires[n] = (struct wire){.index = index, .type = type};
    strcpy(kernel.wires[n].name, name);
    kernel.changed = true;
}

static void unplug(const char *name)
{
    struct wire *wire = wire_of(name);

    for (size_t fd = 0; fd < DESCRIPTORS; fd++)
        if (kernel.descriptors[fd].wire == wire)
            kernel.descriptors[fd].wire = NULL;
    *wire = (struct wire){0};
    kernel.changed = true;
}

static void add_address(uint8_t last)
{
    memcpy(kernel.addresses.ipv4[kernel.addresses.ipv4_count++], (uint8_t[]){192, 0, 2, last}, 4);
    kernel.changed = true;
}

/* ---- Packets: IPv4, RST, from and to 192.0.2.x ---- */

static void pass(const char *name, unsigned direction, uint8_t from, uint8_t to, unsigned count)
{
    struct wire *wire = wire_of(name);
    uint8_t packet[54] = {[12] = 8, [14] = 0x45, [23] = 6, [26] = 192, 0,           2,   from,
                          192,      0,           2,        to,         [46] = 0x50, 0x04};
    const uint8_t *begin = wire->type == ETHERNET ? packet : packet + 14 - 4;
    unsigned length = (unsigned)(packet + sizeof packet - begin);

    for (size_t fd = 0; fd < DESCRIPTORS; fd++) {
        struct descriptor *descriptor = &kernel.descriptors[fd];

        if (descriptor->wire != wire ||
            (descriptor->direction != BPF_D_INOUT && descriptor->direction != direction) ||
            bpf_filter(descriptor->filter, begin, length, length) == 0)
            continue;
        assert_int_equal(descriptor->size, 32);
        for (unsigned n = 0; n < count; n++)
            *(descriptor->stored < 2 ? &descriptor->stored : &descriptor->dropped) += 1;
    }
}

static void receive(const char *name, uint8_t to, unsigned count)
{
    pass(name, BPF_D_IN, 99, to, count);
}

static void send_out(const char *name, uint8_t from, unsigned count)
{
    pass(name, BPF_D_OUT, from, 99, count);
}

/* ---- What bpf.c calls of its platform ---- */

bool interfaces_read(struct interfaces *interfaces, char *error, size_t error_size)
{
    kernel.listed++;
    memset(interfaces, 0, sizeof *interfaces);
    interfaces->addresses = kernel.addresses;
    if (kernel.addresses.ipv4_count > FILTER_IPV4_MOST) {
        snprintf(error, error_size, "more than %d IPv4 addresses", FILTER_IPV4_MOST);
        return false;
    }
    for (size_t n = 0; n < WIRES; n++) {
        if (!kernel.wires[n].index)
            continue;
        struct interface *interface = &interfaces->list[interfaces->count++];
        interface->index = kernel.wires[n].index;
        interface->loopback = strncmp(kernel.wires[n].name, "lo", 2) == 0;
        strcpy(interface->name, kernel.wires[n].name);
    }
    return true;
}

int interfaces_watch(char *error, size_t error_size)
{
    (void)error;
    (void)error_size;
    return DESCRIPTORS;
}

bool interfaces_changed(int watch)
{
    bool changed = kernel.changed;

    assert_int_equal(watch, DESCRIPTORS);
    kernel.changed = false;
    return changed;
}

bool self_check_resets(int count, char *error, size_t error_size)
{
    (void)error;
    (void)error_size;
    if (!kernel.checks_fail)
        pass("lo0", BPF_D_IN, 1, 1, (unsigned)count);
    return true;
}

bool kernel_tcp_read(struct kernel_tcp *tcp, struct sample *sample, char *error, size_t error_size)
{
    (void)error;
    (void)error_size;
    sample_set(sample, COUNTER_ATTEMPT_FAILS, kernel.conndrops);
    sample_set(sample, COUNTER_ESTAB_RESETS, 0);
    tcp->read_ns = sample->time_ns;
    return true;
}

bool kernel_tcp_is_fresh(const struct kernel_tcp *tcp, const struct sample *sample)
{
    return tcp->read_ns == sample->time_ns;
}

/* ---- Tests ---- */

static struct reader *reader;
static struct sample first; /* the check at the start is in the counts, as others' resets may be */
static char said[300];

static int boot(void **state)
{
    (void)state;
    memset(&kernel, 0, sizeof kernel);
    kernel.may_open = true;
    kernel.attaches_left = -1;
    plug_in(1, "em0", ETHERNET);
    plug_in(2, "lo0", DLT_NULL);
    plug_in(3, "pflog0", DLT_PFLOG);
    add_address(1);
    return 0;
}

static struct sample read_sample(void)
{
    struct sample sample = {.time_ns = 1};

    if (!bpf_read(reader, &sample, said, sizeof said))
        fail_msg("%s", said);
    return sample;
}

static void start_reader(void)
{
    if (bpf_open(&reader, "", said, sizeof said) != READER_OPEN)
        fail_msg("%s", said);
    first = read_sample();
}

static int shut_down(void **state)
{
    (void)state;
    if (reader)
        bpf_close(reader);
    reader = NULL;
    assert_int_equal(kernel.opened, 0); /* nothing is left open */
    return 0;
}

static void assert_counts(uint64_t received, uint64_t sent)
{
    struct sample sample = read_sample();

    assert_int_equal(sample.counter[COUNTER_RECEIVED] - first.counter[COUNTER_RECEIVED], received);
    assert_int_equal(sample.counter[COUNTER_SENT] - first.counter[COUNTER_SENT], sent);
    assert_int_equal(sample.received_method, METHOD_EXACT);
    assert_int_equal(sample.sent_method, METHOD_EXACT);
}

static void each_direction_is_counted(void **state)
{
    (void)state;
    start_reader();
    assert_counts(0, 0);
    receive("em0", 1, 1);
    assert_counts(1, 0);
    receive("em0", 1, 99);
    send_out("em0", 1, 7);
    assert_counts(100, 7);
    assert_counts(100, 7);
    receive("em0", 50, 10); /* to be forwarded */
    send_out("em0", 50, 10);
    assert_counts(100, 7);
    assert_int_equal(kernel.listed, 2); /* at the start, and as boot() had changed them */
}

static void over_the_loopback_one_is_received_and_sent(void **state)
{
    (void)state;
    start_reader();
    pass("lo0", BPF_D_IN, 1, 1, 100);
    assert_counts(100, 100);
}

static void an_interface_that_comes_is_counted_without_rights(void **state)
{
    (void)state;
    start_reader();
    kernel.may_open = false;
    plug_in(4, "vlan5", ETHERNET);
    assert_counts(0, 0);
    receive("vlan5", 1, 30);
    send_out("vlan5", 1, 20);
    assert_counts(30, 20);
}

static void what_an_interface_counted_outlives_it(void **state)
{
    (void)state;
    start_reader();
    receive("em0", 1, 30);
    unplug("em0");
    assert_counts(30, 0);
    plug_in(1, "em0", ETHERNET); /* the index again */
    assert_counts(30, 0);
    receive("em0", 1, 5);
    assert_counts(35, 0);
    /* Gone and there again between two readings. */
    receive("em0", 1, 5);
    unplug("em0");
    plug_in(1, "em0", ETHERNET);
    assert_counts(40, 0);
    receive("em0", 1, 5);
    assert_counts(45, 0);
}

static void interfaces_that_come_and_go_use_the_same_descriptors(void **state)
{
    (void)state;
    start_reader();
    kernel.may_open = false;
    for (unsigned n = 1; n <= 200; n++) {
        plug_in(3 + n, "tap0", ETHERNET);
        assert_counts(n - 1, 0);
        receive("tap0", 1, 1);
        unplug("tap0");
        assert_counts(n, 0);
    }
}

static void an_address_that_comes_resets_no_count(void **state)
{
    (void)state;
    start_reader();
    receive("em0", 1, 10);
    receive("em0", 2, 10); /* not ours yet */
    add_address(2);
    assert_counts(10, 0);
    receive("em0", 2, 10);
    assert_counts(20, 0);
    kernel.addresses.ipv4_count = 1;
    kernel.changed = true;
    assert_counts(20, 0);
    receive("em0", 2, 10);
    assert_counts(20, 0);
}

/* A reading that fails must not be followed by one that misses what could not be followed. */
static void too_many_addresses_fail_until_they_are_fewer(void **state)
{
    struct sample sample = {.time_ns = 1};

    (void)state;
    start_reader();
    kernel.addresses.ipv4_count = FILTER_IPV4_MOST + 1;
    kernel.changed = true;
    for (int n = 0; n < 3; n++)
        assert_false(bpf_read(reader, &sample, said, sizeof said));
    assert_string_equal(said, "more than 238 IPv4 addresses");
    kernel.addresses.ipv4_count = 1;
    receive("em0", 1, 3);
    assert_counts(3, 0);
}

static void without_a_descriptor_for_an_interface_reading_fails(void **state)
{
    struct sample sample = {.time_ns = 1};
    char name[IF_NAMESIZE];

    (void)state;
    start_reader();
    kernel.may_open = false;
    for (unsigned n = 0; n < TAPS_SPARE / 4; n++) {
        snprintf(name, sizeof name, "tap%u", n);
        plug_in(10 + n, name, ETHERNET);
    }
    assert_counts(0, 0);
    plug_in(4, "vlan5", ETHERNET);
    for (int n = 0; n < 2; n++)
        assert_false(bpf_read(reader, &sample, said, sizeof said));
    assert_string_equal(said, "vlan5: no descriptor is left for it: a restart opens more");
    unplug("tap7");
    receive("em0", 1, 1);
    assert_counts(1, 0);
    receive("vlan5", 1, 4);
    send_out("vlan5", 1, 4);
    assert_counts(5, 4);
}

/* All of an interface is counted or the reading fails. */
static void an_interface_is_not_started_by_halves(void **state)
{
    struct sample sample = {.time_ns = 1};

    (void)state;
    start_reader();
    kernel.may_open = false;
    plug_in(4, "vlan5", ETHERNET);
    kernel.attaches_left = 3; /* of a probe and four */
    assert_false(bpf_read(reader, &sample, said, sizeof said));
    assert_string_equal(said, "vlan5: bpf: No buffer space available");
    kernel.attaches_left = -1;
    assert_counts(0, 0);
    receive("vlan5", 1, 4);
    send_out("vlan5", 1, 4);
    assert_counts(4, 4);
}

static void a_wrap_of_the_kernel_is_growth(void **state)
{
    (void)state;
    start_reader();
    receive("em0", 1, 2);
    for (size_t fd = 0; fd < DESCRIPTORS; fd++)
        if (kernel.descriptors[fd].stored == 2 && kernel.descriptors[fd].direction == BPF_D_IN)
            kernel.descriptors[fd].dropped = UINT32_MAX - 4;
    assert_counts(UINT32_MAX - 4 + UINT64_C(2), 0);
    receive("em0", 1, 10);
    assert_counts(UINT32_MAX - 4 + UINT64_C(12), 0);
}

static void causes_are_derived_and_the_rest_unexplained(void **state)
{
    struct sample sample;

    (void)state;
    start_reader();
    receive("em0", 1, 100);
    send_out("em0", 1, 10);
    kernel.conndrops += 60;
    sample = read_sample();
    assert_int_equal(sample.cause_method, CAUSES_DERIVED);
    assert_int_equal(sample.counter[COUNTER_RECEIVED_NO_LISTENER], 60);
    assert_int_equal(sample.counter[COUNTER_RECEIVED_UNEXPLAINED], 40);
    assert_int_equal(sample.counter[COUNTER_SENT_UNEXPLAINED], 10);
}

static void without_rights_it_says_why(void **state)
{
    (void)state;
    kernel.may_open = false;
    assert_int_equal(bpf_open(&reader, "", said, sizeof said), READER_FAILED);
    assert_string_equal(said, "/dev/bpf: Permission denied");
}

static void a_kernel_that_does_not_count_so_is_found_out(void **state)
{
    (void)state;
    kernel.checks_fail = true;
    assert_int_equal(bpf_open(&reader, "", said, sizeof said), READER_FAILED);
    assert_string_equal(said, "self-check on 127.0.0.1: of 5 resets 0 were counted as received, "
                              "0 as sent");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, boot, shut_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_direction_is_counted),
        TEST(over_the_loopback_one_is_received_and_sent),
        TEST(an_interface_that_comes_is_counted_without_rights),
        TEST(what_an_interface_counted_outlives_it),
        TEST(interfaces_that_come_and_go_use_the_same_descriptors),
        TEST(an_address_that_comes_resets_no_count),
        TEST(too_many_addresses_fail_until_they_are_fewer),
        TEST(without_a_descriptor_for_an_interface_reading_fails),
        TEST(an_interface_is_not_started_by_halves),
        TEST(a_wrap_of_the_kernel_is_growth),
        TEST(causes_are_derived_and_the_rest_unexplained),
        TEST(without_rights_it_says_why),
        TEST(a_kernel_that_does_not_count_so_is_found_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
