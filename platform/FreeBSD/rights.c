#include "platform/rights.h"

#include <sys/types.h>

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/procctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Of an agent with the largest event-capacity, more than twice over. */
#define MEMORY_MAX (UINT64_C(256) << 20)

/* Of an agent, which has left those of the source to the sampler. */
#define FILES_MAX 64

/* The sampler and this agent are two of its user already, so that it starts no other. 0 would be
   no limit (chglimit() in sys/kern/kern_resource.c), and to root none is. */
#define PROCESSES_MAX 1

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

/* An older kernel does not know each of them; one that a debugger watches already stays so. */
static bool control(int command, int value)
{
    return procctl(P_PID, getpid(), command, &value) == 0 || errno == EINVAL || errno == EBUSY;
}

/* No program that it runs has more rights, and no other process of its user looks into it; agents
   inherit both. */
static bool control_process(void)
{
#ifdef PROC_NO_NEW_PRIVS_CTL /* 13.2 has it */
    if (!control(PROC_NO_NEW_PRIVS_CTL, PROC_NO_NEW_PRIVS_ENABLE))
        return false;
#endif
    return control(PROC_TRACE_CTL, PROC_TRACE_CTL_DISABLE);
}

/* Not Capsicum: agents are forked from here, and open the database and snmpd's socket by name.
   The descriptors of bpf(4) have been limited each (platform/FreeBSD/bpf.c). */
bool rights_confine(char *said, size_t said_size, char *error, size_t error_size)
{
    if (!limit(RLIMIT_CORE, 0) || !limit(RLIMIT_AS, MEMORY_MAX))
        return fail("limits", error, error_size);
    if (!control_process())
        return fail("procctl", error, error_size);
    snprintf(said, said_size, "confined by its user, limits and procctl");
    return true;
}

/* Where it writes is the matter of its user: SQLite makes files by name, which rules out
   capability mode, and a new root would hide the state directory or snmpd's socket. */
bool rights_confine_agent(const char *state_directory, char *error, size_t error_size)
{
    (void)state_directory;
    return (limit(RLIMIT_NOFILE, FILES_MAX) && limit(RLIMIT_NPROC, PROCESSES_MAX)) ||
           fail("limits of the agent", error, error_size);
}
