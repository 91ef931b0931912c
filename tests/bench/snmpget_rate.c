/*
 * How many SNMP requests a second an agent on the loopback answers.
 *
 *   snmpget_rate PORT COUNT IN_FLIGHT REPETITIONS OID...
 *
 * Sends COUNT v2c requests (community public) with these OIDs, keeps IN_FLIGHT of
 * them under way, and checks every answer. REPETITIONS 0: GET; else GETBULK. The
 * request is encoded once, only its id changes, so that the agent is what is
 * measured. Prints: seconds, CPU seconds of this program, values in the last answer.
 * Exit status 1: an answer that is an error or has no value, or none within a second.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define COMMUNITY   "public"
#define LIMIT_S     5 /* of the whole run */
#define SLOT_BITS   8 /* of a request id: which of those in flight it is */
#define SLOTS       (1 << SLOT_BITS)
#define BUFFER_SIZE 65536

enum tag {
    TAG_INTEGER = 0x02,
    TAG_OCTETS = 0x04,
    TAG_NULL = 0x05,
    TAG_OID = 0x06,
    TAG_SEQUENCE = 0x30,
    TAG_NO_VALUE = 0x80, /* noSuchObject, noSuchInstance, endOfMibView: 0x80 to 0x82 */
    TAG_GET = 0xa0,
    TAG_RESPONSE = 0xa2,
    TAG_GETBULK = 0xa5,
};

static void die(const char *what)
{
    fprintf(stderr, "snmpget_rate: %s\n", what);
    exit(1);
}

static double seconds_of(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- The request, written from its end to its start: every length is known then ---- */

struct request {
    uint8_t bytes[2048];
    size_t start; /* bytes[start] is the first one; at first sizeof bytes */
    size_t id;    /* where the four bytes of the request id stand */
};

static size_t used(const struct request *request)
{
    return sizeof request->bytes - request->start;
}

static void put(struct request *request, const void *bytes, size_t length)
{
    if (length + 8 > request->start)
        die("too many OIDs");
    request->start -= length;
    memcpy(&request->bytes[request->start], bytes, length);
}

/* Tag and length of what was put since used() was `before`. */
static void put_header(struct request *request, uint8_t tag, size_t before)
{
    size_t length = used(request) - before;
    const uint8_t header[] = {tag, 0x82, (uint8_t)(length >> 8), (uint8_t)length};

    if (length < 128)
        put(request, (uint8_t[]){tag, (uint8_t)length}, 2);
    else
        put(request, header, sizeof header);
}

static void put_integer(struct request *request, uint32_t value)
{
    const uint8_t bytes[] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                             (uint8_t)value};
    size_t before = used(request);

    put(request, bytes, sizeof bytes);
    request->id = request->start;
    put_header(request, TAG_INTEGER, before);
}

static void put_arc(struct request *request, uint32_t arc)
{
    put(request, (uint8_t[]){arc & 0x7f}, 1);
    while (arc >>= 7)
        put(request, (uint8_t[]){0x80 | (arc & 0x7f)}, 1);
}

static void put_oid(struct request *request, const char *text)
{
    uint32_t arcs[128];
    size_t count = 0, before = used(request);
    char *end;

    do {
        arcs[count++] = (uint32_t)strtoul(text, &end, 10);
        text = end + 1;
    } while (*end == '.' && count < sizeof arcs / sizeof *arcs);
    if (*end || count < 2)
        die("an OID of numbers expected");
    while (count > 2)
        put_arc(request, arcs[--count]);
    put_arc(request, arcs[0] * 40 + arcs[1]);
    put_header(request, TAG_OID, before);
}

static void put_varbind(struct request *request, const char *oid)
{
    size_t before = used(request);

    put_header(request, TAG_NULL, before);
    put_oid(request, oid);
    put_header(request, TAG_SEQUENCE, before);
}

static struct request encode(uint32_t repetitions, int count, char **oids)
{
    struct request request = {.start = sizeof request.bytes};

    while (count > 0)
        put_varbind(&request, oids[--count]);
    put_header(&request, TAG_SEQUENCE, 0);
    put_integer(&request, repetitions); /* error index of a GET */
    put_integer(&request, 0);           /* error status; non-repeaters */
    put_integer(&request, 0);           /* the id: the last integer whose place is kept */
    put_header(&request, repetitions ? TAG_GETBULK : TAG_GET, 0);

    size_t id = request.id, before = used(&request);

    put(&request, COMMUNITY, strlen(COMMUNITY));
    put_header(&request, TAG_OCTETS, before);
    put_integer(&request, 1); /* version 2c */
    put_header(&request, TAG_SEQUENCE, 0);
    request.id = id;
    return request;
}

/* ---- Answers ---- */

struct element {
    uint8_t tag;
    const uint8_t *at, *end; /* the contents */
};

/* Takes the next element off [*at, end). */
static struct element take(const uint8_t **at, const uint8_t *end)
{
    const uint8_t *next = *at;
    struct element element = {.tag = 0};
    size_t length;

    if (end - next < 2)
        die("an answer that is cut off");
    element.tag = *next++;
    length = *next++;
    if (length & 0x80) {
        size_t bytes = length & 0x7f;

        for (length = 0; bytes > 0 && next < end; bytes--)
            length = length << 8 | *next++;
    }
    if (length > (size_t)(end - next))
        die("an answer that is cut off");
    element.at = next;
    element.end = *at = next + length;
    return element;
}

static uint32_t take_integer(const uint8_t **at, const uint8_t *end)
{
    struct element element = take(at, end);
    uint32_t value = 0;

    if (element.tag != TAG_INTEGER)
        die("an answer that is none");
    while (element.at < element.end)
        value = value << 8 | *element.at++;
    return value;
}

/* The id of an answer and how many values it has; every one of them is a value. */
static uint32_t check(const uint8_t *answer, size_t length, size_t *values)
{
    const uint8_t *at = answer;
    struct element message = take(&at, answer + length), pdu, list;
    uint32_t id;

    take_integer(&message.at, message.end);
    take(&message.at, message.end); /* community */
    pdu = take(&message.at, message.end);
    id = take_integer(&pdu.at, pdu.end);
    if (pdu.tag != TAG_RESPONSE || take_integer(&pdu.at, pdu.end) != 0)
        die("an answer that is an error");
    take_integer(&pdu.at, pdu.end);
    list = take(&pdu.at, pdu.end);
    for (*values = 0; list.at < list.end; ++*values) {
        struct element varbind = take(&list.at, list.end);

        take(&varbind.at, varbind.end);
        if ((take(&varbind.at, varbind.end).tag & 0xf0) == TAG_NO_VALUE)
            die("an answer without a value");
    }
    return id;
}

/* ---- The run ---- */

static int open_socket(const char *port)
{
    const struct sockaddr_in agent = {.sin_family = AF_INET,
                                      .sin_port = htons((uint16_t)atoi(port)),
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval limit = {.tv_sec = 1};
    int socket_fd = socket(AF_INET, SOCK_DGRAM, 0);

    if (socket_fd < 0 || connect(socket_fd, (const struct sockaddr *)&agent, sizeof agent) != 0 ||
        setsockopt(socket_fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0)
        die(strerror(errno));
    return socket_fd;
}

/* Sends request number n in a slot; the id that its answer must have. */
static uint32_t send_request(int socket_fd, struct request *request, uint32_t n, uint32_t slot)
{
    uint32_t id = (n << SLOT_BITS | slot) & INT32_MAX;
    const uint32_t on_wire = htonl(id);

    memcpy(&request->bytes[request->id], &on_wire, sizeof on_wire);
    if (send(socket_fd, &request->bytes[request->start], used(request), 0) < 0)
        die(strerror(errno));
    return id;
}

static size_t run(int socket_fd, struct request *request, uint32_t count, uint32_t in_flight)
{
    static uint8_t answer[BUFFER_SIZE];
    uint32_t expected[SLOTS], sent = 0, answered = 0;
    double limit = seconds_of(CLOCK_MONOTONIC) + LIMIT_S;
    size_t values = 0;

    for (; sent < in_flight && sent < count; sent++)
        expected[sent] = send_request(socket_fd, request, sent, sent);
    while (answered < count) {
        ssize_t length = recv(socket_fd, answer, sizeof answer, 0);
        uint32_t id, slot;

        if (length < 0)
            die(errno == EAGAIN ? "no answer for a second" : strerror(errno));
        id = check(answer, (size_t)length, &values);
        slot = id % SLOTS;
        if (slot >= in_flight || id != expected[slot])
            die("an answer to nothing that was asked");
        expected[slot] = UINT32_MAX;
        answered++;
        if (sent < count) {
            expected[slot] = send_request(socket_fd, request, sent, slot);
            sent++;
        }
        if (seconds_of(CLOCK_MONOTONIC) > limit)
            die("more than 5 s for one run");
    }
    return values;
}

int main(int argc, char **argv)
{
    if (argc < 6) {
        fprintf(stderr, "usage: snmpget_rate PORT COUNT IN_FLIGHT REPETITIONS OID...\n");
        return 2;
    }

    uint32_t count = (uint32_t)atoi(argv[2]), in_flight = (uint32_t)atoi(argv[3]);

    if (count < 1 || in_flight < 1 || in_flight > SLOTS)
        die("COUNT at least 1, IN_FLIGHT 1 to 256");

    struct request request = encode((uint32_t)atoi(argv[4]), argc - 5, &argv[5]);
    int socket_fd = open_socket(argv[1]);
    double begin = seconds_of(CLOCK_MONOTONIC), cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    size_t values = run(socket_fd, &request, count, in_flight);

    printf("%.6f %.6f %zu\n", seconds_of(CLOCK_MONOTONIC) - begin,
           seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu, values);
    close(socket_fd);
    return 0;
}
