/*
 * rstsample: the sampler alone. Prints what a source says as lines that a replay file has
 * (platform/replay.h). Runs on a bare system: no snmpd, no libraries but the platform's own.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "platform/replay.h"
#include "subagent/clock.h"
#include "subagent/log.h"
#include "subagent/sampler.h"

enum { EXIT_USAGE = 2, HELP = 256 /* a long option without a letter */ };

#define NS_PER_MS INT64_C(1000000)

struct command_line {
    const char *source;
    uint64_t count; /* 0: without end */
    int64_t interval_ms;
    bool help;
};

static int complain(const char *error, int status)
{
    fprintf(stderr, "rstsample: %s\n", error);
    return status;
}

static void print_usage(FILE *to)
{
    fprintf(to, "usage: rstsample [-i milliseconds] [-n count] [-s source]\n"
                "       rstsample --help\n");
    if (to == stderr)
        return;
    fprintf(to, "\nPrints samples of the TCP reset counters of this host, one a line, in the form\n"
                "of a replay file of rstwatchd.\n\n"
                "  -i milliseconds    from one sample to the next, 10 to 60000 (default 1000)\n"
                "  -n count           end after so many samples (default: never)\n"
                "  -s source          where counts come from: auto, or one of those below\n"
                "  --help\n\nsources:\n");
    sampler_print_sources(to);
}

/* False, and says so, if it is no number from `least` to `most`. */
static bool parse_number(int option, const char *text, uint64_t least, uint64_t most,
                         uint64_t *number)
{
    char *end;

    errno = 0;
    *number = strtoull(text, &end, 10);
    if (*text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && *number >= least &&
        *number <= most)
        return true;
    fprintf(stderr, "rstsample: -%c \"%s\": expected a number from %llu to %llu\n", option, text,
            (unsigned long long)least, (unsigned long long)most);
    return false;
}

static bool parse_option(struct command_line *line, int option)
{
    uint64_t number;

    switch (option) {
    case 'i':
        if (!parse_number(option, optarg, 10, 60000, &number))
            return false;
        line->interval_ms = (int64_t)number;
        return true;
    case 'n':
        return parse_number(option, optarg, 1, INT64_MAX, &line->count);
    case 's':
        line->source = optarg;
        return true;
    case HELP:
        line->help = true;
        return true;
    default: /* getopt has said what */
        return false;
    }
}

static bool parse_command_line(struct command_line *line, int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, HELP}, {0}};
    int option;

    while ((option = getopt_long(argc, argv, "i:n:s:", options, NULL)) != -1)
        if (!parse_option(line, option))
            return false;
    if (optind == argc)
        return true;
    fprintf(stderr, "rstsample: unexpected argument \"%s\"\n", argv[optind]);
    return false;
}

static void sleep_until(int64_t time_ns)
{
    struct timespec until = {time_ns / NS_PER_S, time_ns % NS_PER_S};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        ;
}

/* Whole milliseconds; but a line's time must be later than that of the line before. */
static int64_t next_time_ms(int64_t last_ms, int64_t elapsed_ns)
{
    int64_t time_ms = elapsed_ns / NS_PER_MS;

    return time_ms > last_ms ? time_ms : last_ms + 1;
}

/* One reading. What was published in it is the sample; nothing: it failed. */
static void print_next(struct sampler *sampler, struct ring *ring, uint64_t *next, int64_t time_ms)
{
    struct sample sample;

    sampler_tick(sampler, ring);
    if (ring_read(ring, next, &sample) && !sampler->failing)
        replay_print(stdout, time_ms, &sample);
    else
        replay_print_failure(stdout, time_ms);
}

static int print_samples(struct sampler *sampler, struct ring *ring,
                         const struct command_line *line)
{
    int64_t start_ns = clock_ns(CLOCK_MONOTONIC), time_ms = -1;
    uint64_t next = 1;

    printf("# source %s%s%s\n", sampler->type->name, sampler->passed_over[0] ? "; " : "",
           sampler->passed_over);
    for (uint64_t n = 0; line->count == 0 || n < line->count; n++) {
        sleep_until(start_ns + (int64_t)n * line->interval_ms * NS_PER_MS);
        time_ms = next_time_ms(time_ms, n > 0 ? clock_ns(CLOCK_MONOTONIC) - start_ns : 0);
        print_next(sampler, ring, &next, time_ms);
        if (fflush(stdout) != 0)
            return complain(strerror(errno), EXIT_FAILURE);
    }
    return EXIT_SUCCESS;
}

static int run(const struct command_line *line)
{
    struct sampler sampler;
    struct ring *ring = ring_create(1);
    char error[1600];
    int status;

    if (!ring)
        return complain(strerror(errno), EXIT_FAILURE);
    switch (sampler_open(&sampler, line->source, error, sizeof error)) {
    case SAMPLER_NO_SUCH_SOURCE:
        return complain(error, EXIT_USAGE);
    case SAMPLER_FAILED:
        return complain(error, EXIT_FAILURE);
    case SAMPLER_OPEN:
        break;
    }
    status = print_samples(&sampler, ring, line);
    sampler_close(&sampler);
    return status;
}

int main(int argc, char **argv)
{
    struct command_line line = {.source = "auto", .interval_ms = 1000};

    if (!parse_command_line(&line, argc, argv)) {
        print_usage(stderr);
        return EXIT_USAGE;
    }
    if (line.help) {
        print_usage(stdout);
        return EXIT_SUCCESS;
    }
    log_open("rstsample", true, LOG_INFO);
    return run(&line);
}
