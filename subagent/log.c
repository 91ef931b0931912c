#include "subagent/log.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *name = "rstwatch";
static bool to_stderr = true, to_journal;
static int least = LOG_INFO;

/* systemd.exec(5), JOURNAL_STREAM: it stays set where a program sends standard error elsewhere. */
static bool is_journal(int fd)
{
    const char *stream = getenv("JOURNAL_STREAM");
    char file[64];
    struct stat found;

    if (!stream || fstat(fd, &found) != 0)
        return false;
    snprintf(file, sizeof file, "%ju:%ju", (uintmax_t)found.st_dev, (uintmax_t)found.st_ino);
    return strcmp(stream, file) == 0;
}

void log_open(const char *program, bool foreground, int level)
{
    name = program;
    to_stderr = foreground;
    to_journal = is_journal(STDERR_FILENO);
    least = level;
    if (!foreground)
        openlog(program, LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

static void write_head(char *head, size_t size, int priority)
{
    char date[32];
    time_t now = time(NULL);
    struct tm local;

    if (to_journal) {
        snprintf(head, size, "<%d>", priority);
        return;
    }
    localtime_r(&now, &local);
    strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &local);
    snprintf(head, size, "%s %s[%ld]: ", date, name, (long)getpid());
}

/* One write a line, so that lines of the two processes do not mix. */
static void write_line(int priority, const char *message)
{
    char head[128], line[1200];
    int length;

    write_head(head, sizeof head, priority);
    length = snprintf(line, sizeof line, "%s%s\n", head, message);
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
        write_line(priority, message);
    else
        syslog(priority, "%s", message);
}
