#include "platform/reader.h"

extern const struct reader_type bpf_reader;
extern const struct reader_type sysctl_reader;

const struct reader_type *const platform_readers[] = {&bpf_reader, &sysctl_reader, NULL};

const char *const platform_counter_sources[COUNTER_BY_CAUSE] = {
#define COUNTER(id, group, arc, name, linux_source, freebsd_source, unit, meaning)                 \
    [COUNTER_##id] = freebsd_source,
#include "mib/counters.def"
#undef COUNTER
};
