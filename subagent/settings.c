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

/* Both pairs are good by themselves, so that a wrong one is half of the file's. */
static void uncross(struct alarm_settings *settings, uint32_t set)
{
    if (settings->value[SETTING_FALLING] <= settings->value[SETTING_RISING])
        return;
    if (set >> SETTING_FALLING & 1)
        settings->value[SETTING_RISING] = settings->value[SETTING_FALLING];
    else
        settings->value[SETTING_FALLING] = settings->value[SETTING_RISING];
}

struct set_settings settings_merge(const struct alarm_settings file[METRIC_SLOTS],
                                   const struct set_settings *stored)
{
    struct set_settings merged = *stored;

    for (enum metric metric = METRIC_FIRST; metric <= METRIC_LAST; metric++) {
        for (int id = 0; id < SETTING_COUNT; id++)
            if (!(stored->set[metric] >> id & 1))
                merged.value[metric].value[id] = file[metric].value[id];
        uncross(&merged.value[metric], merged.set[metric]);
    }
    return merged;
}
