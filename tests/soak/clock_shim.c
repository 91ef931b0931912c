/*
 * Moves CLOCK_REALTIME, for a program that loads this first, by the seconds that
 * the file $CLOCK_OFFSET_FILE holds now (8 bytes): what a step of the date looks
 * like to it. The other clocks stay as they are.
 */
#define _GNU_SOURCE
#include "shim.h"

#include <stdint.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

static const volatile int64_t *offset_s;

__attribute__((constructor)) static void begin(void)
{
    offset_s = map_switch("CLOCK_OFFSET_FILE", sizeof *offset_s);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);

    if (result == 0 && offset_s && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += *offset_s;
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec precise;

    (void)zone;
    clock_gettime(CLOCK_REALTIME, &precise);
    *now = (struct timeval){precise.tv_sec, precise.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *to)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (to)
        *to = now.tv_sec;
    return now.tv_sec;
}
