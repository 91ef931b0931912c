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

struct alarm_settings settings_default(void)
{
    struct alarm_settings settings;

    for (int id = 0; id < SETTING_COUNT; id++)
        settings.value[id] = setting_types[id].fallback;
    return settings;
}

enum settings_error settings_check(const struct alarm_settings *settings, bool causes_measured,
                                   enum setting *culprit)
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
    if (!causes_measured && settings->value[SETTING_CAUSES] != CAUSE_MASK_ALL) {
        *culprit = SETTING_CAUSES;
        return SETTINGS_INCONSISTENT;
    }
    return SETTINGS_OK;
}

void settings_mark_set(struct set_settings *settings, enum metric metric, enum setting id)
{
    const uint32_t thresholds = UINT32_C(1) << SETTING_RISING | UINT32_C(1) << SETTING_FALLING;
    uint32_t bit = UINT32_C(1) << id;

    settings->set[metric] |= bit & thresholds ? thresholds : bit;
}

struct set_settings settings_merge(const struct alarm_settings file[METRIC_SLOTS],
                                   const struct set_settings *stored)
{
    struct set_settings merged = *stored;

    for (enum metric metric = METRIC_FIRST; metric <= METRIC_LAST; metric++)
        for (int id = 0; id < SETTING_COUNT; id++)
            if (!(stored->set[metric] >> id & 1))
                merged.value[metric].value[id] = file[metric].value[id];
    return merged;
}
