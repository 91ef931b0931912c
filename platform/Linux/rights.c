#include "platform/rights.h"

#include <cap-ng.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "platform/Linux/landlock.h"
#include "platform/Linux/sanitized.h"
#include "platform/Linux/system_calls.h"

#define READING CAP_NET_ADMIN /* what nftables asks for */

#define MIB_BYTES (UINT64_C(1) << 20)

/* The agent with the largest event-capacity has 107 MiB mapped, with the default 76. */
#define MEMORY_MAX (256 * MIB_BYTES)

/* The sampler has 23 open, the agent 11. */
#define FILES_MAX 64

static bool fail(const char *what, char *error, size_t error_size)
{
    snprintf(error, error_size, "%s: %s", what, strerror(errno));
    return false;
}

static bool keep_capabilities(const struct passwd *user)
{
    errno = 0;
    return user ? capng_change_id((int)user->pw_uid, (int)user->pw_gid, CAPNG_INIT_SUPP_GRP) == 0
                : capng_apply(CAPNG_SELECT_CAPS) == 0;
}

bool rights_become(const struct passwd *user, bool reading, char *error, size_t error_size)
{
    char what[100] = "giving up capabilities";

    capng_clear(CAPNG_SELECT_CAPS);
    if (reading)
        capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, READING);
    if (keep_capabilities(user))
        return true;
    if (user)
        snprintf(what, sizeof what, "user %s", user->pw_name);
    return fail(what, error, error_size);
}

static bool limit(int resource, rlim_t most)
{
    return setrlimit(resource, &(struct rlimit){most, most}) == 0;
}

bool rights_confine(char *said, size_t said_size, char *error, size_t error_size)
{
    int version = landlock_version();

    if (!limit(RLIMIT_CORE, 0) || !limit(RLIMIT_NOFILE, FILES_MAX) ||
        (!SANITIZED && !limit(RLIMIT_AS, MEMORY_MAX)))
        return fail("limits", error, error_size);
    if (!system_calls_limit(SAMPLER, error, error_size))
        return false;
    snprintf(said, said_size, "confined by seccomp%s",
             version > 0 ? " and Landlock" : "; this kernel has no Landlock");
    return true;
}

static bool give_up_reading(void)
{
    return capng_get_caps_process() == 0 &&
           capng_update(CAPNG_DROP, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_INHERITABLE,
                        READING) == 0 &&
           capng_apply(CAPNG_SELECT_CAPS) == 0;
}

bool rights_confine_agent(const char *state_directory, char *error, size_t error_size)
{
    if (!give_up_reading())
        return fail("giving up CAP_NET_ADMIN", error, error_size);
    if (landlock_version() > 0 && !landlock_write_only_in(state_directory))
        return fail("Landlock", error, error_size);
    return system_calls_limit(AGENT, error, error_size);
}
