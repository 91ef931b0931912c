/*
 * Counters from /proc/net/snmp and /proc/net/netstat (Linux net/ipv4/proc.c),
 * SYN-cookie state from the sysctl net.ipv4.tcp_syncookies. Needs no rights.
 * Counts for the network namespace that the process was in at open.
 *
 * Both directions are estimated: received resets see estimate.h; OutRsts of
 * sent ones misses resets of a firewall and of raw sockets and has those that
 * an OUTPUT rule drops.
 *
 * The argument is for tests: a directory with files `snmp`, `netstat` and
 * `tcp_syncookies` that are read in place of the kernel's, again at each read.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/Linux/estimate.h"
#include "platform/Linux/proc_text.h"
#include "platform/reader.h"

#define TEXT_SIZE 32768 /* about 5 KB are in use with Linux 6.18 */

struct file {
    int fd; /* -1: not open */
    char path[4096];
};

struct reader {
    struct file snmp, netstat, syn_cookies;
    struct proc_field fields[COUNTER_COUNT];
    enum counter ids[COUNTER_COUNT]; /* ids[n] is the counter of fields[n] */
    size_t field_count;
    struct estimate estimate;
    char text[TEXT_SIZE];
};

static const char *const linux_sources[COUNTER_COUNT] = {
#define COUNTER(id, group, arc, name, linux_source, unit, meaning) [COUNTER_##id] = linux_source,
#include "mib/counters.def"
#undef COUNTER
};

static bool fail(char *error, size_t error_size, const struct file *file, const char *what)
{
    snprintf(error, error_size, "%s: %s", file->path, what);
    return false;
}

static bool open_file(struct file *file, const char *directory, const char *name, char *error,
                      size_t error_size)
{
    file->fd = -1;
    if ((size_t)snprintf(file->path, sizeof file->path, "%s/%s", directory, name) >=
        sizeof file->path)
        return fail(error, error_size, file, strerror(ENAMETOOLONG));
    file->fd = open(file->path, O_RDONLY | O_CLOEXEC);
    if (file->fd < 0)
        return fail(error, error_size, file, strerror(errno));
    return true;
}

static void close_file(const struct file *file)
{
    if (file->fd >= 0)
        close(file->fd);
}

static void procfs_close(struct reader *reader)
{
    close_file(&reader->snmp);
    close_file(&reader->netstat);
    close_file(&reader->syn_cookies);
    free(reader);
}

static bool open_files(struct reader *reader, const char *argument, char *error, size_t error_size)
{
    /* self/net, not net: the same, but it says what it depends on. */
    const char *net = *argument ? argument : "/proc/self/net";
    const char *ipv4 = *argument ? argument : "/proc/sys/net/ipv4";
    char ignored[sizeof reader->syn_cookies.path];

    reader->snmp.fd = reader->netstat.fd = -1;
    /* A kernel without SYN cookies has no tcp_syncookies: unknown, no error. */
    open_file(&reader->syn_cookies, ipv4, "tcp_syncookies", ignored, sizeof ignored);
    return open_file(&reader->snmp, net, "snmp", error, error_size) &&
           open_file(&reader->netstat, net, "netstat", error, error_size);
}

static void set_up_fields(struct reader *reader)
{
    for (enum counter id = 0; id < COUNTER_COUNT; id++) {
        if (proc_field_init(&reader->fields[reader->field_count], linux_sources[id]))
            reader->ids[reader->field_count++] = id;
    }
}

static struct reader *procfs_open(const char *argument, char *error, size_t error_size)
{
    struct reader *reader = calloc(1, sizeof *reader);

    if (!reader) {
        snprintf(error, error_size, "procfs: %s", strerror(errno));
        return NULL;
    }
    if (!open_files(reader, argument, error, error_size)) {
        procfs_close(reader);
        return NULL;
    }
    set_up_fields(reader);
    return reader;
}

/*
 * Reads the whole of a file into `text`. A /proc file makes its text when it is
 * read at 0 and hands out the rest of that same text up to the end of file.
 */
static ssize_t read_text(const struct file *file, char *text, size_t size)
{
    size_t length = 0;

    while (length < size) {
        ssize_t got = pread(file->fd, text + length, size - length, (off_t)length);

        if (got == 0)
            return (ssize_t)length;
        if (got > 0)
            length += (size_t)got;
        else if (errno != EINTR)
            return -1;
    }
    errno = EFBIG;
    return -1;
}

static bool read_fields(struct reader *reader, const struct file *file, char *error,
                        size_t error_size)
{
    char what[160];
    ssize_t length = read_text(file, reader->text, sizeof reader->text);

    if (length < 0)
        return fail(error, error_size, file, strerror(errno));
    if (!proc_text_parse(reader->text, (size_t)length, reader->fields, reader->field_count, what,
                         sizeof what))
        return fail(error, error_size, file, what);
    return true;
}

/* Values: Linux Documentation/networking/ip-sysctl.rst, tcp_syncookies. */
static enum syn_cookie_state read_syn_cookie_state(const struct reader *reader)
{
    char text[16];
    ssize_t length = read_text(&reader->syn_cookies, text, sizeof text);

    if (length < 1 || (length > 1 && text[1] != '\n'))
        return SYN_COOKIES_UNKNOWN;
    switch (text[0]) {
    case '0':
        return SYN_COOKIES_DISABLED;
    case '1':
        return SYN_COOKIES_ON_OVERFLOW;
    case '2':
        return SYN_COOKIES_ALWAYS;
    default:
        return SYN_COOKIES_UNKNOWN;
    }
}

static bool procfs_read(struct reader *reader, struct sample *sample, char *error,
                        size_t error_size)
{
    for (size_t n = 0; n < reader->field_count; n++)
        reader->fields[n].found = false;

    /*
     * First snmp, then netstat: an own abort that happens between the two, or
     * while they are read, must not be seen without what it is subtracted as.
     */
    if (!read_fields(reader, &reader->snmp, error, error_size) ||
        !read_fields(reader, &reader->netstat, error, error_size))
        return false;

    for (size_t n = 0; n < reader->field_count; n++) {
        if (reader->fields[n].found)
            sample_set(sample, reader->ids[n], reader->fields[n].value);
    }
    if (estimate_next(&reader->estimate, sample)) {
        sample_set(sample, COUNTER_RECEIVED, reader->estimate.received);
        sample->received_method = METHOD_ESTIMATED;
    }
    if (sample_has(sample, COUNTER_SENT))
        sample->sent_method = METHOD_ESTIMATED;
    sample->syn_cookie_state = read_syn_cookie_state(reader);
    sample->sources |= UINT32_C(1) << SOURCE_PROCFS;
    return true;
}

const struct reader_type procfs_reader = {
    .name = "procfs",
    .meaning = "kernel counters of /proc/net; resets received are estimated",
    .automatic = true,
    .open = procfs_open,
    .read = procfs_read,
    .close = procfs_close,
};
