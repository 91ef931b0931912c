/* The rights of the daemon's processes once the source is open. */
#ifndef RSTWATCH_RIGHTS_H
#define RSTWATCH_RIGHTS_H

#include <pwd.h>
#include <stdbool.h>
#include <stddef.h>

/* The sampler: becomes that user. `reading`: the source reads with rights (reader.h), which
   stay; all others go. */
bool rights_become(const struct passwd *user, bool reading, char *error, size_t error_size);

/* The agent: gives up what the sampler kept for reading. */
bool rights_give_up_reading(char *error, size_t error_size);

#endif
