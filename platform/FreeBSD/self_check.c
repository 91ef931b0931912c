#include "platform/FreeBSD/self_check.h"

#include <sys/types.h>

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 1000

static bool fail(const char *what, char *error, size_t error_size)
{
    snprintf(error, error_size, "self-check on 127.0.0.1: %s: %s", what, strerror(errno));
    return false;
}

static int open_socket(void)
{
    return socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* A listener on a port that the kernel chooses. */
static bool start_listening(int listener, struct sockaddr_in *address)
{
    socklen_t length = sizeof *address;

    *address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return bind(listener, (struct sockaddr *)address, length) == 0 && listen(listener, 1) == 0 &&
           getsockname(listener, (struct sockaddr *)address, &length) == 0;
}

static bool wait_for(int fd, short events)
{
    struct pollfd poll_fd = {.fd = fd, .events = events};
    int result = poll(&poll_fd, 1, PATIENCE_MS);

    if (result == 0)
        errno = ETIMEDOUT; /* a firewall in between, say */
    return result > 0;
}

/* Accepts a connection and aborts it. */
static bool abort_next(int listener)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    int accepted;
    bool good;

    if (!wait_for(listener, POLLIN))
        return false;
    accepted = accept(listener, NULL, NULL);
    if (accepted < 0)
        return false;
    good = setsockopt(accepted, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0;
    close(accepted);
    return good;
}

static bool make_reset(int listener, const struct sockaddr_in *address)
{
    int client = open_socket();
    bool good;

    if (client < 0)
        return false;
    good = (connect(client, (const struct sockaddr *)address, sizeof *address) == 0 ||
            errno == EINPROGRESS) &&
           abort_next(listener) && wait_for(client, POLLIN);
    close(client);
    return good;
}

bool self_check_resets(int count, char *error, size_t error_size)
{
    int listener = open_socket();
    struct sockaddr_in address;
    bool good;

    if (listener < 0)
        return fail("socket", error, error_size);
    good = start_listening(listener, &address) || fail("listen", error, error_size);
    for (int n = 0; n < count && good; n++)
        good = make_reset(listener, &address) || fail("connect", error, error_size);
    close(listener);
    return good;
}
