#include "platform/reader.h"

extern const struct reader_type bpf_reader; /* bpf.c, or bpf_missing.c */
extern const struct reader_type nftables_reader;
extern const struct reader_type procfs_reader;

const struct reader_type *const platform_readers[] = {&bpf_reader, &nftables_reader, &procfs_reader,
                                                      NULL};
