/*
 * Prints what the daemon is built with, for names.py: one thing a line, its
 * parts separated by tabs, the first of them saying what it is.
 *
 *   object        OID, name, syntax, access
 *   notification  OID, name, id of the event
 *   counter       OID, name, Linux source, FreeBSD source, unit, meaning
 *   cause         direction.label, OID of its count, phrase in summaries
 *   setting       name, key, kind, minimum, maximum, default
 *   enumeration   name, label, number
 *   version       as --version prints it
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mib/objects.h"
#include "mib/root.h"
#include "subagent/summary.h"
#include "subagent/version.h"

static void print_oid(const uint32_t *arcs, size_t count)
{
    static const uint32_t root[] = {MIB_ROOT};

    for (size_t i = 0; i < sizeof root / sizeof *root; i++)
        printf("%s%" PRIu32, i > 0 ? "." : "", root[i]);
    for (size_t i = 0; i < count; i++)
        printf(".%" PRIu32, arcs[i]);
}

static const char *syntax_name(enum mib_syntax syntax)
{
    switch (syntax) {
    case MIB_INTEGER:
        return "INTEGER";
    case MIB_UNSIGNED:
        return "Unsigned32";
    case MIB_COUNTER32:
        return "Counter32";
    case MIB_COUNTER64:
        return "Counter64";
    case MIB_TIMETICKS:
        return "TimeTicks";
    case MIB_BITS:
        return "BITS";
    case MIB_STRING:
        return "OCTET STRING";
    }
    return "?";
}

static void print_objects(void)
{
    size_t count;
    const struct mib_object *objects = mib_objects(&count);

    for (size_t i = 0; i < count; i++) {
        printf("object\t");
        print_oid(objects[i].arcs, objects[i].arc_count);
        printf("\t%s\t%s\t%s\n", objects[i].name, syntax_name(objects[i].syntax),
               objects[i].access == MIB_READ_WRITE ? "read-write" : "read-only");
    }
}

static void print_notification(uint32_t arc, const char *name, const char *id)
{
    const uint32_t arcs[] = {0, arc};

    printf("notification\t");
    print_oid(arcs, 2);
    printf("\t%s\t%s\n", name, id);
}

static void print_counter(uint32_t group, uint32_t arc, const char *name, const char *linux_source,
                          const char *freebsd_source, const char *unit, const char *meaning)
{
    const uint32_t arcs[] = {1, group, arc};

    printf("counter\t");
    print_oid(arcs, 3);
    printf("\t%s\t%s\t%s\t%s\t%s\n", name, linux_source, freebsd_source, unit, meaning);
}

static void print_cause(enum direction direction, int cause, const char *phrase)
{
    const uint32_t arcs[] = {1, 7, 1, 1, 4, direction, (uint32_t)cause};

    if (phrase[0] == '\0')
        return;
    printf("cause\t%s\t", counter_names[cause_counter(direction, cause)]);
    print_oid(arcs, sizeof arcs / sizeof *arcs);
    printf("\t%s\n", phrase);
}

static const char *kind_name(enum setting_kind kind)
{
    switch (kind) {
    case SETTING_KIND_FLAG:
        return "FLAG";
    case SETTING_KIND_RATE:
        return "RATE";
    case SETTING_KIND_NUMBER:
        return "NUMBER";
    case SETTING_KIND_MASK:
        return "MASK";
    }
    return "?";
}

static void print_settings(void)
{
    for (int id = 0; id < SETTING_COUNT; id++) {
        const struct setting_type *type = &setting_types[id];

        printf("setting\t%s\t%s\t%s\t%" PRIu32 "\t%" PRIu32 "\t%" PRIu32 "\n", type->name,
               type->key, kind_name(type->kind), type->minimum, type->maximum, type->fallback);
    }
}

static void print_label(const char *enumeration, const char *label, int number)
{
    printf("enumeration\t%s\t%s\t%d\n", enumeration, label, number);
}

/* The word that a summary of an alarm ends with, where no cause stands out. */
static void print_alarm_states(void)
{
    char summary[SUMMARY_SIZE];

    for (enum alarm_state state = ALARM_NORMAL; state <= ALARM_CLEARING; state++) {
        struct alarm alarm = alarm_new();

        alarm.state = state;
        alarm.value_known = true;
        summary_of_alarm(summary, METRIC_RECEIVED, &alarm, &(struct counted){0});
        print_label("tcpResetAlarmState", strrchr(summary, ' ') + 1, state);
    }
}

static void print_enumerations(void)
{
    for (enum metric metric = METRIC_FIRST; metric <= METRIC_LAST; metric++)
        print_label("TcpResetMetric", metric_names[metric], metric);
    for (int method = METHOD_EXACT; method <= METHOD_ESTIMATED; method++)
        print_label("TcpResetMethod", method_name((uint8_t)method), method);
    for (int state = SYN_COOKIES_DISABLED; state <= SYN_COOKIES_ALWAYS; state++)
        print_label("TcpResetSynCookieMode", syn_cookie_state_name((uint8_t)state), state);
    for (int cause = CAUSE_NONE; cause < CAUSE_SLOTS; cause++) {
        print_label("TcpResetCause", cause_labels[cause], cause);
        print_label("TcpResetCauseSet", cause_labels[cause], cause);
    }
    print_label("TcpResetDirection", metric_names[METRIC_RECEIVED], DIRECTION_RECEIVED);
    print_label("TcpResetDirection", metric_names[METRIC_SENT], DIRECTION_SENT);
    print_label("tcpResetCauseMethod", "measured", CAUSES_MEASURED);
    print_label("tcpResetCauseMethod", "derived", CAUSES_DERIVED);
    print_label("tcpResetEvidenceState", "writing", EVIDENCE_WRITING);
    print_label("tcpResetEvidenceState", "complete", EVIDENCE_COMPLETE);
    print_label("tcpResetEvidenceState", "failed", EVIDENCE_FAILED);
    print_label("tcpResetEvidenceState", "interrupted", EVIDENCE_INTERRUPTED);
    print_label("tcpResetEvidenceState", "deleted", EVIDENCE_DELETED);
    print_alarm_states();
    _Static_assert(SOURCE_COUNT == 6, "a new source needs its line below");
    print_label("tcpResetSources", "procfs", SOURCE_PROCFS);
    print_label("tcpResetSources", "replay", SOURCE_REPLAY);
    print_label("tcpResetSources", "bpf", SOURCE_BPF);
    print_label("tcpResetSources", "nftables", SOURCE_NFTABLES);
    print_label("tcpResetSources", "freebsdSysctl", SOURCE_FREEBSD_SYSCTL);
    print_label("tcpResetSources", "freebsdBpf", SOURCE_FREEBSD_BPF);
}

int main(void)
{
    print_objects();
#define NOTIFICATION(id, arc, name, word) print_notification(arc, name, #id);
#include "mib/notifications.def"
#undef NOTIFICATION
#define COUNTER(id, group, arc, name, linux_source, freebsd_source, unit, meaning)                 \
    print_counter(group, arc, name, linux_source, freebsd_source, unit, meaning);
#include "mib/counters.def"
#undef COUNTER
#define CAUSE(id, number, label, received, sent)                                                   \
    print_cause(DIRECTION_RECEIVED, number, received);                                             \
    print_cause(DIRECTION_SENT, number, sent);
#include "mib/causes.def"
#undef CAUSE
    print_settings();
    print_enumerations();
    printf("version\t%s\n", RSTWATCH_VERSION);
    return 0;
}
