/* Takes the place of bpf.c in a build with `make BPF=no`. */
#include "platform/reader.h"

extern const struct reader_type bpf_reader;

const struct reader_type bpf_reader = {
    .name = "bpf",
    .meaning = "netfilter BPF programs: not in this build",
    .missing = "not in this build (BPF=no)",
    .automatic = true,
};
