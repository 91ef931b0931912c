#include "subagent/summary.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>

/* A rate in hundredths, for printf("%u.%02u"). */
#define CENTI(rate) (rate) / 100, (rate) % 100

#define SUBJECT_SIZE 40
#define SHARE_SIZE   140
#define ABOUT_SIZE   70
#define ADDRESS_SIZE 46 /* of IPv6, with NUL */

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

static const char *phrase_of(enum metric metric, enum cause cause)
{
    static const char *const phrases[METRIC_SLOTS][CAUSE_SLOTS] = {
#define CAUSE(id, number, label, received, sent)                                                   \
    [METRIC_RECEIVED][number] = received, [METRIC_SENT][number] = sent,
#include "mib/causes.def"
#undef CAUSE
    };

    const char *phrase = phrases[metric][cause]; /* NULL: the metric has no causes */

    return phrase && phrase[0] != '\0' ? phrase : cause_labels[cause];
}

static const char *address(char text[ADDRESS_SIZE], const struct peer *peer)
{
    return inet_ntop(peer->version == 4 ? AF_INET : AF_INET6, peer->address, text, ADDRESS_SIZE);
}

/* ", port 443, refused", as far as it stands out. */
static const char *about(char text[ABOUT_SIZE], enum metric metric, const struct peer *peer)
{
    char port[16] = "";

    if (peer->port != 0)
        snprintf(port, sizeof port, ", port %u", peer->port);
    snprintf(text, ABOUT_SIZE, "%s%s%s", port, peer->cause != CAUSE_NONE ? ", " : "",
             peer->cause != CAUSE_NONE ? phrase_of(metric, peer->cause) : "");
    return text;
}

/* ": 93 % refused"; nothing where no cause stands out. */
static const char *share(char text[SHARE_SIZE], enum metric metric, const struct counted *counted)
{
    char peer[ADDRESS_SIZE], what[ABOUT_SIZE];

    text[0] = '\0';
    if (counted->peer.count > 0)
        snprintf(text, SHARE_SIZE, ": %u %% %s %s%s", counted->peer_percent,
                 metric == METRIC_SENT ? "to" : "from", address(peer, &counted->peer),
                 about(what, metric, &counted->peer));
    else if (counted->dominant != CAUSE_NONE)
        snprintf(text, SHARE_SIZE, ": %u %% %s", counted->percent,
                 phrase_of(metric, counted->dominant));
    return text;
}

/* The metric, with a word where the alarm does not count all of it. */
static const char *subject(char text[SUBJECT_SIZE], enum metric metric,
                           const struct counted *counted)
{
    snprintf(text, SUBJECT_SIZE, "%s%s", metric_names[metric],
             counted->part ? " of chosen causes" : "");
    return text;
}

void summary_of_alarm(char summary[SUMMARY_SIZE], enum metric metric, const struct alarm *alarm,
                      const struct counted *counted)
{
    bool raised = alarm_is_raised(alarm);
    char what[SUBJECT_SIZE], why[SHARE_SIZE];

    subject(what, metric, counted);
    if (!alarm->value_known) {
        snprintf(summary, SUMMARY_SIZE, "%s unknown%s", what, raised ? ", raised" : "");
        return;
    }
    snprintf(summary, SUMMARY_SIZE, "%s %u.%02u/s (limit %u.%02u), %s%s", what,
             CENTI(alarm->value_centi), CENTI(raised ? alarm->falling_centi : alarm->rising_centi),
             state_name(alarm->state), raised ? share(why, metric, counted) : "");
}

void summary_of_event(char summary[SUMMARY_SIZE], const struct event *event, bool has_baseline,
                      const struct counted *counted)
{
    const char *metric = metric_names[event->metric];
    char what[SUBJECT_SIZE], why[SHARE_SIZE];

    subject(what, event->metric, counted);
    switch (event->kind) {
    case EVENT_RAISED:
        snprintf(summary, SUMMARY_SIZE, "%s %u.%02u/s (limit %u.%02u)%s%s", what,
                 CENTI(event->value_centi), CENTI(event->threshold_centi),
                 has_baseline ? "" : ", no baseline yet", share(why, event->metric, counted));
        break;
    case EVENT_CLEARED:
        /* Only switching the alarm off clears it above its limit. */
        if (event->value_centi > event->threshold_centi) {
            snprintf(summary, SUMMARY_SIZE, "%s alarm switched off at %u.%02u/s after %u s", metric,
                     CENTI(event->value_centi), event->duration_s);
            break;
        }
        snprintf(summary, SUMMARY_SIZE,
                 "%s back to %u.%02u/s (limit %u.%02u) after %u s, peak %u.%02u/s", what,
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

const char *summary_cause(enum metric metric, enum cause cause)
{
    return phrase_of(metric, cause);
}

void summary_of_peer(char summary[SUMMARY_SIZE], enum metric metric, const struct peer *peer,
                     uint32_t percent)
{
    char who[ADDRESS_SIZE], what[ABOUT_SIZE];

    if (peer->version == 0)
        snprintf(summary, SUMMARY_SIZE, "port %u: %u %% (%u)%s", peer->port, percent, peer->count,
                 about(what, metric, &(struct peer){.cause = peer->cause}));
    else
        snprintf(summary, SUMMARY_SIZE, "%s: %u %% (%u)%s", address(who, peer), percent,
                 peer->count, about(what, metric, peer));
}
