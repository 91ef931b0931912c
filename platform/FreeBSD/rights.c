#include "platform/rights.h"

#include <sys/types.h>

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Of an agent with the largest event-capacity, several times over. */
#define MEMORY_MAX (UINT64_C(256) << 20)

static bool fail(const char *what, char *error, size_t error_size)
{
    snprintf(error, error_size, "%s: %s", what, strerror(errno));
    return false;
}

/* No source of this platform needs rights for reading; root has no parts to give up. */
bool rights_become(const struct passwd *user, bool reading, char *error, size_t error_size)
{
    (void)reading;
    if (!user || (initgroups(user->pw_name, user->pw_gid) == 0 &&
                  setresgid(user->pw_gid, user->pw_gid, user->pw_gid) == 0 &&
                  setresuid(user->pw_uid, user->pw_uid, user->pw_uid) == 0))
        return true;
    return fail(user->pw_name, error, error_size);
}

static bool limit(int resource, rlim_t most)
{
    const struct rlimit both = {.rlim_cur = most, .rlim_max = most};

    return setrlimit(resource, &both) == 0;
}

/* Not Capsicum: agents are forked from here, and open the database and snmpd's socket by name.
   The descriptors of bpf(4) have been limited each (platform/FreeBSD/bpf.c). */
bool rights_confine(char *said, size_t said_size, char *error, size_t error_size)
{
    if (!limit(RLIMIT_CORE, 0) || !limit(RLIMIT_AS, MEMORY_MAX))
        return fail("limits", error, error_size);
    snprintf(said, said_size, "confined by its user");
    return true;
}

bool rights_confine_agent(const char *state_directory, char *error, size_t error_size)
{
    (void)state_directory, (void)error, (void)error_size;
    return true;
}
