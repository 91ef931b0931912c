#include "mib/objects.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "subagent/evidence_text.h"
#include "subagent/summary.h"
#include "subagent/version.h"

/* ---- Values ---- */

static bool number(struct mib_value *value, uint64_t n)
{
    value->number = n;
    return true;
}

/* An enumeration whose 0 means unknown. */
static bool known(struct mib_value *value, uint8_t n)
{
    value->number = n;
    return n != 0;
}

static bool text(struct mib_value *value, const char *string)
{
    value->length = strnlen(string, sizeof value->bytes);
    memcpy(value->bytes, string, value->length);
    return true;
}

/* Bit n is the n-th bit from the left (RFC 2578, 7.1.4); as many bytes as `count` bits need. */
static bool bits(struct mib_value *value, uint32_t mask, unsigned count)
{
    value->length = (count + 7) / 8;
    memset(value->bytes, 0, value->length);
    for (unsigned bit = 0; bit < count; bit++)
        if (mask >> bit & 1)
            value->bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
    return true;
}

static bool truth(struct mib_value *value, bool yes)
{
    return number(value, yes ? 1 : 2);
}

/* TimeStamp: sysUpTime at time_ns, modulo 2^32; 0 when the master agent did not run yet. */
static bool timestamp(const struct mib_view *view, struct mib_value *value, int64_t time_ns)
{
    const int64_t ns_per_tick = NS_PER_S / 100;
    int64_t since_ns = time_ns - view->master_start_ns;

    return number(value, since_ns > 0 ? (uint32_t)(since_ns / ns_per_tick) : 0);
}

/* DateAndTime of RFC 2579, with the offset from UTC. */
static bool date(struct mib_value *value, int64_t time_ms)
{
    time_t seconds = time_ms / 1000;
    struct tm local;
    unsigned year, offset_min;

    localtime_r(&seconds, &local);
    year = (unsigned)local.tm_year + 1900;
    offset_min = (unsigned)(labs(local.tm_gmtoff) / 60);
    value->length = 11;
    value->bytes[0] = (uint8_t)(year >> 8);
    value->bytes[1] = (uint8_t)year;
    value->bytes[2] = (uint8_t)(local.tm_mon + 1);
    value->bytes[3] = (uint8_t)local.tm_mday;
    value->bytes[4] = (uint8_t)local.tm_hour;
    value->bytes[5] = (uint8_t)local.tm_min;
    value->bytes[6] = (uint8_t)local.tm_sec;
    value->bytes[7] = (uint8_t)(time_ms % 1000 / 100);
    value->bytes[8] = local.tm_gmtoff < 0 ? '-' : '+';
    value->bytes[9] = (uint8_t)(offset_min / 60);
    value->bytes[10] = (uint8_t)(offset_min % 60);
    return true;
}

/* ---- Getters: one a group, `which` is the last arc of the object ---- */

static bool get_agent(const struct mib_view *view, const uint32_t *index, int which,
                      struct mib_value *value)
{
    const struct sample *sample = &view->snapshot->sample;

    (void)index;
    if (which == 1)
        return text(value, RSTWATCH_VERSION);
    if (which == 2)
        return number(value, view->sample_interval_ms);
    if (which == 10)
        return number(value, view->storage_state);
    if (which == 11)
        return text(value, view->storage_error);
    if (sample->sequence == 0)
        return false;
    switch (which) {
    case 3:
        return bits(value, sample->sources, SOURCE_COUNT);
    case 4:
        return known(value, sample->received_method);
    case 5:
        return known(value, sample->sent_method);
    case 6:
        return sample->good_ns > 0 &&
               number(value, (uint64_t)(view->now_ns - sample->good_ns) / (NS_PER_S / 1000));
    case 7:
        return number(value, sample->read_failures);
    case 8:
        return number(value, sample->discontinuities);
    case 9:
        return timestamp(view, value, sample->discontinuity_ns);
    }
    return false;
}

static bool get_counter(const struct mib_view *view, const uint32_t *index, int which,
                        struct mib_value *value)
{
    (void)index;
    return sample_has(&view->snapshot->sample, which) &&
           number(value, view->snapshot->sample.counter[which]);
}

static bool get_rate(const struct mib_view *view, const uint32_t *index, int which,
                     struct mib_value *value)
{
    (void)index;
    return snapshot_has_rate(view->snapshot, which) &&
           number(value, view->snapshot->rate_centi[which]);
}

static bool get_syn_cookie_state(const struct mib_view *view, const uint32_t *index, int which,
                                 struct mib_value *value)
{
    (void)index, (void)which;
    return known(value, view->snapshot->sample.syn_cookie_state);
}

static bool get_syn_cookies_in_use(const struct mib_view *view, const uint32_t *index, int which,
                                   struct mib_value *value)
{
    (void)index, (void)which;
    return snapshot_has_rate(view->snapshot, RATE_SYN_COOKIES_AVG10S) &&
           truth(value, view->snapshot->rate_centi[RATE_SYN_COOKIES_AVG10S] > 0);
}

static bool get_setting(const struct mib_view *view, const uint32_t *metric, int which,
                        struct mib_value *value)
{
    uint32_t setting = view->snapshot->settings.value[*metric].value[which];

    switch (setting_types[which].kind) {
    case SETTING_KIND_FLAG:
        return truth(value, setting != 0);
    case SETTING_KIND_MASK:
        return bits(value, setting, CAUSE_MASK_BITS);
    case SETTING_KIND_RATE:
    case SETTING_KIND_NUMBER:
        break;
    }
    return number(value, setting);
}

static bool get_alarm(const struct mib_view *view, const uint32_t *metric, int which,
                      struct mib_value *value)
{
    const struct alarm *alarm = &view->snapshot->alarm[*metric];
    char summary[SUMMARY_SIZE];

    switch (which) {
    case 2:
        return text(value, metric_names[*metric]);
    case 10: /* a limit is at least 1: 0 is before the first sample */
        return alarm->rising_centi > 0 && number(value, alarm->rising_centi);
    case 11:
        return alarm->falling_centi > 0 && number(value, alarm->falling_centi);
    case 12: /* what is not measured is not normal either */
        return (alarm->value_known || alarm_is_raised(alarm)) && number(value, alarm->state);
    case 13:
        return alarm->value_known && number(value, alarm->value_centi);
    case 14:
        return number(value, alarm->raises);
    case 15:
        return timestamp(view, value, alarm->state_since_ns);
    case 16:
        return alarm_is_raised(alarm) && number(value, alarm->peak_centi);
    case 17:
        summary_of_alarm(summary, *metric, alarm, &view->snapshot->counted[*metric]);
        return text(value, summary);
    }
    return false;
}

static bool get_cause(const struct mib_view *view, const uint32_t *index, int which,
                      struct mib_value *value)
{
    const struct sample *sample = &view->snapshot->sample;
    enum cause cause = index[1];
    enum counter id = cause_counter(index[0], cause);

    switch (which) {
    case 3:
        return text(value, cause_labels[cause]);
    case 4:
        return number(value, sample->counter[id]);
    case 5:
        return number(value, view->snapshot->by_cause_centi[id - COUNTER_BY_CAUSE]);
    case 6:
        return known(value, sample->cause_method);
    }
    return false;
}

static bool get_event_log(const struct mib_view *view, const uint32_t *index, int which,
                          struct mib_value *value)
{
    (void)index;
    switch (which) {
    case 1:
        return number(value, view->events->capacity);
    case 2:
        return number(value, view->events->newest);
    case 3:
        return number(value, view->events->dropped);
    case 4:
        return number(value, event_log_pending_count(view->events));
    }
    return false;
}

static bool get_event(const struct mib_view *view, const uint32_t *index, int which,
                      struct mib_value *value)
{
    const struct event *event = event_log_find(view->events, *index);

    switch (event ? which : 0) {
    case 2:
        return number(value, event->number);
    case 3:
        return date(value, event->time_ms);
    case 4:
        return timestamp(view, value, event->time_ns);
    case 5:
        return number(value, event->kind);
    case 6:
        return number(value, event->metric);
    case 7:
        return text(value, metric_names[event->metric]);
    case 8:
        return number(value, event->value_centi);
    case 9:
        return number(value, event->threshold_centi);
    case 10:
        return event->kind == EVENT_CLEARED && number(value, event->peak_centi);
    case 11:
        return event->kind == EVENT_CLEARED && number(value, event->duration_s);
    case 12:
        return known(value, event->method);
    case 13:
        return known(value, event->syn_cookie_state);
    case 14:
        return number(value, event->cause);
    case 15:
        return text(value, event->summary);
    case 16:
        return number(value, event->number <= view->events->delivered ? 2 : 1);
    }
    return false;
}

/* A path that is longer than a SnmpAdminString is none. */
static bool evidence_name(const struct mib_view *view, uint32_t number, struct mib_value *value)
{
    char path[SUMMARY_SIZE];

    return evidence_path(path, sizeof path, view->state_directory, number) && text(value, path);
}

/* What has not become a file has no size. */
static bool get_evidence(const struct mib_view *view, const uint32_t *index, int which,
                         struct mib_value *value)
{
    const struct event *event = event_log_find(view->events, *index);
    const struct evidence_file *file = &event->evidence;
    bool sized = file->state != EVIDENCE_FAILED && file->state != EVIDENCE_INTERRUPTED;

    switch (which) {
    case 1:
        return evidence_name(view, event->number, value);
    case 2:
        return sized && number(value, file->packets);
    case 3:
        return sized && number(value, file->bytes);
    case 4:
        return sized && number(value, file->not_kept);
    case 5:
        return number(value, file->state);
    }
    return false;
}

/* ---- Peers and ports: indexed by direction, window and rank ---- */

/* Number of the window that is so many seconds long; WINDOWS: there is none. */
static enum window window_of(uint32_t seconds)
{
    enum window window = 0;

    while (window < WINDOWS && window_seconds[window] != seconds)
        window++;
    return window;
}

static const struct peer_window *find_window(const struct mib_view *view, const uint32_t *index)
{
    enum window window = window_of(index[1]);

    if (!view->snapshot->sample.peers_known || index[0] < DIRECTION_RECEIVED ||
        index[0] > DIRECTION_SENT || window == WINDOWS)
        return NULL;
    return &view->snapshot->peers[window];
}

static enum peer_list list_of(const uint32_t *index, bool ports)
{
    if (ports)
        return index[0] == DIRECTION_SENT ? PORTS_SENT : PORTS_RECEIVED;
    return index[0] == DIRECTION_SENT ? PEERS_SENT : PEERS_RECEIVED;
}

/* The columns that the two tables share, by the peer's number in a list of peers. */
enum peer_column {
    PEER_TYPE,
    PEER_ADDRESS,
    PEER_COUNT,
    PEER_SHARE,
    PEER_PORT,
    PEER_CAUSE,
    PEER_TEXT
};

static bool get_of_peer(const struct peer_window *window, const uint32_t *index, bool ports,
                        enum peer_column column, struct mib_value *value)
{
    enum peer_list list = list_of(index, ports);
    const struct peer *peer = &window->peers[list][index[2] - 1];
    uint32_t percent = peer_window_percent(window, list, peer->count);
    char line[SUMMARY_SIZE];

    switch (column) {
    case PEER_TYPE: /* InetAddressType of RFC 4001: ipv4(1), ipv6(2) */
        return number(value, peer->version == 4 ? 1 : 2);
    case PEER_ADDRESS:
        value->length = peer->version == 4 ? 4 : 16;
        memcpy(value->bytes, peer->address, value->length);
        return true;
    case PEER_COUNT:
        return number(value, peer->count);
    case PEER_SHARE:
        return number(value, percent);
    case PEER_PORT:
        return number(value, peer->port);
    case PEER_CAUSE:
        return number(value, peer->cause);
    case PEER_TEXT:
        summary_of_peer(line, index[0] == DIRECTION_SENT ? METRIC_SENT : METRIC_RECEIVED, peer,
                        percent);
        return text(value, line);
    }
    return false;
}

static bool get_peer(const struct mib_view *view, const uint32_t *index, int which,
                     struct mib_value *value)
{
    return get_of_peer(find_window(view, index), index, false, (enum peer_column)which, value);
}

static bool get_port(const struct mib_view *view, const uint32_t *index, int which,
                     struct mib_value *value)
{
    return get_of_peer(find_window(view, index), index, true, (enum peer_column)which, value);
}

static bool get_peer_total(const struct mib_view *view, const uint32_t *index, int which,
                           struct mib_value *value)
{
    const struct peer_window *window = find_window(view, index);

    switch (which) {
    case 3:
        return number(value, window->totals[list_of(index, false)]);
    case 4:
        return number(value, window->others[list_of(index, false)]);
    case 5:
        return number(value, window->others[list_of(index, true)]);
    }
    return false;
}

/* ---- Tables: which instances there are ---- */

struct mib_table {
    size_t parts; /* of an index */
    bool (*has)(const struct mib_view *view, const uint32_t *index);
    /* Moves index on to the first one that exists, itself included; false when there is none. */
    bool (*from)(const struct mib_view *view, uint32_t *index);
};

static bool scalar_has(const struct mib_view *view, const uint32_t *index)
{
    (void)view;
    return *index == 0;
}

static bool scalar_from(const struct mib_view *view, uint32_t *index)
{
    return scalar_has(view, index);
}

static bool metric_has(const struct mib_view *view, const uint32_t *metric)
{
    (void)view;
    return *metric >= METRIC_FIRST && *metric <= METRIC_LAST;
}

static bool metric_from(const struct mib_view *view, uint32_t *metric)
{
    (void)view;
    if (*metric < METRIC_FIRST)
        *metric = METRIC_FIRST;
    return *metric <= METRIC_LAST;
}

static bool event_has(const struct mib_view *view, const uint32_t *number)
{
    return event_log_find(view->events, *number) != NULL;
}

static bool event_from(const struct mib_view *view, uint32_t *number)
{
    const struct event *event = event_log_after(view->events, *number > 0 ? *number - 1 : 0);

    if (event)
        *number = event->number;
    return event != NULL;
}

static bool evidence_has(const struct mib_view *view, const uint32_t *number)
{
    const struct event *event = event_log_find(view->events, *number);

    return event && event->evidence.state != EVIDENCE_NONE;
}

static bool evidence_from(const struct mib_view *view, uint32_t *number)
{
    for (bool more = event_from(view, number); more; ++*number, more = event_from(view, number))
        if (evidence_has(view, number))
            return true;
    return false;
}

/* Direction and cause. */
static bool cause_has(const struct mib_view *view, const uint32_t *index)
{
    return index[0] >= DIRECTION_RECEIVED && index[0] <= DIRECTION_SENT && index[1] > CAUSE_NONE &&
           index[1] < CAUSE_SLOTS &&
           sample_has(&view->snapshot->sample, cause_counter(index[0], index[1]));
}

static bool cause_from(const struct mib_view *view, uint32_t *index)
{
    if (index[0] < DIRECTION_RECEIVED) {
        index[0] = DIRECTION_RECEIVED;
        index[1] = 0;
    }
    for (; index[0] <= DIRECTION_SENT; index[0]++, index[1] = 0)
        for (; index[1] < CAUSE_SLOTS; index[1]++)
            if (cause_has(view, index))
                return true;
    return false;
}

static bool window_has(const struct mib_view *view, const uint32_t *index)
{
    return find_window(view, index) != NULL;
}

static bool window_from(const struct mib_view *view, uint32_t *index)
{
    if (index[0] < DIRECTION_RECEIVED) {
        index[0] = DIRECTION_RECEIVED;
        index[1] = 0;
    }
    for (; index[0] <= DIRECTION_SENT; index[0]++, index[1] = 0) {
        for (enum window window = 0; window < WINDOWS; window++) {
            if (window_seconds[window] < index[1])
                continue;
            index[1] = window_seconds[window];
            return window_has(view, index);
        }
    }
    return false;
}

static bool ranks_have(const struct mib_view *view, const uint32_t *index, bool ports)
{
    const struct peer_window *window = find_window(view, index);

    return window && index[2] >= 1 && index[2] <= window->counts[list_of(index, ports)];
}

static bool ranks_from(const struct mib_view *view, uint32_t *index, bool ports)
{
    uint32_t asked[] = {index[0], index[1]};

    for (; window_from(view, index); index[1]++) {
        if (index[0] != asked[0] || index[1] != asked[1] || index[2] == 0)
            index[2] = 1;
        if (ranks_have(view, index, ports))
            return true;
    }
    return false;
}

static bool peer_has(const struct mib_view *view, const uint32_t *index)
{
    return ranks_have(view, index, false);
}

static bool peer_from(const struct mib_view *view, uint32_t *index)
{
    return ranks_from(view, index, false);
}

static bool port_has(const struct mib_view *view, const uint32_t *index)
{
    return ranks_have(view, index, true);
}

static bool port_from(const struct mib_view *view, uint32_t *index)
{
    return ranks_from(view, index, true);
}

static const struct mib_table scalar = {1, scalar_has, scalar_from};
static const struct mib_table alarm_row = {1, metric_has, metric_from};
static const struct mib_table event_row = {1, event_has, event_from};
static const struct mib_table evidence_row = {1, evidence_has, evidence_from};
static const struct mib_table cause_row = {2, cause_has, cause_from};
static const struct mib_table window_row = {2, window_has, window_from};
static const struct mib_table peer_row = {3, peer_has, peer_from};
static const struct mib_table port_row = {3, port_has, port_from};

/* ---- The objects ---- */

#define SCALAR(group, arc, name, syntax, get, which)                                               \
    {{1, group, arc}, 3, name, syntax, MIB_READ_ONLY, &scalar, get, which},
#define COLUMN(group, table, column, name, syntax, row, get)                                       \
    {{1, group, table, 1, column}, 5, name, syntax, MIB_READ_ONLY, &row, get, column},
#define AGENT(arc, name, syntax)       SCALAR(1, arc, name, syntax, get_agent, arc)
#define RATE(arc, name)                SCALAR(3, arc, name, MIB_UNSIGNED, get_rate, arc)
#define EVENT_LOG(arc, name, syntax)   SCALAR(6, arc, name, syntax, get_event_log, arc)
#define ALARM(column, name, syntax)    COLUMN(5, 1, column, name, syntax, alarm_row, get_alarm)
#define EVENT(column, name, syntax)    COLUMN(6, 5, column, name, syntax, event_row, get_event)
#define BY_CAUSE(column, name, syntax) COLUMN(7, 1, column, name, syntax, cause_row, get_cause)
#define EVIDENCE(column, name, syntax)                                                             \
    COLUMN(10, 1, column, name, syntax, evidence_row, get_evidence)

#define PEER(column, name, syntax, which)                                                          \
    {{1, 8, 1, 1, column}, 5, name, syntax, MIB_READ_ONLY, &peer_row, get_peer, which},
#define PORT(column, name, syntax, which)                                                          \
    {{1, 8, 2, 1, column}, 5, name, syntax, MIB_READ_ONLY, &port_row, get_port, which},
#define PEER_TOTAL(column, name)                                                                   \
    COLUMN(8, 3, column, name, MIB_UNSIGNED, window_row, get_peer_total)

#define SYNTAX_FLAG   MIB_INTEGER
#define SYNTAX_RATE   MIB_UNSIGNED
#define SYNTAX_NUMBER MIB_UNSIGNED
#define SYNTAX_MASK   MIB_BITS

/* clang-format off */
static struct mib_object objects[] = {
    AGENT(1, "tcpResetAgentVersion", MIB_STRING)
    AGENT(2, "tcpResetSampleInterval", MIB_UNSIGNED)
    AGENT(3, "tcpResetSources", MIB_BITS)
    AGENT(4, "tcpResetReceivedMethod", MIB_INTEGER)
    AGENT(5, "tcpResetSentMethod", MIB_INTEGER)
    AGENT(6, "tcpResetSampleAge", MIB_UNSIGNED)
    AGENT(7, "tcpResetReadFailures", MIB_COUNTER32)
    AGENT(8, "tcpResetDiscontinuities", MIB_COUNTER32)
    AGENT(9, "tcpResetDiscontinuityTime", MIB_TIMETICKS)
    AGENT(10, "tcpResetStorageState", MIB_INTEGER)
    AGENT(11, "tcpResetStorageError", MIB_STRING)

#define COUNTER(id, group, arc, name, linux_source, freebsd_source, unit, meaning)                                 \
    SCALAR(group, arc, name, MIB_COUNTER64, get_counter, COUNTER_##id)
#include "mib/counters.def"
#undef COUNTER

    RATE(RATE_RECEIVED_AVG10S, "tcpResetReceivedAvg10s")
    RATE(RATE_SENT_AVG10S, "tcpResetSentAvg10s")
    RATE(RATE_RECEIVED_AVG60S, "tcpResetReceivedAvg60s")
    RATE(RATE_SENT_AVG60S, "tcpResetSentAvg60s")
    RATE(RATE_RECEIVED_PEAK10S, "tcpResetReceivedPeak10s")
    RATE(RATE_SENT_PEAK10S, "tcpResetSentPeak10s")

    SCALAR(4, 1, "tcpResetSynCookieState", MIB_INTEGER, get_syn_cookie_state, 0)
    SCALAR(4, 5, "tcpResetSynCookiesAvg10s", MIB_UNSIGNED, get_rate, RATE_SYN_COOKIES_AVG10S)
    SCALAR(4, 6, "tcpResetSynCookiesInUse", MIB_INTEGER, get_syn_cookies_in_use, 0)

    ALARM(2, "tcpResetAlarmName", MIB_STRING)
#define SETTING(id, column, name, key, kind, minimum, maximum, fallback)                           \
    {{1, 5, 1, 1, column}, 5, name, SYNTAX_##kind, MIB_READ_WRITE, &alarm_row, get_setting,        \
     SETTING_##id},
#include "subagent/settings.def"
#undef SETTING
    ALARM(10, "tcpResetAlarmEffectiveRising", MIB_UNSIGNED)
    ALARM(11, "tcpResetAlarmEffectiveFalling", MIB_UNSIGNED)
    ALARM(12, "tcpResetAlarmState", MIB_INTEGER)
    ALARM(13, "tcpResetAlarmValue", MIB_UNSIGNED)
    ALARM(14, "tcpResetAlarmRaises", MIB_COUNTER32)
    ALARM(15, "tcpResetAlarmLastChange", MIB_TIMETICKS)
    ALARM(16, "tcpResetAlarmPeak", MIB_UNSIGNED)
    ALARM(17, "tcpResetAlarmSummary", MIB_STRING)

    EVENT_LOG(1, "tcpResetEventCapacity", MIB_UNSIGNED)
    EVENT_LOG(2, "tcpResetEventNewest", MIB_UNSIGNED)
    EVENT_LOG(3, "tcpResetEventsDropped", MIB_COUNTER32)
    EVENT_LOG(4, "tcpResetEventsPending", MIB_UNSIGNED)
    EVENT(2, "tcpResetEventNumber", MIB_UNSIGNED)
    EVENT(3, "tcpResetEventTime", MIB_STRING)
    EVENT(4, "tcpResetEventUpTime", MIB_TIMETICKS)
    EVENT(5, "tcpResetEventKind", MIB_INTEGER)
    EVENT(6, "tcpResetEventMetric", MIB_INTEGER)
    EVENT(7, "tcpResetEventMetricName", MIB_STRING)
    EVENT(8, "tcpResetEventValue", MIB_UNSIGNED)
    EVENT(9, "tcpResetEventThreshold", MIB_UNSIGNED)
    EVENT(10, "tcpResetEventPeak", MIB_UNSIGNED)
    EVENT(11, "tcpResetEventDuration", MIB_UNSIGNED)
    EVENT(12, "tcpResetEventMethod", MIB_INTEGER)
    EVENT(13, "tcpResetEventSynCookieState", MIB_INTEGER)
    EVENT(14, "tcpResetEventCause", MIB_INTEGER)
    EVENT(15, "tcpResetEventSummary", MIB_STRING)
    EVENT(16, "tcpResetEventDelivery", MIB_INTEGER)

    BY_CAUSE(3, "tcpResetCauseLabel", MIB_STRING)
    BY_CAUSE(4, "tcpResetCauseCount", MIB_COUNTER64)
    BY_CAUSE(5, "tcpResetCauseAvg10s", MIB_UNSIGNED)
    BY_CAUSE(6, "tcpResetCauseMethod", MIB_INTEGER)

    PEER(4, "tcpResetPeerAddressType", MIB_INTEGER, PEER_TYPE)
    PEER(5, "tcpResetPeerAddress", MIB_STRING, PEER_ADDRESS)
    PEER(6, "tcpResetPeerCount", MIB_UNSIGNED, PEER_COUNT)
    PEER(7, "tcpResetPeerShare", MIB_UNSIGNED, PEER_SHARE)
    PEER(8, "tcpResetPeerPort", MIB_UNSIGNED, PEER_PORT)
    PEER(9, "tcpResetPeerCause", MIB_INTEGER, PEER_CAUSE)
    PEER(10, "tcpResetPeerText", MIB_STRING, PEER_TEXT)
    PORT(4, "tcpResetPortNumber", MIB_UNSIGNED, PEER_PORT)
    PORT(5, "tcpResetPortCount", MIB_UNSIGNED, PEER_COUNT)
    PORT(6, "tcpResetPortShare", MIB_UNSIGNED, PEER_SHARE)
    PORT(7, "tcpResetPortCause", MIB_INTEGER, PEER_CAUSE)
    PORT(8, "tcpResetPortText", MIB_STRING, PEER_TEXT)
    PEER_TOTAL(3, "tcpResetPeerTotal")
    PEER_TOTAL(4, "tcpResetPeerOthers")
    PEER_TOTAL(5, "tcpResetPortOthers")

    EVIDENCE(1, "tcpResetEvidenceFile", MIB_STRING)
    EVIDENCE(2, "tcpResetEvidencePackets", MIB_UNSIGNED)
    EVIDENCE(3, "tcpResetEvidenceBytes", MIB_UNSIGNED)
    EVIDENCE(4, "tcpResetEvidenceNotKept", MIB_UNSIGNED)
    EVIDENCE(5, "tcpResetEvidenceState", MIB_INTEGER)
};
/* clang-format on */

#define OBJECT_COUNT (sizeof objects / sizeof *objects)

/* ---- Finding ---- */

static int compare(const uint32_t *a, size_t a_length, const uint32_t *b, size_t b_length)
{
    size_t shorter = a_length < b_length ? a_length : b_length;

    for (size_t i = 0; i < shorter; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return (a_length > b_length) - (a_length < b_length);
}

static int compare_objects(const void *a, const void *b)
{
    const struct mib_object *first = a, *second = b;

    return compare(first->arcs, first->arc_count, second->arcs, second->arc_count);
}

const struct mib_object *mib_objects(size_t *count)
{
    qsort(objects, OBJECT_COUNT, sizeof *objects, compare_objects);
    *count = OBJECT_COUNT;
    return objects;
}

static bool starts_with(const uint32_t *name, size_t length, const struct mib_object *object)
{
    return length >= object->arc_count &&
           compare(name, object->arc_count, object->arcs, object->arc_count) == 0;
}

/* The first object whose instances are not all before `name`: no object's OID begins another's. */
static size_t first_candidate(const uint32_t *name, size_t length)
{
    size_t low = 0, high = OBJECT_COUNT;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct mib_object *object = &objects[middle];

        if (starts_with(name, length, object) ||
            compare(object->arcs, object->arc_count, name, length) > 0)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

const struct mib_object *mib_object_of(const uint32_t *name, size_t length)
{
    size_t i = first_candidate(name, length);

    return i < OBJECT_COUNT && starts_with(name, length, &objects[i]) ? &objects[i] : NULL;
}

static bool value_of(const struct mib_view *view, const struct mib_object *object,
                     const uint32_t *index, struct mib_value *value)
{
    value->syntax = object->syntax;
    return object->get(view, index, object->which, value);
}

bool mib_instance_exists(const struct mib_view *view, const struct mib_object *object,
                         const uint32_t *name, size_t length)
{
    return length == object->arc_count + object->table->parts &&
           object->table->has(view, name + object->arc_count);
}

enum mib_answer mib_get(const struct mib_view *view, const uint32_t *name, size_t length,
                        struct mib_value *value)
{
    const struct mib_object *object = mib_object_of(name, length);

    if (!object)
        return MIB_NO_OBJECT;
    if (!mib_instance_exists(view, object, name, length) ||
        !value_of(view, object, name + object->arc_count, value))
        return MIB_NO_INSTANCE;
    return MIB_FOUND;
}

/* The index that comes next, whether it exists or not; false after the last. */
static bool increment(uint32_t *index, size_t parts)
{
    while (parts-- > 0)
        if (++index[parts] != 0)
            return true;
    return false;
}

/* The smallest index of `object` that may come after `name`; false when none can. What is
   missing of a short index is 0; what is too much of a long one comes after the part that fits. */
static bool start_after(const struct mib_object *object, const uint32_t *name, size_t length,
                        uint32_t *index)
{
    const size_t parts = object->table->parts;
    size_t given;

    memset(index, 0, parts * sizeof *index);
    if (!starts_with(name, length, object))
        return true;
    given = length - object->arc_count;
    memcpy(index, name + object->arc_count, (given < parts ? given : parts) * sizeof *index);
    return given < parts || increment(index, parts);
}

/* Moves index on to the first one, itself included, that has a value. */
static bool find_value(const struct mib_view *view, const struct mib_object *object,
                       uint32_t *index, struct mib_value *value)
{
    while (object->table->from(view, index)) {
        if (value_of(view, object, index, value))
            return true;
        if (!increment(index, object->table->parts))
            break;
    }
    return false;
}

bool mib_next(const struct mib_view *view, const uint32_t *name, size_t length,
              uint32_t next[MIB_NAME_MAX], size_t *next_length, struct mib_value *value)
{
    uint32_t index[MIB_INDEX_MAX];

    for (size_t i = first_candidate(name, length); i < OBJECT_COUNT; i++) {
        const struct mib_object *object = &objects[i];

        if (!start_after(object, name, length, index) || !find_value(view, object, index, value))
            continue;
        memcpy(next, object->arcs, object->arc_count * sizeof *next);
        memcpy(next + object->arc_count, index, object->table->parts * sizeof *next);
        *next_length = object->arc_count + object->table->parts;
        return true;
    }
    return false;
}
