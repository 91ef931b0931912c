#include "platform/FreeBSD/tcpstat.h"

#include <stdio.h>
#include <string.h>

#define ABSENT SIZE_MAX

enum layout { LAYOUT_904, LAYOUT_1000, LAYOUTS };

static const size_t lengths[LAYOUTS] = {[LAYOUT_904] = 904, [LAYOUT_1000] = 1000};

static const size_t offsets[TCPSTAT_FIELDS][LAYOUTS] = {
#define FIELD(name, offset_904, offset_1000) [TCPSTAT_##name] = {offset_904, offset_1000},
#include "platform/FreeBSD/tcpstat.def"
#undef FIELD
};

bool tcpstat_decode(const void *bytes, size_t length, struct tcpstat_values *values, char *error,
                    size_t error_size)
{
    enum layout layout = 0;

    while (layout < LAYOUTS && lengths[layout] != length)
        layout++;
    if (layout == LAYOUTS) {
        snprintf(error, error_size,
                 "net.inet.tcp.stats: %zu bytes: expected %zu (FreeBSD 13.2) or %zu (15.1)", length,
                 lengths[LAYOUT_904], lengths[LAYOUT_1000]);
        return false;
    }
    *values = (struct tcpstat_values){0};
    for (int field = 0; field < TCPSTAT_FIELDS; field++) {
        size_t offset = offsets[field][layout];

        values->known[field] = offset != ABSENT;
        if (values->known[field])
            memcpy(&values->value[field], (const char *)bytes + offset, sizeof(uint64_t));
    }
    return true;
}

void tcpstat_set(const struct tcpstat_values *values, struct sample *sample)
{
    const uint64_t *value = values->value;

    sample_set(sample, COUNTER_ATTEMPT_FAILS, value[TCPSTAT_conndrops] + value[TCPSTAT_sc_reset]);
    sample_set(sample, COUNTER_ESTAB_RESETS, value[TCPSTAT_drops]);
    sample_set(sample, COUNTER_EMBRYONIC, value[TCPSTAT_sc_reset]);
    sample_set(sample, COUNTER_BAD_CHECKSUMS, value[TCPSTAT_rcvbadsum]);
    sample_set(sample, COUNTER_ABORTS_ON_TIMEOUT,
               value[TCPSTAT_timeoutdrop] + value[TCPSTAT_keepdrops] + value[TCPSTAT_persistdrop] +
                   value[TCPSTAT_progdrops]);
    sample_set(sample, COUNTER_RECEIVED_BLIND, value[TCPSTAT_badrst]);
    sample_set(sample, COUNTER_LISTEN_OVERFLOWS, value[TCPSTAT_listendrop]);
    sample_set(sample, COUNTER_LISTEN_DROPS, value[TCPSTAT_listendrop] + value[TCPSTAT_sc_dropped]);
    sample_set(sample, COUNTER_SYN_COOKIES_RECEIVED, value[TCPSTAT_sc_recvcookie]);
    if (values->known[TCPSTAT_sc_failcookie])
        sample_set(sample, COUNTER_SYN_COOKIES_FAILED,
                   value[TCPSTAT_sc_spurcookie] + value[TCPSTAT_sc_failcookie]);
}
