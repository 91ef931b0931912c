#include "platform/rights.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const kept[] = {
    "TZ", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "JOURNAL_STREAM",
};

#define KEPT (sizeof kept / sizeof *kept)

/* What is opened next must not become what is written to as standard error. */
static bool fill_standard(void)
{
    int file;

    do
        file = open("/dev/null", O_RDWR);
    while (file >= 0 && file <= STDERR_FILENO);
    return file >= 0 && close(file) == 0;
}

static bool empty_environment(void)
{
    static char *none[] = {NULL};
    extern char **environ;
    const char *values[KEPT];
    bool good = true;

    for (size_t n = 0; n < KEPT; n++)
        values[n] = getenv(kept[n]); /* these stay where they are */
    environ = none;
    for (size_t n = 0; n < KEPT; n++)
        good = good && (!values[n] || setenv(kept[n], values[n], 1) == 0);
    return good;
}

bool rights_inherit_little(char *error, size_t error_size)
{
    closefrom(STDERR_FILENO + 1);
    if (fill_standard() && empty_environment())
        return true;
    snprintf(error, error_size, "descriptors and environment: %s", strerror(errno));
    return false;
}
