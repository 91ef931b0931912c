/*
 * Which system calls a process may make (seccomp(2)). Any other ends it.
 */
#ifndef RSTWATCH_LINUX_SYSTEM_CALLS_H
#define RSTWATCH_LINUX_SYSTEM_CALLS_H

#include <stdbool.h>
#include <stddef.h>

enum caller { SAMPLER, AGENT };

/* From here on this process makes only calls of system_calls.def that are for the caller, and so
   do those that it forks: the sampler's list has all of the agent's. Sets no_new_privs. False:
   error says why, one line. */
bool system_calls_limit(enum caller caller, char *error, size_t error_size);

#endif
