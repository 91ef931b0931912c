/*
 * TCP-RESET-MIB in the library's agent: one registration of the root, one
 * handler for GET, GETNEXT and SET; and the same answers to GET and GETNEXT for
 * a caller that has the varbinds already.
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

struct variable_list; /* netsnmp_variable_list */

/* Turns the varbinds of a GET, or the search ranges of a GETNEXT, into their answers. False,
   and nothing has changed: not all of them are below the root. */
bool mib_answer(struct variable_list *varbinds, bool next);

#endif
