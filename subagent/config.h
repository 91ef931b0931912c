/*
 * The configuration file, rstwatchd.conf(5), read by libconfuse.
 */
#ifndef RSTWATCH_CONFIG_H
#define RSTWATCH_CONFIG_H

#include <stddef.h>

#include "subagent/settings.h"

#define CONFIG_TEXT_SIZE   1024
#define EVENT_CAPACITY_MAX 100000

/* Where a value of the command line wins over the file, main.c sees to it. */
struct config {
    char agentx_address[CONFIG_TEXT_SIZE]; /* in snmpd's forms: unix:/path, tcp:host:port */
    char state_directory[CONFIG_TEXT_SIZE];
    char source[CONFIG_TEXT_SIZE]; /* name or name:argument; "auto" */
    char user[CONFIG_TEXT_SIZE];   /* "" = stay who started it */
    uint32_t sample_interval_ms;   /* 100 .. 1000 */
    uint32_t event_capacity;       /* 10 .. EVENT_CAPACITY_MAX events */
    bool evidence;                 /* whether capture files are written */
    uint32_t evidence_files;       /* 1 .. 1000 */
    uint32_t evidence_packets;     /* in a file, 100 .. 1000000 */
    struct alarm_settings alarm[METRIC_SLOTS];
};

/* What holds without a file. */
struct config config_default(void);

/*
 * Takes in the text of a file; `path` is for the error. On failure *config is
 * untouched and error is one line that names file, line, key and what was expected.
 */
bool config_parse(struct config *config, const char *text, const char *path, char *error,
                  size_t error_size);

/* The same of the text of the file `path`, which is at most 1 MiB. */
bool config_read(struct config *config, const char *path, char *error, size_t error_size);

#endif
