#include "subagent/sampler.h"

#include <string.h>

#include "subagent/clock.h"
#include "subagent/log.h"

#define STALE_NS (10 * NS_PER_S)
#define LEAVE_NS NS_PER_S

const struct reader_type *sampler_source(size_t n)
{
    size_t count = 0;

    while (platform_readers[count])
        count++;
    if (n < count)
        return platform_readers[n];
    return n == count ? &replay_reader : NULL;
}

void sampler_print_sources(FILE *to)
{
    const struct reader_type *type;

    for (size_t n = 0; (type = sampler_source(n)) != NULL; n++)
        fprintf(to, "  %s%s%-*s %s\n", type->name, type->argument ? ":" : "",
                type->argument ? 17 - (int)strlen(type->name) : 18 - (int)strlen(type->name),
                type->argument ? type->argument : "", type->meaning);
}

static enum reader_open open_reader(const struct reader_type *type, struct reader **reader,
                                    const char *argument, char *error, size_t error_size)
{
    if (!type->missing)
        return type->open(reader, argument, error, error_size);
    snprintf(error, error_size, "%s", type->missing);
    return READER_FAILED;
}

static void pass_over(struct sampler *sampler, const struct reader_type *type, const char *error)
{
    size_t used = strlen(sampler->passed_over);

    snprintf(sampler->passed_over + used, sizeof sampler->passed_over - used, "%snot %s: %s",
             used ? "; " : "", type->name, error);
}

/* Opens the best source that works, from the one of that rank on; passed_over tells what it
   passed over. On failure the source stays as it was, and error is that of the last one. */
static enum reader_open open_best(struct sampler *sampler, size_t rank, char *error,
                                  size_t error_size)
{
    const struct reader_type *type;
    struct reader *reader;

    sampler->passed_over[0] = '\0';
    for (; (type = sampler_source(rank)) != NULL; rank++) {
        if (!type->automatic)
            continue;

        enum reader_open result = open_reader(type, &reader, "", error, error_size);

        if (result == READER_OPEN) {
            sampler->type = type;
            sampler->reader = reader;
            sampler->rank = rank;
            return READER_OPEN;
        }
        pass_over(sampler, type, error);
        if (result == READER_TAKEN)
            return READER_TAKEN;
    }
    return READER_FAILED;
}

static enum sampler_result open_automatic(struct sampler *sampler, char *error, size_t error_size)
{
    sampler->automatic = true;
    switch (open_best(sampler, 0, error, error_size)) {
    case READER_OPEN:
        return SAMPLER_OPEN;
    case READER_FAILED:
        snprintf(error, error_size, "no source: %s", sampler->passed_over);
        break;
    case READER_TAKEN: /* error tells */
        break;
    }
    return SAMPLER_FAILED;
}

static enum sampler_result open_named(struct sampler *sampler, const char *source, char *error,
                                      size_t error_size)
{
    size_t length = strcspn(source, ":");
    const char *argument = source[length] == ':' ? source + length + 1 : "";

    for (size_t n = 0; (sampler->type = sampler_source(n)) != NULL; n++) {
        if (strlen(sampler->type->name) != length ||
            strncmp(sampler->type->name, source, length) != 0)
            continue;
        if (sampler->type->argument && argument[0] == '\0') {
            snprintf(error, error_size, "source \"%s\": expected %s:%s", source,
                     sampler->type->name, sampler->type->argument);
            return SAMPLER_NO_SUCH_SOURCE;
        }
        return open_reader(sampler->type, &sampler->reader, argument, error, error_size) ==
                       READER_OPEN
                   ? SAMPLER_OPEN
                   : SAMPLER_FAILED;
    }
    snprintf(error, error_size, "source \"%s\": expected one of those that --help lists", source);
    return SAMPLER_NO_SUCH_SOURCE;
}

enum sampler_result sampler_open(struct sampler *sampler, const char *source, char *error,
                                 size_t error_size)
{
    *sampler = (struct sampler){0};
    if (strcmp(source, "auto") == 0)
        return open_automatic(sampler, error, error_size);
    return open_named(sampler, source, error, error_size);
}

void sampler_close(struct sampler *sampler)
{
    sampler->type->close(sampler->reader);
    sampler->reader = NULL;
}

static void publish(struct sampler *sampler, struct ring *ring, struct sample *sample)
{
    sample->sequence = ++sampler->sequence;
    sample->good_ns = sampler->good_ns;
    sample->read_failures = sampler->read_failures;
    ring_write(ring, sample);
}

/* What is known when nothing can be read any more: only that. */
static void publish_unknown(struct sampler *sampler, struct ring *ring, int64_t now_ns)
{
    struct sample unknown = {
        .time_ns = now_ns,
        .discontinuities = sampler->continuity.published.discontinuities,
        .discontinuity_ns = sampler->continuity.published.discontinuity_ns,
    };

    publish(sampler, ring, &unknown);
}

/* Goes over to the next best source, if there is one: this is tried once. */
static void leave(struct sampler *sampler)
{
    const struct reader_type *left = sampler->type;
    struct reader *reader = sampler->reader;
    char error[512];
    bool open = open_best(sampler, sampler->rank + 1, error, sizeof error) == READER_OPEN;

    log_write(LOG_WARNING, "source %s is given up until a restart; now source %s%s%s", left->name,
              open ? sampler->type->name : "none", sampler->passed_over[0] ? ": " : "",
              sampler->passed_over);
    sampler->leave_ns = INT64_MAX;
    if (!open)
        return;
    left->close(reader);
    sampler->failing = false;
}

static void read_failed(struct sampler *sampler, struct ring *ring, int64_t now_ns,
                        const char *error)
{
    sampler->read_failures++;
    if (!sampler->failing) {
        log_write(LOG_WARNING, "source %s: %s", sampler->type->name, error);
        sampler->leave_ns = now_ns + LEAVE_NS;
    }
    sampler->failing = true;
    if (now_ns - sampler->good_ns >= STALE_NS)
        publish_unknown(sampler, ring, now_ns);
    if (sampler->automatic && now_ns >= sampler->leave_ns)
        leave(sampler);
}

static void publish_peers(struct sampler *sampler, struct ring *ring, int64_t now_ns)
{
    struct peer_slice slice = {0};

    if (!sampler->type->read_peers)
        return;
    while (sampler->type->read_peers(sampler->reader, now_ns, &slice)) {
        ring_write_slice(ring, &slice);
        memset(&slice, 0, sizeof slice);
    }
}

static void publish_evidence(struct sampler *sampler, struct ring *ring)
{
    struct evidence evidence;

    if (!sampler->keep_evidence || !sampler->type->read_evidence)
        return;
    while (sampler->type->read_evidence(sampler->reader, &evidence))
        ring_write_evidence(ring, &evidence);
}

void sampler_tick(struct sampler *sampler, struct ring *ring)
{
    struct sample read = {.time_ns = clock_ns(CLOCK_MONOTONIC)}, next;
    char error[512];

    if (!sampler->type->read(sampler->reader, &read, error, sizeof error)) {
        read_failed(sampler, ring, read.time_ns, error);
        return;
    }
    if (sampler->failing)
        log_write(LOG_NOTICE, "source %s: reads again", sampler->type->name);
    sampler->failing = false;
    sampler->good_ns = read.time_ns;
    continuity_next(&sampler->continuity, &read, &next);
    /* Before the sample: who takes it finds the slice there, too. */
    publish_peers(sampler, ring, read.time_ns);
    publish(sampler, ring, &next);
    publish_evidence(sampler, ring);
}
