/*
 * BPF programs at netfilter's hooks: what the headers and the libbpf that we build
 * with may be too old for.
 */
#ifndef RSTWATCH_LINUX_NETFILTER_H
#define RSTWATCH_LINUX_NETFILTER_H

#include <linux/bpf.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Names of Linux 6.4. */
#define PROGRAM_TYPE_NETFILTER 32 /* BPF_PROG_TYPE_NETFILTER */
#define ATTACH_TYPE_NETFILTER  45 /* BPF_NETFILTER */

struct link_request { /* union bpf_attr, link_create, as far as netfilter needs it */
    uint32_t program_fd, target_fd, attach_type, flags;
    struct {
        uint32_t protocol, hook;
        int32_t priority;
        uint32_t flags;
    } netfilter;
};

/* A link's descriptor, or -1 and errno. bpf_link_create() of libbpf 1.1 does not know this kind. */
static inline int netfilter_attach(int program_fd, uint32_t protocol, uint32_t hook,
                                   int32_t priority)
{
    /* As large as the kernel's: what is behind it must be zero. */
    union {
        struct link_request request;
        uint64_t whole[16];
    } attributes = {
        .whole = {0},
    };

    attributes.request = (struct link_request){
        .program_fd = (uint32_t)program_fd,
        .attach_type = ATTACH_TYPE_NETFILTER,
        .netfilter = {.protocol = protocol, .hook = hook, .priority = priority},
    };
    return (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attributes, sizeof attributes);
}

#endif
