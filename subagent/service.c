#include "subagent/service.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define NS_PER_US 1000

static int manager = -1;    /* socket; -1: there is none */
static int64_t interval_ns; /* from one "alive" to the next; 0: it wants none */
static int64_t told_ns;     /* the newest */

/* A path, or with an @ for its first byte one without a file. */
static socklen_t take_address(struct sockaddr_un *address, const char *name)
{
    size_t length = strlen(name);

    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if ((name[0] != '/' && name[0] != '@') || length >= sizeof address->sun_path)
        return 0;
    memcpy(address->sun_path, name, length);
    if (name[0] == '@')
        address->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

/* Half of what it waits for, as it asks to be told twice in that time. */
static int64_t watchdog_interval_ns(void)
{
    const char *pid = getenv("WATCHDOG_PID"), *us = getenv("WATCHDOG_USEC");

    if (!us || (pid && strtol(pid, NULL, 10) != getpid()))
        return 0;
    return strtoll(us, NULL, 10) * NS_PER_US / 2;
}

bool service_open(void)
{
    const char *name = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address;
    socklen_t size;

    if (!name)
        return true;
    size = take_address(&address, name);
    if (size == 0) {
        errno = EAFNOSUPPORT;
        return false;
    }
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    interval_ns = watchdog_interval_ns();
    return manager >= 0 && connect(manager, (const struct sockaddr *)&address, size) == 0;
}

/* A datagram that is lost is followed by the next one. */
static bool tell(const char *state)
{
    return manager >= 0 && write(manager, state, strlen(state)) > 0;
}

void service_ready(void)
{
    tell("READY=1");
}

void service_alive(int64_t now_ns)
{
    if (interval_ns > 0 && now_ns - told_ns >= interval_ns && tell("WATCHDOG=1"))
        told_ns = now_ns;
}
