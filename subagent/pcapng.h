/*
 * Blocks of a pcapng file of IP packets, written into a buffer. Pure.
 * Little-endian, times in ns since 1970.
 *
 * In place of a link layer there is the header that Linux's cooked captures have
 * (LINKTYPE_LINUX_SLL): libpcap 1.10 reads no file that has two interfaces of
 * LINKTYPE_RAW, and tcpdump shows the direction by it.
 */
#ifndef RSTWATCH_PCAPNG_H
#define RSTWATCH_PCAPNG_H

#include <stddef.h>
#include <stdint.h>

/* What is longer is cut. */
#define PCAPNG_TEXT_MAX 512 /* bytes of a comment or name, a multiple of 4 */
#define PCAPNG_DATA_MAX 256 /* bytes of a packet */

/* No block is larger. */
#define PCAPNG_BLOCK_MAX (PCAPNG_TEXT_MAX + PCAPNG_DATA_MAX + 80)

#define PCAPNG_COOKED 16 /* bytes before the IP header */

enum pcapng_way { PCAPNG_INBOUND = 1, PCAPNG_OUTBOUND = 2 };

struct pcapng_packet {
    uint32_t interface;  /* the n-th interface block of the section, from 0 */
    int64_t time_ns;     /* since 1970 */
    const uint8_t *data; /* from the IP header on */
    uint32_t captured;   /* bytes of data */
    uint32_t original;   /* bytes of the packet on the wire; captured at least */
    enum pcapng_way way;
    const char *comment;
};

/* Each writes one block, PCAPNG_BLOCK_MAX bytes at most, and returns its size. */

/* The first block of a file. Its size is always the same, whatever the comment: it can be
   written over in place. */
size_t pcapng_section(uint8_t *block, const char *comment);

/* Before the first packet that passed there. `snap_length`: of a packet no more is kept; the
   same for all interfaces. */
size_t pcapng_interface(uint8_t *block, const char *name, uint32_t snap_length);

size_t pcapng_packet(uint8_t *block, const struct pcapng_packet *packet);

#endif
