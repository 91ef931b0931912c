/* The network interfaces and addresses of this host, or VNET jail, and when they change. */
#ifndef RSTWATCH_FREEBSD_INTERFACES_H
#define RSTWATCH_FREEBSD_INTERFACES_H

#include <sys/types.h>

#include <net/if.h>

#include "platform/FreeBSD/reset_filter.h"

#define INTERFACES_MAX 1024

struct interface {
    unsigned index; /* 1 and up; a new interface may get the index of one that is gone */
    bool loopback;
    char name[IF_NAMESIZE];
};

struct interfaces {
    size_t count;
    struct interface list[INTERFACES_MAX];
    struct addresses addresses; /* of all of them: any address may come in on any interface */
};

/*
 * Leaves out bridges and laggs: a packet passes them as well as a member or a port, and would be
 * counted twice. Counted are the latter: what comes in by a lagg passes the lagg, too, as a packet
 * of the port, so that up to 13.2 bpf(4) takes it there for one sent.
 */
bool interfaces_read(struct interfaces *interfaces, char *error, size_t error_size);

/* A descriptor that tells of changes; -1: error. */
int interfaces_watch(char *error, size_t error_size);

/* Whether an interface or address has come or gone since the last call. Never blocks. */
bool interfaces_changed(int watch);

#endif
