/*
 * bare_agent SOCKET ARC...: an AgentX subagent (RFC 2741) that does nothing but answer: any name
 * below its root has the Counter64 1, and what follows a name is the same with its last arc one
 * more. No library, two system calls a request, no state: what an answer costs at least. It says
 * "ready" when it is registered.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define HEADER     20
#define ROOM       65536
#define COUNTER64  70
#define NO_CONTEXT 0 /* flags: the host's byte order, which is little here */

enum { OPEN = 1, REGISTER = 3, GET = 5, GETNEXT = 6, RESPONSE = 18 };

struct header {
    uint8_t version, type, flags, reserved;
    uint32_t session, transaction, packet, length;
};

static int master;
static size_t root_arcs;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void send_pdu(struct header header, const uint8_t *payload, size_t length)
{
    uint8_t bytes[ROOM];

    header.length = (uint32_t)length;
    memcpy(bytes, &header, HEADER);
    memcpy(bytes + HEADER, payload, length);
    if (write(master, bytes, HEADER + length) != (ssize_t)(HEADER + length))
        fail("write");
}

/* The next PDU that is whole; what comes after it stays. Returns its header. */
static struct header receive(uint8_t *payload)
{
    static uint8_t bytes[ROOM];
    static size_t size;
    struct header header;

    for (;;) {
        if (size >= HEADER) {
            memcpy(&header, bytes, HEADER);
            if (size >= HEADER + header.length)
                break;
        }
        ssize_t got = read(master, bytes + size, sizeof bytes - size);
        if (got <= 0)
            exit(0);
        size += (size_t)got;
    }
    memcpy(payload, bytes + HEADER, header.length);
    size -= HEADER + header.length;
    memmove(bytes, bytes + HEADER + header.length, size);
    return header;
}

static size_t name_size(const uint8_t *name)
{
    return 4 + 4 * (size_t)name[0];
}

/* With those that a prefix stands for: 1.3.6.1 and itself (RFC 2741, 5.1). */
static size_t arcs(const uint8_t *name)
{
    return name[0] + (name[1] ? 5U : 0);
}

/* What follows the name, in its place. A column's first row is 1. Returns the size of the name. */
static size_t step(uint8_t *name)
{
    uint32_t last = 0;

    if (arcs(name) < root_arcs + 2)
        name[0]++;
    else
        memcpy(&last, name + name_size(name) - 4, sizeof last);
    last++;
    memcpy(name + name_size(name) - 4, &last, sizeof last);
    return name_size(name);
}

/* A varbind for each search range: its start, or what follows that, and 1. */
static void answer(struct header header, const uint8_t *ranges)
{
    static const uint16_t type[] = {COUNTER64, 0};
    const uint64_t one = 1;
    const uint8_t *end = ranges + header.length;
    uint8_t payload[ROOM];
    size_t length = 8; /* sysUpTime, error and index, which the master does not miss */

    memset(payload, 0, length);
    while (ranges < end) {
        size_t name = name_size(ranges);

        memcpy(payload + length, type, sizeof type);
        memcpy(payload + length + 4, ranges, name);
        ranges += name;
        if (header.type == GETNEXT)
            name = step(payload + length + 4);
        memcpy(payload + length + 4 + name, &one, sizeof one);
        length += 4 + name + sizeof one;
        ranges += name_size(ranges);
    }
    header.type = RESPONSE;
    send_pdu(header, payload, length);
}

static struct header ask(struct header header, const uint8_t *payload, size_t length)
{
    uint8_t ignored[ROOM];

    send_pdu(header, payload, length);
    return receive(ignored);
}

int main(int argc, char **argv)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct header header = {.version = 1, .type = OPEN, .flags = NO_CONTEXT, .packet = 1};
    uint8_t payload[ROOM] = {0}, *name = payload + 4;

    root_arcs = (size_t)argc - 2;
    if (argc < 3 || root_arcs > 100 || strlen(argv[1]) >= sizeof address.sun_path)
        return 2;
    strcpy(address.sun_path, argv[1]);
    master = socket(AF_UNIX, SOCK_STREAM, 0);
    if (master < 0 || connect(master, (struct sockaddr *)&address, sizeof address) != 0)
        fail(argv[1]);
    header.session = ask(header, payload, 12).session; /* null OID, no description */
    header.type = REGISTER;
    header.packet = 2;
    payload[1] = 127; /* priority */
    name[0] = (uint8_t)root_arcs;
    for (size_t n = 0; n < root_arcs; n++) {
        uint32_t arc = (uint32_t)strtoul(argv[2 + n], NULL, 10);

        memcpy(name + 4 + 4 * n, &arc, sizeof arc);
    }
    ask(header, payload, 4 + name_size(name));
    puts("ready");
    fflush(stdout);
    for (;;) {
        header = receive(payload);
        if (header.type == GET || header.type == GETNEXT)
            answer(header, payload);
    }
}
