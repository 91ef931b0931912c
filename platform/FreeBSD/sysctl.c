/*
 * Source sysctl: the kernel's own counters alone. Resets received are estimated (tcpstat.h);
 * how many were sent no counter tells.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/FreeBSD/kernel_tcp.h"
#include "platform/estimate.h"
#include "platform/reader.h"

struct reader {
    struct kernel_tcp kernel;
    struct estimate estimate;
};

static void sysctl_close(struct reader *reader)
{
    free(reader);
}

/* A first reading shows whether there are counters, in a form that is known. */
static enum reader_open sysctl_open(struct reader **opened, const char *argument, char *error,
                                    size_t error_size)
{
    struct reader *reader = calloc(1, sizeof *reader);
    struct sample sample = {0};

    (void)argument;
    if (!reader) {
        snprintf(error, error_size, "sysctl: %s", strerror(errno));
        return READER_FAILED;
    }
    if (!kernel_tcp_read(&reader->kernel, &sample, error, error_size)) {
        sysctl_close(reader);
        return READER_FAILED;
    }
    *opened = reader;
    return READER_OPEN;
}

static bool sysctl_read(struct reader *reader, struct sample *sample, char *error,
                        size_t error_size)
{
    if (!kernel_tcp_read(&reader->kernel, sample, error, error_size))
        return false;
    estimate_next(&reader->estimate, sample);
    sample_set(sample, COUNTER_RECEIVED, reader->estimate.received);
    sample->received_method = METHOD_ESTIMATED;
    estimate_set_causes(&reader->estimate, sample);
    return true;
}

const struct reader_type sysctl_reader = {
    .name = "sysctl",
    .meaning = "kernel counters; resets received are estimated",
    .automatic = true,
    .open = sysctl_open,
    .read = sysctl_read,
    .close = sysctl_close,
};
