#include "platform/Linux/components.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/Linux/proc_text.h"
#include "platform/reader.h"

#define TEXT_SIZE 32768 /* about 5 KB are in use with Linux 6.18 */

struct file {
    int fd; /* -1: not open */
    char path[4096];
    /* Every counter that has a field of the kernel; those that stand in this file are found. */
    struct proc_field fields[COUNTER_BY_CAUSE];
    enum counter ids[COUNTER_BY_CAUSE]; /* ids[n] is the counter of fields[n] */
    size_t field_count;
};

struct components {
    struct file snmp, netstat, syn_cookies;
    enum syn_cookie_state syn_cookie_state;
    int64_t interval_ns;
    int64_t read_ns; /* time of the newest reading; 0 = none */
    char text[TEXT_SIZE];
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

static bool open_files(struct components *components, const char *directory, char *error,
                       size_t error_size)
{
    /* self/net, not net: the same, but it says what it depends on. */
    const char *net = *directory ? directory : "/proc/self/net";
    const char *ipv4 = *directory ? directory : "/proc/sys/net/ipv4";
    char ignored[sizeof components->syn_cookies.path];

    components->snmp.fd = components->netstat.fd = -1;
    /* A kernel without SYN cookies has no tcp_syncookies: unknown, no error. */
    open_file(&components->syn_cookies, ipv4, "tcp_syncookies", ignored, sizeof ignored);
    return open_file(&components->snmp, net, "snmp", error, error_size) &&
           open_file(&components->netstat, net, "netstat", error, error_size);
}

static void set_up_fields(struct file *file)
{
    for (enum counter id = 0; id < COUNTER_BY_CAUSE; id++) {
        if (proc_field_init(&file->fields[file->field_count], platform_counter_sources[id]))
            file->ids[file->field_count++] = id;
    }
}

struct components *components_open(const char *directory, int64_t interval_ns, char *error,
                                   size_t error_size)
{
    struct components *components = calloc(1, sizeof *components);

    if (!components) {
        snprintf(error, error_size, "/proc: %s", strerror(errno));
        return NULL;
    }
    if (!open_files(components, directory, error, error_size)) {
        components_close(components);
        return NULL;
    }
    set_up_fields(&components->snmp);
    set_up_fields(&components->netstat);
    components->interval_ns = interval_ns;
    return components;
}

void components_close(struct components *components)
{
    if (!components)
        return;
    close_file(&components->snmp);
    close_file(&components->netstat);
    close_file(&components->syn_cookies);
    free(components);
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

static bool read_fields(struct components *components, struct file *file, char *error,
                        size_t error_size)
{
    char what[160];
    ssize_t length = read_text(file, components->text, sizeof components->text);

    if (length < 0)
        return fail(error, error_size, file, strerror(errno));
    for (size_t n = 0; n < file->field_count; n++)
        file->fields[n].found = false;
    if (!proc_text_parse(components->text, (size_t)length, file->fields, file->field_count, what,
                         sizeof what))
        return fail(error, error_size, file, what);
    return true;
}

static void take_fields(const struct file *file, struct sample *sample)
{
    for (size_t n = 0; n < file->field_count; n++) {
        if (file->fields[n].found)
            sample_set(sample, file->ids[n], file->fields[n].value);
    }
}

/* Values: Linux Documentation/networking/ip-sysctl.rst, tcp_syncookies. */
static enum syn_cookie_state read_syn_cookie_state(const struct file *file)
{
    char text[16];
    ssize_t length = read_text(file, text, sizeof text);

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

static bool read_files(struct components *components, char *error, size_t error_size)
{
    /*
     * First snmp, then netstat: an own abort that happens between the two, or
     * while they are read, must not be seen without what it is subtracted as.
     */
    if (!read_fields(components, &components->snmp, error, error_size) ||
        !read_fields(components, &components->netstat, error, error_size))
        return false;
    components->syn_cookie_state = read_syn_cookie_state(&components->syn_cookies);
    return true;
}

static bool read_when_due(struct components *components, int64_t now_ns, char *error,
                          size_t error_size)
{
    if (components->read_ns != 0 && now_ns - components->read_ns < components->interval_ns)
        return true;
    components->read_ns = 0; /* after a failure the fields are no whole */
    if (!read_files(components, error, error_size))
        return false;
    components->read_ns = now_ns;
    return true;
}

bool components_read(struct components *components, struct sample *sample, char *error,
                     size_t error_size)
{
    if (!read_when_due(components, sample->time_ns, error, error_size))
        return false;
    take_fields(&components->snmp, sample);
    take_fields(&components->netstat, sample);
    sample->syn_cookie_state = components->syn_cookie_state;
    sample->sources |= UINT32_C(1) << SOURCE_PROCFS;
    return true;
}

bool components_are_fresh(const struct components *components, const struct sample *sample)
{
    return components->read_ns == sample->time_ns;
}
