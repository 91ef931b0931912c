/*
 * What the kernel itself counts of TCP, from /proc/net/snmp and
 * /proc/net/netstat (Linux net/ipv4/proc.c), and the state of SYN cookies, from
 * the sysctl net.ipv4.tcp_syncookies. Needs no rights. The one place that reads
 * /proc: the procfs source estimates from it, exact sources count beside it.
 */
#ifndef RSTWATCH_LINUX_COMPONENTS_H
#define RSTWATCH_LINUX_COMPONENTS_H

#include <stddef.h>

#include "platform/sample.h"

struct components;

/*
 * Counts for the network namespace that the process is in now. `directory` is
 * for tests: one with files `snmp`, `netstat` and `tcp_syncookies` that are read
 * in place of the kernel's, again at each read; "" for the kernel's.
 *
 * Reading costs the more, the more CPUs there are: the files are read when the
 * newest reading is as old as `interval_ns`, and its values are repeated until
 * then; 0: at each read.
 */
struct components *components_open(const char *directory, int64_t interval_ns, char *error,
                                   size_t error_size);

/* Adds to *sample, whose time_ns is set: the counters that are rows of counters.def with a
   field of the kernel, the SYN-cookie state, and SOURCE_PROCFS. */
bool components_read(struct components *components, struct sample *sample, char *error,
                     size_t error_size);

/* Whether the newest components_read() has read the files. */
bool components_are_fresh(const struct components *components, const struct sample *sample);

void components_close(struct components *components); /* NULL: nothing to do */

#endif
