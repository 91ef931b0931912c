/*
 * What is kept of the last resets: their headers, in a ring that the daemon maps.
 * Nothing is kept until the daemon asks for it.
 */
#ifndef RSTWATCH_LINUX_RECORD_BPF_H
#define RSTWATCH_LINUX_RECORD_BPF_H

#include "platform/Linux/count.h"
#include "platform/Linux/kernel.bpf.h"

struct count_ring rings[COUNT_RECORD_KINDS] __attribute__((aligned(64)));

__u32 keep_records; /* set by the daemon */

/*
 * Begins a record of the packet whose IP header is at `ip`; the caller fills in
 * the rest and ends it. NULL: none is to be kept. Headers end where that of TCP,
 * of `tcp_size` bytes at offset `tcp`, does.
 */
static __always_inline struct count_record *
begin_record(enum count_record_kind kind, const __u8 *ip, __u32 tcp, __u32 tcp_size, __u64 *number)
{
    struct count_ring *ring = &rings[kind];
    struct count_record *record;
    __u32 size = tcp + tcp_size;

    if (!keep_records)
        return 0;
    *number = __sync_fetch_and_add(&ring->newest, 1) + 1;
    record = &ring->records[*number % COUNT_RECORDS];
    record->number = 0;
    barrier();
    if (size > COUNT_RECORD_HEADERS)
        size = COUNT_RECORD_HEADERS;
    if (bpf_probe_read_kernel(record->headers, size, ip) != 0)
        size = 0;
    record->header_size = size;
    record->tcp = tcp < COUNT_RECORD_HEADERS ? tcp : COUNT_RECORD_HEADERS;
    record->time_ns = bpf_ktime_get_ns();
    record->length = ip[0] >> 4 == 4 ? bpf_ntohs(*(const __be16 *)(ip + 2))
                                     : IPV6_HEADER_SIZE + bpf_ntohs(*(const __be16 *)(ip + 4));
    return record;
}

static __always_inline void end_record(struct count_record *record, __u64 number)
{
    barrier();
    record->number = number;
}

/* An abort's cause, which is known later than its record is written. */
static __always_inline void complete_record(__u64 number, enum cause cause, __u32 reason)
{
    struct count_record *record = &rings[COUNT_RECORD_RESET].records[number % COUNT_RECORDS];

    if (number == 0 || record->number != number)
        return;
    record->reason = reason;
    record->cause = cause;
}

#endif
