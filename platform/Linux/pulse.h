/*
 * A packet of our own over the loopback, once a second and family: what counts
 * every packet must have seen it when it is back. For sources whose loss shows
 * in no other way. Needs no rights; where there is no loopback of a family,
 * there is no pulse.
 */
#ifndef RSTWATCH_LINUX_PULSE_H
#define RSTWATCH_LINUX_PULSE_H

#include <stdbool.h>

#include "platform/Linux/count.h"

struct pulse {
    int sockets[COUNT_FAMILIES]; /* UDP, connected to itself; -1: none */
};

void pulse_open(struct pulse *pulse);
void pulse_close(struct pulse *pulse);
void pulse_send(const struct pulse *pulse);

/* One that was sent since the last call has come through LOCAL_OUT and LOCAL_IN. */
bool pulse_arrived(const struct pulse *pulse, enum count_family family);

#endif
