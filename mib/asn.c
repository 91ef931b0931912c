#include "mib/asn.h"

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

static u_char type_of(enum mib_syntax syntax)
{
    switch (syntax) {
    case MIB_INTEGER:
        return ASN_INTEGER;
    case MIB_UNSIGNED:
        return ASN_GAUGE;
    case MIB_COUNTER32:
        return ASN_COUNTER;
    case MIB_COUNTER64:
        return ASN_COUNTER64;
    case MIB_TIMETICKS:
        return ASN_TIMETICKS;
    case MIB_BITS:
    case MIB_STRING:
        return ASN_OCTET_STR;
    }
    return ASN_NULL;
}

void asn_put(struct variable_list *varbind, const struct mib_value *value)
{
    u_char type = type_of(value->syntax);
    struct counter64 wide = {.high = value->number >> 32, .low = value->number & UINT32_MAX};

    switch (value->syntax) {
    case MIB_COUNTER64:
        snmp_set_var_typed_value(varbind, type, &wide, sizeof wide);
        break;
    case MIB_BITS:
    case MIB_STRING:
        snmp_set_var_typed_value(varbind, type, value->bytes, value->length);
        break;
    default:
        snmp_set_var_typed_integer(varbind, type, (long)value->number);
    }
}

static int take_flag(const struct variable_list *varbind, uint32_t *value)
{
    if (varbind->type != ASN_INTEGER)
        return SNMP_ERR_WRONGTYPE;
    if (*varbind->val.integer != 1 && *varbind->val.integer != 2) /* TruthValue */
        return SNMP_ERR_WRONGVALUE;
    *value = *varbind->val.integer == 1;
    return SNMP_ERR_NOERROR;
}

static int take_unsigned(const struct variable_list *varbind, uint32_t *value)
{
    if (varbind->type != ASN_UNSIGNED)
        return SNMP_ERR_WRONGTYPE;
    *value = (uint32_t)*varbind->val.integer;
    return SNMP_ERR_NOERROR;
}

static int take_mask(const struct variable_list *varbind, uint32_t *value)
{
    uint32_t mask = 0;

    if (varbind->type != ASN_OCTET_STR)
        return SNMP_ERR_WRONGTYPE;
    if (varbind->val_len > (CAUSE_MASK_BITS + 7) / 8)
        return SNMP_ERR_WRONGLENGTH;
    for (unsigned bit = 0; bit < varbind->val_len * 8; bit++)
        if (varbind->val.string[bit / 8] & 0x80 >> bit % 8)
            mask |= UINT32_C(1) << bit;
    *value = mask;
    return SNMP_ERR_NOERROR;
}

int asn_take_setting(const struct variable_list *varbind, enum setting id, uint32_t *value)
{
    const struct setting_type *type = &setting_types[id];
    int error = SNMP_ERR_WRONGTYPE;

    switch (type->kind) {
    case SETTING_KIND_FLAG:
        error = take_flag(varbind, value);
        break;
    case SETTING_KIND_RATE:
    case SETTING_KIND_NUMBER:
        error = take_unsigned(varbind, value);
        break;
    case SETTING_KIND_MASK:
        error = take_mask(varbind, value);
        break;
    }
    if (error == SNMP_ERR_NOERROR && (*value < type->minimum || *value > type->maximum))
        return SNMP_ERR_WRONGVALUE;
    return error;
}
