/*
 * Between the values of objects.h and the varbinds of net-snmp.
 */
#ifndef RSTWATCH_ASN_H
#define RSTWATCH_ASN_H

#include "mib/objects.h"

struct variable_list; /* netsnmp_variable_list */

void asn_put(struct variable_list *varbind, const struct mib_value *value);

/*
 * The value of a SET for this setting, in the units of settings.h. Returns an
 * SNMP error status: wrongType, wrongLength, wrongValue, or noError.
 */
int asn_take_setting(const struct variable_list *varbind, enum setting id, uint32_t *value);

#endif
