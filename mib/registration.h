/*
 * TCP-RESET-MIB in the library's agent: one registration of the root, one
 * handler for GET, GETNEXT and SET.
 */
#ifndef RSTWATCH_REGISTRATION_H
#define RSTWATCH_REGISTRATION_H

#include "mib/objects.h"

struct mib_service {
    /* Fills in what answers are taken from. */
    void (*view)(void *context, struct mib_view *view);
    /* Makes settings that passed settings_check() hold, durably; false: nothing has changed. */
    bool (*apply)(void *context, const struct set_settings *settings);
    void *context;
};

/* After init_agent(); `service` is kept. False: the library refused. */
bool mib_register(const struct mib_service *service);

#endif
