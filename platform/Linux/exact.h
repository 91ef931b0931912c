/*
 * What the sources have in common that count every reset where netfilter sees
 * it, at LOCAL_IN and LOCAL_OUT: bpf.c and nftables.c.
 */
#ifndef RSTWATCH_LINUX_EXACT_H
#define RSTWATCH_LINUX_EXACT_H

#include "platform/Linux/count.h"
#include "platform/sample.h"

/* Behind the reassembly of connection tracking (-400), before whatever may drop or change a
   packet (raw, -300): what arrived and what was sent is counted, also if a rule drops it. */
#define EXACT_PRIORITY (-350)

/* The kernel's own counters are read beside, so often: they are dearer than the exact ones. */
#define EXACT_COMPONENTS_INTERVAL_NS NS_PER_S

struct exact {
    uint64_t resets[COUNT_DIRECTIONS][COUNT_FAMILIES];
    uint64_t causes[COUNT_DIRECTIONS]
                   [CAUSE_SLOTS]; /* adds up to the same; if causes are measured */
};

/* Sets received and sent, in all and by family, and their methods; in place of what
   components_read() has set of them. */
void exact_set(const struct exact *exact, struct sample *sample);

/* Sets the counters by cause as measured: those of causes that the direction can have. */
void exact_set_causes(const struct exact *exact, struct sample *sample);

#endif
