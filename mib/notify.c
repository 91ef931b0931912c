#include "mib/notify.h"

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include "mib/asn.h"
#include "mib/root.h"

/* Columns of tcpResetEventEntry, in the order of the OBJECTS clauses. */
static const uint32_t columns[] = {15, 7, 8, 9, 12, 13, 2, 3, 14};

static bool add_trap_oid(netsnmp_variable_list **varbinds, enum event_kind kind)
{
    static const oid trap_oid[] = {1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0}; /* snmpTrapOID.0 */
    const oid notification[] = {MIB_ROOT, 0, kind};

    return snmp_varlist_add_variable(varbinds, trap_oid, OID_LENGTH(trap_oid), ASN_OBJECT_ID,
                                     notification, sizeof notification) != NULL;
}

/* A column without a value (a SYN-cookie state that this host cannot know) is left out. */
static bool add_column(netsnmp_variable_list **varbinds, const struct mib_view *view,
                       uint32_t column, uint32_t number)
{
    const uint32_t relative[] = {1, 6, 5, 1, column, number};
    const oid name[] = {MIB_ROOT, 1, 6, 5, 1, column, number};
    netsnmp_variable_list *varbind;
    struct mib_value value;

    if (mib_get(view, relative, sizeof relative / sizeof *relative, &value) != MIB_FOUND)
        return true;
    varbind = snmp_varlist_add_variable(varbinds, name, OID_LENGTH(name), ASN_NULL, NULL, 0);
    if (!varbind)
        return false;
    asn_put(varbind, &value);
    return true;
}

netsnmp_variable_list *notify_varbinds(const struct mib_view *view, const struct event *event)
{
    netsnmp_variable_list *varbinds = NULL;
    bool built = add_trap_oid(&varbinds, event->kind);

    for (size_t i = 0; built && i < sizeof columns / sizeof *columns; i++)
        built = add_column(&varbinds, view, columns[i], event->number);
    if (built)
        return varbinds;
    snmp_free_varbind(varbinds);
    return NULL;
}
