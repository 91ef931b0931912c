#include "platform/reader.h"

extern const struct reader_type bpf_reader; /* bpf.c, or bpf_missing.c */
extern const struct reader_type nftables_reader;
extern const struct reader_type procfs_reader;

const struct reader_type *const platform_readers[] = {&bpf_reader, &nftables_reader, &procfs_reader,
                                                      NULL};

const char *const platform_counter_sources[COUNTER_BY_CAUSE] = {
#define COUNTER(id, group, arc, name, linux_source, freebsd_source, unit, meaning)                 \
    [COUNTER_##id] = linux_source,
#include "mib/counters.def"
#undef COUNTER
};
