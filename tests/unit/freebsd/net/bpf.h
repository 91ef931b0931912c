/* What platform/FreeBSD/bpf.c asks of FreeBSD's header, for tests/unit/test_freebsd_bpf.c. */
#ifndef RSTWATCH_TESTS_FREEBSD_BPF_H
#define RSTWATCH_TESTS_FREEBSD_BPF_H

#include <pcap/pcap.h>

#define BPF_MINBUFSIZE 32
#ifndef BPF_MAXINSNS
#define BPF_MAXINSNS 512
#endif

enum { BPF_D_IN, BPF_D_INOUT, BPF_D_OUT };

/* Requests of ioctl; their numbers are of no matter here. */
enum { BIOCSBLEN = 1, BIOCSETF, BIOCSETFNR, BIOCSETIF, BIOCGDLT, BIOCSDIRECTION, BIOCGSTATS };

struct bpf_stat {
    unsigned bs_recv, bs_drop;
};

#endif
