#include "platform/reader.h"

extern const struct reader_type procfs_reader; /* procfs.c */

const struct reader_type *const platform_readers[] = {&procfs_reader, NULL};
