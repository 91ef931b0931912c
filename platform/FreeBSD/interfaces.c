#include "platform/FreeBSD/interfaces.h"

#include <sys/socket.h>

#include <errno.h>
#include <ifaddrs.h>
#include <net/ethernet.h>
#include <net/if_dl.h>
#include <net/if_lagg.h>
#include <net/if_types.h>
#include <net/route.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool fail(const char *what, char *error, size_t error_size)
{
    snprintf(error, error_size, "%s: %s", what, strerror(errno));
    return false;
}

static bool too_many(const char *what, int most, char *error, size_t error_size)
{
    snprintf(error, error_size, "more than %d %s", most, what);
    return false;
}

/* Its type does not tell: it is that of an Ethernet card. */
static bool is_lagg(int asker, const char *name)
{
    struct lagg_reqall request = {0};

    snprintf(request.ra_ifname, sizeof request.ra_ifname, "%s", name);
    return ioctl(asker, SIOCGLAGG, &request) == 0;
}

static bool is_passed_twice(int asker, const struct ifaddrs *entry)
{
    const struct if_data *data = entry->ifa_data;

    return (data && data->ifi_type == IFT_BRIDGE) || is_lagg(asker, entry->ifa_name);
}

static bool add_interface(struct interfaces *interfaces, int asker, const struct ifaddrs *entry,
                          char *error, size_t error_size)
{
    const struct sockaddr_dl *link = (const struct sockaddr_dl *)entry->ifa_addr;
    struct interface *interface = &interfaces->list[interfaces->count];

    if (is_passed_twice(asker, entry))
        return true;
    if (interfaces->count == INTERFACES_MAX)
        return too_many("interfaces", INTERFACES_MAX, error, error_size);
    *interface = (struct interface){.index = link->sdl_index,
                                    .loopback = (entry->ifa_flags & IFF_LOOPBACK) != 0};
    snprintf(interface->name, sizeof interface->name, "%s", entry->ifa_name);
    interfaces->count++;
    return true;
}

static bool add_ipv4(struct addresses *addresses, const struct sockaddr *address, char *error,
                     size_t error_size)
{
    const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)address;

    if (addresses->ipv4_count == FILTER_IPV4_MOST)
        return too_many("IPv4 addresses", FILTER_IPV4_MOST, error, error_size);
    memcpy(addresses->ipv4[addresses->ipv4_count++], &ipv4->sin_addr, 4);
    return true;
}

static bool add_ipv6(struct addresses *addresses, const struct sockaddr *address, char *error,
                     size_t error_size)
{
    const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)address;
    uint8_t *bytes = addresses->ipv6[addresses->ipv6_count];

    if (addresses->ipv6_count == FILTER_IPV6_MOST)
        return too_many("IPv6 addresses", FILTER_IPV6_MOST, error, error_size);
    memcpy(bytes, &ipv6->sin6_addr, 16);
    if (IN6_IS_ADDR_LINKLOCAL(&ipv6->sin6_addr)) /* the kernel may keep the scope in there */
        bytes[2] = bytes[3] = 0;
    addresses->ipv6_count++;
    return true;
}

static bool add_entry(struct interfaces *interfaces, int asker, const struct ifaddrs *entry,
                      char *error, size_t error_size)
{
    if (!entry->ifa_addr)
        return true;
    switch (entry->ifa_addr->sa_family) {
    case AF_LINK:
        return add_interface(interfaces, asker, entry, error, error_size);
    case AF_INET:
        return add_ipv4(&interfaces->addresses, entry->ifa_addr, error, error_size);
    case AF_INET6:
        return add_ipv6(&interfaces->addresses, entry->ifa_addr, error, error_size);
    default:
        return true;
    }
}

static bool add_entries(struct interfaces *interfaces, int asker, char *error, size_t error_size)
{
    struct ifaddrs *entries;
    bool good = true;

    if (getifaddrs(&entries) != 0)
        return fail("getifaddrs", error, error_size);
    for (const struct ifaddrs *entry = entries; entry && good; entry = entry->ifa_next)
        good = add_entry(interfaces, asker, entry, error, error_size);
    freeifaddrs(entries);
    return good;
}

bool interfaces_read(struct interfaces *interfaces, char *error, size_t error_size)
{
    int asker = socket(PF_LOCAL, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool good;

    if (asker < 0)
        return fail("socket", error, error_size);
    memset(interfaces, 0, sizeof *interfaces);
    good = add_entries(interfaces, asker, error, error_size);
    close(asker);
    return good;
}

int interfaces_watch(char *error, size_t error_size)
{
    int watch = socket(PF_ROUTE, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, AF_UNSPEC);

    if (watch < 0)
        fail("routing socket", error, error_size);
    return watch;
}

static bool is_change(const struct rt_msghdr *message)
{
    switch (message->rtm_type) {
    case RTM_IFANNOUNCE:
    case RTM_IFINFO:
    case RTM_NEWADDR:
    case RTM_DELADDR:
        return true;
    default:
        return false;
    }
}

bool interfaces_changed(int watch)
{
    union {
        struct rt_msghdr header;
        char bytes[2048];
    } message;
    bool changed = false;

    for (;;) {
        ssize_t length = read(watch, &message, sizeof message);

        if (length < 0 && errno == ENOBUFS) /* messages were lost */
            changed = true;
        else if (length < 0 && errno != EINTR)
            return changed;
        /* The type stands within the first 4 bytes of messages of every kind. */
        else if (length >= 4 && is_change(&message.header))
            changed = true;
    }
}
