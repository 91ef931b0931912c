/*
 * What the service manager is told, where it asks to be: the datagrams of sd_notify(3), by
 * NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.
 */
#ifndef RSTWATCH_SERVICE_H
#define RSTWATCH_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

/* True also where there is nobody to tell. False: errno. */
bool service_open(void);

/* The daemon is up. */
void service_ready(void);

/* All is well; told as often as the service manager's watchdog wants it. */
void service_alive(int64_t now_ns);

#endif
