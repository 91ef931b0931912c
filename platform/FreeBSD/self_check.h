/* Known segments for a source to see, so that it knows that it counts. */
#ifndef RSTWATCH_FREEBSD_SELF_CHECK_H
#define RSTWATCH_FREEBSD_SELF_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* Aborts so many connections to itself over 127.0.0.1: each is one reset, of IPv4, received and
   sent, which no limit of the kernel on answers holds back. Takes a second at most for each. */
bool self_check_resets(int count, char *error, size_t error_size);

#endif
