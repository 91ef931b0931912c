/*
 * Landlock (Linux 5.13, Documentation/userspace-api/landlock.rst): where a process may write.
 */
#ifndef RSTWATCH_LINUX_LANDLOCK_H
#define RSTWATCH_LINUX_LANDLOCK_H

#include <stdbool.h>

/* The version of the kernel's Landlock; 0: it has none. */
int landlock_version(void);

/*
 * From here on this process makes, changes and removes files and directories nowhere but
 * beneath `directory`, and nowhere at all if there is none. It is meant as it is now: another
 * one in its place is not. It makes no devices, sockets or links, and runs no
 * program. What is open stays open. False: errno. Takes no_new_privs.
 */
bool landlock_write_only_in(const char *directory);

#endif
