#include "subagent/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const char *name = "rstwatch";
static bool to_stderr = true;
static int least = LOG_INFO;

void log_open(const char *program, bool foreground, int level)
{
    name = program;
    to_stderr = foreground;
    least = level;
    if (!foreground)
        openlog(program, LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

/* One write a line, so that lines of the two processes do not mix. */
static void write_line(const char *message)
{
    char line[1200], date[32];
    time_t now = time(NULL);
    struct tm local;
    int length;

    localtime_r(&now, &local);
    strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &local);
    length = snprintf(line, sizeof line, "%s %s[%ld]: %s\n", date, name, (long)getpid(), message);
    if (write(STDERR_FILENO, line, (size_t)length) < 0)
        return; /* there is nowhere else to say it */
}

void log_write(int priority, const char *format, ...)
{
    char message[1024];
    va_list arguments;

    if (priority > least)
        return;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (to_stderr)
        write_line(message);
    else
        syslog(priority, "%s", message);
}
