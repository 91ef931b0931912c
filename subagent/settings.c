#include "subagent/settings.h"

const struct setting_type setting_types[SETTING_COUNT] = {
#define SETTING(id, column, name, key, kind, minimum, maximum, fallback)                           \
    [SETTING_##id] = {name, key, column, SETTING_KIND_##kind, minimum, maximum, fallback},
#include "subagent/settings.def"
#undef SETTING
};

const char *const metric_names[METRIC_SLOTS] = {
    [METRIC_RECEIVED] = "received",
    [METRIC_SENT] = "sent",
    [METRIC_SYN_COOKIES] = "synCookies",
};

#define BIT_UNLESS_EMPTY(phrase, number) (sizeof(phrase) > 1 ? UINT32_C(1) << (number) : 0)

const uint32_t metric_causes[METRIC_SLOTS] = {
#define CAUSE(id, number, label, received, sent) BIT_UNLESS_EMPTY(received, number) |
    [METRIC_RECEIVED] =
#include "mib/causes.def"
        0,
#undef CAUSE
#define CAUSE(id, number, label, received, sent) BIT_UNLESS_EMPTY(sent, number) |
    [METRIC_SENT] =
#include "mib/causes.def"
        0,
#undef CAUSE
};

struct alarm_settings settings_default(void)
{
    struct alarm_settings settings;

    for (int id = 0; id < SETTING_COUNT; id++)
        settings.value[id] = setting_types[id].fallback;
    return settings;
}

/* A part of the causes that no reset of the metric can have would count nothing. */
static bool causes_are_good(uint32_t causes, enum metric metric, bool may_choose)
{
    return causes == CAUSE_MASK_ALL || (may_choose && (causes & metric_causes[metric]) != 0);
}

enum settings_error settings_check(const struct alarm_settings *settings, enum metric metric,
                                   bool may_choose_causes, enum setting *culprit)
{
    for (int id = 0; id < SETTING_COUNT; id++) {
        const struct setting_type *type = &setting_types[id];

        if (settings->value[id] < type->minimum || settings->value[id] > type->maximum) {
            *culprit = id;
            return SETTINGS_RANGE;
        }
    }
    if (settings->value[SETTING_FALLING] > settings->value[SETTING_RISING]) {
        *culprit = SETTING_FALLING;
        return SETTINGS_INCONSISTENT;
    }
    if (!causes_are_good(settings->value[SETTING_CAUSES], metric, may_choose_causes)) {
        *culprit = SETTING_CAUSES;
        return SETTINGS_INCONSISTENT;
    }
    return SETTINGS_OK;
}

#define BIT(id) (UINT32_C(1) << (id))

/* What no SET has made, but damage or another version, does not count. */
static uint32_t credible(const struct alarm_settings *stored, uint32_t set, enum metric metric)
{
    const uint32_t pair = BIT(SETTING_RISING) | BIT(SETTING_FALLING);

    if ((set & pair) == pair && stored->value[SETTING_FALLING] > stored->value[SETTING_RISING])
        set &= ~pair;
    if (!causes_are_good(stored->value[SETTING_CAUSES], metric, true))
        set &= ~BIT(SETTING_CAUSES);
    return set;
}

/* Both pairs are good by themselves, so that a wrong one is half of the file's. */
static void uncross(struct alarm_settings *settings, uint32_t set)
{
    if (settings->value[SETTING_FALLING] <= settings->value[SETTING_RISING])
        return;
    if (set & BIT(SETTING_FALLING))
        settings->value[SETTING_RISING] = settings->value[SETTING_FALLING];
    else
        settings->value[SETTING_FALLING] = settings->value[SETTING_RISING];
}

struct set_settings settings_merge(const struct alarm_settings file[METRIC_SLOTS],
                                   const struct set_settings *stored)
{
    struct set_settings merged = *stored;

    for (enum metric metric = METRIC_FIRST; metric <= METRIC_LAST; metric++) {
        merged.set[metric] = credible(&stored->value[metric], stored->set[metric], metric);
        for (int id = 0; id < SETTING_COUNT; id++)
            if (!(merged.set[metric] & BIT(id)))
                merged.value[metric].value[id] = file[metric].value[id];
        uncross(&merged.value[metric], merged.set[metric]);
    }
    return merged;
}
