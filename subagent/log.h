/*
 * The log of both processes: standard error in the foreground, else syslog.
 * One line a message, no newline in it; what and where, for an operator.
 * Where standard error is systemd's journal, a line has "<priority>" in place of
 * date, name and process, which the journal has itself (sd-daemon(3)).
 */
#ifndef RSTWATCH_LOG_H
#define RSTWATCH_LOG_H

#include <stdbool.h>
#include <syslog.h>

/* `program`: its name, kept. Messages below `level` (LOG_DEBUG is the lowest) are left out. */
void log_open(const char *program, bool foreground, int level);

/* priority: LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG of syslog(3). */
void log_write(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
