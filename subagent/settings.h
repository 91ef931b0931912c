/*
 * The settings of the alarms and their rules. Pure: configuration file, SET and
 * state database all pass through settings_check().
 */
#ifndef RSTWATCH_SETTINGS_H
#define RSTWATCH_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "platform/causes.h"

/* What an alarm watches. Values: TcpResetMetric of the MIB, an INDEX. */
enum metric { METRIC_RECEIVED = 1, METRIC_SENT = 2, METRIC_SYN_COOKIES = 3 };
#define METRIC_FIRST METRIC_RECEIVED
#define METRIC_LAST  METRIC_SYN_COOKIES
#define METRIC_SLOTS (METRIC_LAST + 1) /* arrays are indexed by enum metric; [0] is unused */

/* Bit n of a cause mask is cause n; bit 0 stands for every cause without a bit
   of its own (TcpResetCauseSet of the MIB). */
#define CAUSE_MASK_BITS CAUSE_SLOTS
#define CAUSE_MASK_ALL  ((UINT32_C(1) << CAUSE_MASK_BITS) - 1)

/* By enum metric: the causes that a reset of this direction can have. */
extern const uint32_t metric_causes[METRIC_SLOTS];

enum setting {
#define SETTING(id, column, name, key, kind, minimum, maximum, fallback) SETTING_##id,
#include "subagent/settings.def"
#undef SETTING
    SETTING_COUNT
};

enum setting_kind {
    SETTING_KIND_FLAG,   /* 0 or 1; TruthValue in the MIB */
    SETTING_KIND_RATE,   /* hundredths per second; a decimal per second in the file */
    SETTING_KIND_NUMBER, /* as it is (delays: seconds) */
    SETTING_KIND_MASK,   /* cause mask; BITS in the MIB */
};

struct setting_type {
    const char *name; /* MIB name */
    const char *key;  /* in the configuration file and the database */
    uint32_t column;  /* of tcpResetAlarmTable */
    enum setting_kind kind;
    uint32_t minimum, maximum, fallback;
};

extern const struct setting_type setting_types[SETTING_COUNT];

/* The settings of one alarm. */
struct alarm_settings {
    uint32_t value[SETTING_COUNT];
};

/* The settings of all alarms, and which of them SET has made (they win over the file). */
struct set_settings {
    struct alarm_settings value[METRIC_SLOTS];
    uint32_t set[METRIC_SLOTS]; /* bit n: enum setting n */
};

/*
 * What holds: `stored` where SET has made it, else `file`. Where that puts falling
 * above rising, one of them is of the file, and gives way: it moves to the other.
 */
struct set_settings settings_merge(const struct alarm_settings file[METRIC_SLOTS],
                                   const struct set_settings *stored);

/* By enum metric: "received", "sent", "synCookies", as labelled in the MIB. */
extern const char *const metric_names[METRIC_SLOTS];

struct alarm_settings settings_default(void);

/* What a check found. The MIB answers wrongValue for a range, inconsistentValue
   for what would be right beside other values. */
enum settings_error { SETTINGS_OK, SETTINGS_RANGE, SETTINGS_INCONSISTENT };

/*
 * Every value in its range, falling <= rising, and of the causes all or a part that the
 * metric can have; all where `may_choose_causes` is false. On an error *culprit is the
 * setting to blame.
 */
enum settings_error settings_check(const struct alarm_settings *settings, enum metric metric,
                                   bool may_choose_causes, enum setting *culprit);

#endif
