/*
 * The varbinds of a notification: columns of its event row, taken from where a
 * GET takes them.
 */
#ifndef RSTWATCH_NOTIFY_H
#define RSTWATCH_NOTIFY_H

#include "mib/objects.h"

struct variable_list; /* netsnmp_variable_list */

/* snmpTrapOID.0, then the objects of the notification in the order of the MIB. For the
   caller to send or to free; NULL when memory is short. */
struct variable_list *notify_varbinds(const struct mib_view *view, const struct event *event);

#endif
