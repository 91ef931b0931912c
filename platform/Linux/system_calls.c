#include "platform/Linux/system_calls.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "platform/Linux/sanitized.h"

#define NEW_NAMESPACES                                                                             \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |  \
     CLONE_NEWNET)

/* What a sanitizer adds is let through, and logged by the kernel. */
#define OTHERWISE (SANITIZED ? SCMP_ACT_LOG : SCMP_ACT_KILL_PROCESS)

struct call {
    const char *name;
    enum caller caller; /* AGENT: both */
    unsigned conditions;
    struct scmp_arg_cmp condition;
};

static const struct call calls[] = {
#define CALL(name, caller, why) {#name, caller, 0, {0, SCMP_CMP_EQ, 0, 0}},
#define CALL_WITH(name, caller, argument, mask, value, why)                                        \
    {#name, caller, 1, {argument, SCMP_CMP_MASKED_EQ, mask, value}},
#include "platform/Linux/system_calls.def"
#undef CALL
#undef CALL_WITH
};

static int allow(scmp_filter_ctx filter, const struct call *call)
{
    int number = seccomp_syscall_resolve_name(call->name);

    if (number < 0) /* this kind of machine does not have it: another of the table does its work */
        return 0;
    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, call->conditions,
                                  &call->condition);
}

/* A source to fall back on that asks for it, and libc, find that they have no such right. */
static int refuse_netlink(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp netlink = {0, SCMP_CMP_EQ, AF_NETLINK, 0};

    return seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(socket), 1, &netlink);
}

static int fill(scmp_filter_ctx filter, enum caller caller)
{
    int result = refuse_netlink(filter);

    for (size_t n = 0; n < sizeof calls / sizeof *calls && result == 0; n++)
        if (calls[n].caller >= caller)
            result = allow(filter, &calls[n]);
    return result;
}

bool system_calls_limit(enum caller caller, char *error, size_t error_size)
{
    scmp_filter_ctx filter = seccomp_init(OTHERWISE);
    int result = filter ? fill(filter, caller) : -ENOMEM;

    if (result == 0)
        result = seccomp_load(filter);
    seccomp_release(filter);
    if (result == 0)
        return true;
    snprintf(error, error_size, "seccomp: %s", strerror(-result));
    return false;
}
