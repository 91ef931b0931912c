#include "platform/rights.h"

#include <sys/types.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* No source of this platform needs rights for reading. */
bool rights_become(const struct passwd *user, bool reading, char *error, size_t error_size)
{
    (void)reading;
    if (initgroups(user->pw_name, user->pw_gid) == 0 &&
        setresgid(user->pw_gid, user->pw_gid, user->pw_gid) == 0 &&
        setresuid(user->pw_uid, user->pw_uid, user->pw_uid) == 0)
        return true;
    snprintf(error, error_size, "user %s: %s", user->pw_name, strerror(errno));
    return false;
}

bool rights_give_up_reading(char *error, size_t error_size)
{
    (void)error;
    (void)error_size;
    return true;
}
