/* See tests/unit/freebsd/net/bpf.h. */
#ifndef RSTWATCH_TESTS_FREEBSD_CAPSICUM_H
#define RSTWATCH_TESTS_FREEBSD_CAPSICUM_H

#include <stddef.h>

typedef unsigned long cap_rights_t;

#define CAP_IOCTL 1UL

static inline void cap_rights_init(cap_rights_t *rights, unsigned long right)
{
    *rights = right;
}

int cap_rights_limit(int fd, const cap_rights_t *rights);
int cap_ioctls_limit(int fd, const unsigned long *requests, size_t count);

#endif
