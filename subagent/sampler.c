#include "subagent/sampler.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "subagent/log.h"

#define NS_PER_S INT64_C(1000000000)
#define STALE_NS (10 * NS_PER_S)

const struct reader_type *sampler_source(size_t n)
{
    size_t count = 0;

    while (platform_readers[count])
        count++;
    if (n < count)
        return platform_readers[n];
    return n == count ? &replay_reader : NULL;
}

static enum sampler_result open_automatic(struct sampler *sampler, char *error, size_t error_size)
{
    const struct reader_type *type;

    snprintf(error, error_size, "this platform has no source");
    for (size_t n = 0; (type = sampler_source(n)) != NULL; n++) {
        if (!type->automatic)
            continue;
        sampler->reader = type->open("", error, error_size);
        if (sampler->reader) {
            sampler->type = type;
            return SAMPLER_OPEN;
        }
        log_write(LOG_NOTICE, "source %s: %s", type->name, error);
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
        sampler->reader = sampler->type->open(argument, error, error_size);
        return sampler->reader ? SAMPLER_OPEN : SAMPLER_FAILED;
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

static int64_t monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
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

static void read_failed(struct sampler *sampler, struct ring *ring, int64_t now_ns,
                        const char *error)
{
    sampler->read_failures++;
    if (!sampler->failing)
        log_write(LOG_WARNING, "source %s: %s", sampler->type->name, error);
    sampler->failing = true;
    if (now_ns - sampler->good_ns >= STALE_NS)
        publish_unknown(sampler, ring, now_ns);
}

void sampler_tick(struct sampler *sampler, struct ring *ring)
{
    struct sample read = {.time_ns = monotonic_ns()}, next;
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
    publish(sampler, ring, &next);
}
