#include "platform/Linux/pulse.h"

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

union address {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
};

static union address loopback(enum count_family family)
{
    union address address = {.ipv6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT}};

    if (family == COUNT_IPV4)
        address.ipv4 =
            (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return address;
}

/* On a port that the kernel chooses; a socket that is connected takes nothing of others. */
static bool connect_to_itself(int fd, enum count_family family)
{
    union address address = loopback(family);
    socklen_t size = family == COUNT_IPV4 ? sizeof address.ipv4 : sizeof address.ipv6;

    return bind(fd, &address.any, size) == 0 && getsockname(fd, &address.any, &size) == 0 &&
           connect(fd, &address.any, size) == 0;
}

static int open_socket(enum count_family family)
{
    int fd = socket(family == COUNT_IPV4 ? AF_INET : AF_INET6,
                    SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 || connect_to_itself(fd, family))
        return fd;
    close(fd);
    return -1;
}

void pulse_open(struct pulse *pulse)
{
    for (enum count_family family = 0; family < COUNT_FAMILIES; family++)
        pulse->sockets[family] = open_socket(family);
}

void pulse_close(struct pulse *pulse)
{
    for (enum count_family family = 0; family < COUNT_FAMILIES; family++) {
        if (pulse->sockets[family] >= 0)
            close(pulse->sockets[family]);
        pulse->sockets[family] = -1;
    }
}

/* One that is lost (a firewall, an interface that is down) proves nothing, and does no harm. */
void pulse_send(const struct pulse *pulse)
{
    for (enum count_family family = 0; family < COUNT_FAMILIES; family++) {
        if (pulse->sockets[family] >= 0)
            (void)!send(pulse->sockets[family], "", 1, 0);
    }
}

bool pulse_arrived(const struct pulse *pulse, enum count_family family)
{
    bool arrived = false;
    char byte;

    while (pulse->sockets[family] >= 0 && recv(pulse->sockets[family], &byte, 1, 0) == 1)
        arrived = true;
    return arrived;
}
