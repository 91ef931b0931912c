#include "platform/FreeBSD/kernel_tcp.h"

#include <sys/types.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysctl.h>

#include "platform/FreeBSD/tcpstat.h"

static bool fail(const char *name, char *error, size_t error_size)
{
    snprintf(error, error_size, "%s: %s", name, strerror(errno));
    return false;
}

static bool read_tcpstat(struct tcpstat_values *values, char *error, size_t error_size)
{
    static const char name[] = "net.inet.tcp.stats";
    unsigned char bytes[TCPSTAT_MAX];
    size_t length = sizeof bytes;

    if (sysctlbyname(name, bytes, &length, NULL, 0) != 0)
        return fail(name, error, error_size);
    return tcpstat_decode(bytes, length, values, error, error_size);
}

static bool read_flag(const char *name, bool *flag)
{
    unsigned char bytes[8];
    size_t length = sizeof bytes;

    return sysctlbyname(name, bytes, &length, NULL, 0) == 0 &&
           syn_cookies_flag(bytes, length, flag);
}

static enum syn_cookie_state read_state(void)
{
    bool syncookies, only;

    if (!read_flag("net.inet.tcp.syncookies", &syncookies) ||
        !read_flag("net.inet.tcp.syncookies_only", &only))
        return SYN_COOKIES_UNKNOWN;
    return syn_cookies_state(syncookies, only);
}

static bool read_kernel(struct kernel_tcp *kernel, char *error, size_t error_size)
{
    struct tcpstat_values values;
    struct sample *read = &kernel->read;

    if (!read_tcpstat(&values, error, error_size))
        return false;
    *read = (struct sample){.syn_cookie_state = (uint8_t)read_state()};
    tcpstat_set(&values, read);
    syn_cookies_next(&kernel->cookies, values.value[TCPSTAT_sc_sendcookie],
                     values.value[TCPSTAT_sc_added]);
    sample_set(read, COUNTER_SYN_COOKIES_SENT, kernel->cookies.sent);
    /* With SYN cookies this one says how often the cache was given up for a while. */
    if (read->syn_cookie_state == SYN_COOKIES_DISABLED)
        sample_set(read, COUNTER_SYN_QUEUE_FULL_DROPS, values.value[TCPSTAT_sc_bucketoverflow]);
    return true;
}

bool kernel_tcp_read(struct kernel_tcp *kernel, struct sample *sample, char *error,
                     size_t error_size)
{
    if (kernel->read_ns == 0 || sample->time_ns - kernel->read_ns >= kernel->interval_ns) {
        kernel->read_ns = 0;
        if (!read_kernel(kernel, error, error_size))
            return false;
        kernel->read_ns = sample->time_ns;
    }
    for (enum counter id = 0; id < COUNTER_COUNT; id++)
        if (sample_has(&kernel->read, id))
            sample_set(sample, id, kernel->read.counter[id]);
    sample->syn_cookie_state = kernel->read.syn_cookie_state;
    sample->sources |= UINT32_C(1) << SOURCE_FREEBSD_SYSCTL;
    return true;
}

bool kernel_tcp_is_fresh(const struct kernel_tcp *kernel, const struct sample *sample)
{
    return kernel->read_ns == sample->time_ns;
}
