/*
 * The rights of the daemon's processes, which only ever get fewer. In this order:
 * rights_inherit_little() at the start, rights_become() and rights_confine() in the
 * sampler once all is open, rights_confine_agent() in each agent that it forks.
 *
 * False: error says what failed, one line.
 */
#ifndef RSTWATCH_RIGHTS_H
#define RSTWATCH_RIGHTS_H

#include <pwd.h>
#include <stdbool.h>
#include <stddef.h>

/* Closes the descriptors that came from who started the process, opens /dev/null where one of
   0, 1 and 2 is missing, and empties the environment but for what says the time zone and what
   the service manager said (sd_notify(3)). */
bool rights_inherit_little(char *error, size_t error_size);

/* Becomes `user`; NULL: stays who it is. `reading`: the source reads with rights (reader.h),
   which stay; all others go, of root as well. */
bool rights_become(const struct passwd *user, bool reading, char *error, size_t error_size);

/* No core dump, no more memory and descriptors than ever needed, and only the system calls that
   sampler and agents make. The source is open: what comes later may only read. `said`: by what
   means, for the log. */
bool rights_confine(char *said, size_t said_size, char *error, size_t error_size);

/* The agent talks to others: it gives up what the sampler kept for reading, writes nowhere but
   in the state directory, and makes fewer system calls. */
bool rights_confine_agent(const char *state_directory, char *error, size_t error_size);

#endif
