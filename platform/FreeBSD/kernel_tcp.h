/*
 * What the kernel itself counts of TCP, and the state of SYN cookies, by sysctl: of the VNET
 * that the process is in, which is a jail's own where it has one. Needs no rights.
 */
#ifndef RSTWATCH_FREEBSD_KERNEL_TCP_H
#define RSTWATCH_FREEBSD_KERNEL_TCP_H

#include "platform/FreeBSD/syn_cookies.h"
#include "platform/sample.h"

/* The kernel sums each counter over its CPUs: it is read when the newest reading is as old as
   interval_ns, and the values are repeated until then; 0: at each read. All else zero at first. */
struct kernel_tcp {
    int64_t interval_ns;
    int64_t read_ns; /* time of the newest reading; 0 = none */
    struct sample read;
    struct syn_cookies cookies;
};

/* Adds to *sample, whose time_ns is set: the counters that tcpstat.h names, those of SYN cookies
   and their state, and SOURCE_FREEBSD_SYSCTL. */
bool kernel_tcp_read(struct kernel_tcp *kernel, struct sample *sample, char *error,
                     size_t error_size);

/* Whether the newest kernel_tcp_read() has asked the kernel. */
bool kernel_tcp_is_fresh(const struct kernel_tcp *kernel, const struct sample *sample);

#endif
