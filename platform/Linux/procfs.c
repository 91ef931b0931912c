/*
 * Source procfs: the kernel's own counters alone. Both directions are estimated:
 * received resets see estimate.h; OutRsts of sent ones misses resets of a
 * firewall and of raw sockets and has those that an OUTPUT rule drops.
 *
 * The argument is for tests: a directory in place of /proc, see components.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/Linux/components.h"
#include "platform/estimate.h"
#include "platform/reader.h"

struct reader {
    struct components *components;
    struct estimate estimate;
};

static void procfs_close(struct reader *reader)
{
    components_close(reader->components);
    free(reader);
}

static enum reader_open procfs_open(struct reader **opened, const char *argument, char *error,
                                    size_t error_size)
{
    struct reader *reader = calloc(1, sizeof *reader);

    if (!reader) {
        snprintf(error, error_size, "procfs: %s", strerror(errno));
        return READER_FAILED;
    }
    reader->components = components_open(argument, 0, error, error_size);
    if (!reader->components) {
        procfs_close(reader);
        return READER_FAILED;
    }
    *opened = reader;
    return READER_OPEN;
}

static bool procfs_read(struct reader *reader, struct sample *sample, char *error,
                        size_t error_size)
{
    if (!components_read(reader->components, sample, error, error_size))
        return false;
    if (estimate_next(&reader->estimate, sample)) {
        sample_set(sample, COUNTER_RECEIVED, reader->estimate.received);
        sample->received_method = METHOD_ESTIMATED;
    }
    estimate_set_causes(&reader->estimate, sample);
    if (sample_has(sample, COUNTER_SENT))
        sample->sent_method = METHOD_ESTIMATED;
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
