/* See tests/unit/freebsd/net/bpf.h. */
#undef FIONREAD
#define FIONREAD 100
