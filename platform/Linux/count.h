/*
 * What the counting programs (count.bpf.c) and the source that loads them
 * (bpf.c) share. Includes nothing: one is compiled for the kernel.
 */
#ifndef RSTWATCH_LINUX_COUNT_H
#define RSTWATCH_LINUX_COUNT_H

enum count_direction { COUNT_RECEIVED, COUNT_SENT, COUNT_DIRECTIONS };
enum count_family { COUNT_IPV4, COUNT_IPV6, COUNT_FAMILIES };

#endif
