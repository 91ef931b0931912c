/* The program that costs what a netfilter hook costs by itself. */
#ifndef RSTWATCH_BENCH_EMPTY_PROGRAM_H
#define RSTWATCH_BENCH_EMPTY_PROGRAM_H

#include <bpf/bpf.h>
#include <linux/netfilter.h>

#include "platform/Linux/netfilter.h"

/* Its descriptor, or a negative number and errno. */
static inline int load_empty_program(void)
{
    const struct bpf_insn instructions[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = NF_ACCEPT},
        {.code = BPF_JMP | BPF_EXIT},
    };
    LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = ATTACH_TYPE_NETFILTER);

    return bpf_prog_load(PROGRAM_TYPE_NETFILTER, "empty", "GPL", instructions,
                         sizeof instructions / sizeof *instructions, &options);
}

#endif
