/*
 * What a packet costs the CPU, from a socket in one network namespace to one in
 * another and its answer back, over IPv4.
 *
 *   packet_cost udp|tcp NAMESPACE ADDRESS NAMESPACE ADDRESS
 *
 * Namespaces by their paths. Prints ns a packet. Each packet passes one hook, LOCAL_IN
 * or LOCAL_OUT, of either namespace.
 *
 * One thread has both sockets. The kernel carries a packet all the way into the other
 * socket within send(), softirq included, and recv() never waits: nothing sleeps, so the
 * time that passes is CPU time of the whole way. Others are kept off by a real-time
 * priority; what still comes between, interrupts and a hypervisor, hits some batches,
 * which their median leaves out. A process's CPU clock would not do: softirqs are charged
 * to it by some kernels and not by others (CONFIG_IRQ_TIME_ACCOUNTING).
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "subagent/clock.h"

#define PORT    9009
#define PAYLOAD 1000

#define BATCHES     63
#define ROUND_TRIPS 250 /* of a batch: it takes about a millisecond */
#define PACKETS     (2 * ROUND_TRIPS)

struct end {
    const char *namespace;
    struct sockaddr_in address;
    int fd;
};

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void take_one_cpu(void)
{
    const struct sched_param priority = {.sched_priority = 1};
    cpu_set_t cpus;

    CPU_ZERO(&cpus);
    CPU_SET(sysconf(_SC_NPROCESSORS_ONLN) - 1, &cpus);
    if (sched_setaffinity(0, sizeof cpus, &cpus) != 0 ||
        sched_setscheduler(0, SCHED_FIFO, &priority) != 0)
        die("a CPU of its own");
}

/* A socket stays in the namespace that it was made in. */
static void open_end(struct end *end, int type, const char *namespace, const char *address)
{
    const struct timeval limit = {.tv_sec = 1};
    const int yes = 1;
    int fd = open(namespace, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || setns(fd, CLONE_NEWNET) != 0)
        die(namespace);
    close(fd);
    end->address = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = inet_addr(address)};
    end->fd = socket(AF_INET, type, 0);
    if (end->fd < 0 || setsockopt(end->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0 ||
        setsockopt(end->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(end->fd, (struct sockaddr *)&end->address, sizeof end->address) != 0)
        die(address);
}

static void connect_to(const struct end *from, const struct end *to)
{
    if (connect(from->fd, (const struct sockaddr *)&to->address, sizeof to->address) != 0)
        die("connect");
}

static void without_delay(const struct end *end)
{
    const int yes = 1;

    if (setsockopt(end->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) != 0)
        die("TCP_NODELAY");
}

static void join_tcp(struct end *here, struct end *there)
{
    int listener = here->fd;

    if (listen(listener, 1) != 0)
        die("listen");
    connect_to(there, here);
    here->fd = accept(listener, NULL, NULL);
    if (here->fd < 0)
        die("accept");
    close(listener);
    without_delay(here);
    without_delay(there);
}

static void join_udp(const struct end *here, const struct end *there)
{
    connect_to(here, there);
    connect_to(there, here);
}

static void pass(const struct end *from, const struct end *to)
{
    static char bytes[PAYLOAD];

    if (send(from->fd, bytes, sizeof bytes, 0) != sizeof bytes ||
        recv(to->fd, bytes, sizeof bytes, MSG_WAITALL) != sizeof bytes)
        die("a packet");
}

static double ns_of_a_packet(const struct end *here, const struct end *there)
{
    int64_t begin_ns = clock_ns(CLOCK_MONOTONIC);

    for (int n = 0; n < ROUND_TRIPS; n++) {
        pass(there, here);
        pass(here, there);
    }
    return (double)(clock_ns(CLOCK_MONOTONIC) - begin_ns) / PACKETS;
}

/* An acknowledgement goes with the answer, so that every packet carries data. */
static void check_segments(const struct end *end)
{
    struct tcp_info info;
    socklen_t size = sizeof info;
    unsigned segments;

    if (getsockopt(end->fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
        die("TCP_INFO");
    segments = info.tcpi_segs_in + info.tcpi_segs_out;
    if (segments < BATCHES * PACKETS || segments > BATCHES * (PACKETS + 1)) {
        fprintf(stderr, "packet_cost: %u segments for %d of data\n", segments, BATCHES * PACKETS);
        exit(1);
    }
}

static int by_value(const void *left, const void *right)
{
    double difference = *(const double *)left - *(const double *)right;

    return (difference > 0) - (difference < 0);
}

int main(int count, char **arguments)
{
    bool tcp = count == 6 && strcmp(arguments[1], "tcp") == 0;
    struct end here, there;
    double ns[BATCHES];

    if (count != 6 || (!tcp && strcmp(arguments[1], "udp") != 0)) {
        fprintf(stderr, "usage: packet_cost udp|tcp NAMESPACE ADDRESS NAMESPACE ADDRESS\n");
        return 2;
    }
    take_one_cpu();
    open_end(&here, tcp ? SOCK_STREAM : SOCK_DGRAM, arguments[2], arguments[3]);
    open_end(&there, tcp ? SOCK_STREAM : SOCK_DGRAM, arguments[4], arguments[5]);
    if (tcp)
        join_tcp(&here, &there);
    else
        join_udp(&here, &there);
    for (int n = 0; n < BATCHES; n++)
        ns[n] = ns_of_a_packet(&here, &there);
    if (tcp)
        check_segments(&here);
    qsort(ns, BATCHES, sizeof *ns, by_value);
    printf("%.1f\n", ns[BATCHES / 2]);
    return 0;
}
