/*
 * One reset as it passed, or the segment that a reset answers: its headers, when,
 * where and why. Never payload. Plain data, no pointers: it is shared between
 * processes as it is.
 */
#ifndef RSTWATCH_EVIDENCE_H
#define RSTWATCH_EVIDENCE_H

#include <stdint.h>

#include "platform/sample.h"

#define EVIDENCE_HEADERS 128 /* bytes */
#define EVIDENCE_WHY     48  /* bytes, with NUL */

enum evidence_kind {
    EVIDENCE_RESET,
    EVIDENCE_TRIGGER, /* received, and answered by the reset that comes next from this flow */
    EVIDENCE_MISSED,  /* no packet: so many resets of the direction have no record of their own */
};

struct evidence {
    int64_t time_ns;        /* CLOCK_MONOTONIC; of EVIDENCE_MISSED: they were before, not long */
    uint32_t missed;        /* of EVIDENCE_MISSED only */
    uint32_t interface;     /* index; 0: not known */
    uint16_t length;        /* bytes of the packet on the wire, from its IP header on */
    uint8_t header_size;    /* bytes of `headers` in use */
    uint8_t kind;           /* enum evidence_kind */
    uint8_t direction;      /* enum direction */
    uint8_t cause;          /* enum cause; of EVIDENCE_RESET only, else CAUSE_NONE */
    char why[EVIDENCE_WHY]; /* the kernel's reason or the socket's state, "NO_SOCKET"; "": none */
    uint8_t headers[EVIDENCE_HEADERS]; /* from the IP header on */
};

#endif
