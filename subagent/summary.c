#include "subagent/summary.h"

#include <stdio.h>

/* A rate in hundredths, for printf("%u.%02u"). */
#define CENTI(rate) (rate) / 100, (rate) % 100

const char *syn_cookie_state_name(uint8_t state)
{
    static const char *const names[] = {"unknown", "disabled", "onOverflow", "always"};

    return state < sizeof names / sizeof *names ? names[state] : names[0];
}

const char *method_name(uint8_t method)
{
    static const char *const names[] = {"unknown", "exact", "estimated"};

    return method < sizeof names / sizeof *names ? names[method] : names[0];
}

static const char *state_name(enum alarm_state state)
{
    static const char *const names[] = {
        [ALARM_NORMAL] = "normal",
        [ALARM_PENDING] = "pending",
        [ALARM_RAISED] = "raised",
        [ALARM_CLEARING] = "clearing",
    };

    return names[state];
}

void summary_of_alarm(char summary[SUMMARY_SIZE], enum metric metric, const struct alarm *alarm)
{
    if (!alarm->value_known) {
        snprintf(summary, SUMMARY_SIZE, "%s unknown%s", metric_names[metric],
                 alarm_is_raised(alarm) ? ", raised" : "");
        return;
    }
    snprintf(summary, SUMMARY_SIZE, "%s %u.%02u/s (limit %u.%02u), %s", metric_names[metric],
             CENTI(alarm->value_centi),
             CENTI(alarm_is_raised(alarm) ? alarm->falling_centi : alarm->rising_centi),
             state_name(alarm->state));
}

void summary_of_event(char summary[SUMMARY_SIZE], const struct event *event, bool has_baseline)
{
    const char *metric = metric_names[event->metric];

    switch (event->kind) {
    case EVENT_RAISED:
        snprintf(summary, SUMMARY_SIZE, "%s %u.%02u/s (limit %u.%02u)%s", metric,
                 CENTI(event->value_centi), CENTI(event->threshold_centi),
                 has_baseline ? "" : ", no baseline yet");
        break;
    case EVENT_CLEARED:
        /* Only switching the alarm off clears it above its limit. */
        if (event->value_centi > event->threshold_centi) {
            snprintf(summary, SUMMARY_SIZE, "%s alarm switched off at %u.%02u/s after %u s", metric,
                     CENTI(event->value_centi), event->duration_s);
            break;
        }
        snprintf(summary, SUMMARY_SIZE,
                 "%s back to %u.%02u/s (limit %u.%02u) after %u s, peak %u.%02u/s", metric,
                 CENTI(event->value_centi), CENTI(event->threshold_centi), event->duration_s,
                 CENTI(event->peak_centi));
        break;
    case EVENT_SYN_COOKIE_STATE:
        snprintf(summary, SUMMARY_SIZE, "SYN cookies are now %s",
                 syn_cookie_state_name(event->syn_cookie_state));
        break;
    case EVENT_METHOD:
        snprintf(summary, SUMMARY_SIZE, "%s is now %s", metric, method_name(event->method));
        break;
    }
}
