#include "subagent/agent.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mib/notify.h"
#include "mib/requests.h"
#include "subagent/agent_status.h"
#include "subagent/agentx.h"
#include "subagent/archive.h"
#include "subagent/captures.h"
#include "subagent/clock.h"
#include "subagent/log.h"
#include "subagent/summary.h"

#define NS_PER_MS (NS_PER_S / 1000)

#define SAVE_NS   (60 * NS_PER_S) /* the alarms are saved at least this often */
#define FINISH_NS (NS_PER_S / 5)  /* how long an end waits for a notification in flight */
#define RETRY_NS  NS_PER_S        /* after a notification that could not be sent */

/* At most this many notifications leave in a second. */
#define NOTIFICATIONS_PER_S 10

struct agent {
    const struct config *config;
    struct ring *ring;
    struct handover *handover;
    uint64_t next;        /* sequence of the next sample to take from the ring */
    bool resumed;         /* the alarms of an earlier run have been taken up */
    struct stored stored; /* by an earlier agent, as it was when this one started */
    struct history history;
    uint64_t next_slice;     /* number of the next one to take from the ring */
    struct peer_slice slice; /* taken, but it ends after the newest sample, if has_slice */
    bool has_slice;
    struct peer_history peers;
    struct snapshot snapshot;
    struct event_log events;
    struct archive archive;
    bool numbered_anew; /* those events that the archive does not have yet */
    struct captures captures;
    int64_t saved_ns;
    bool causes_ignored[METRIC_SLOTS]; /* said once */

    uint32_t in_flight;                   /* number of the event being notified; 0 = none */
    int64_t sent_ns[NOTIFICATIONS_PER_S]; /* when the last ones left, oldest at [sent % …] */
    uint64_t sent;
    int64_t retry_ns; /* no attempt before */
    bool sampler_gone;
};

static volatile sig_atomic_t ending;

static void end_on_signal(int signal)
{
    (void)signal;
    ending = 1;
}

static int64_t wall_ms(void)
{
    return clock_ns(CLOCK_REALTIME) / NS_PER_MS;
}

/* ---- What is kept on disk ---- */

static struct archive_record record_of(struct agent *agent)
{
    return (struct archive_record){
        .settings = &agent->snapshot.settings,
        .alarms = agent->snapshot.alarm,
        .events = &agent->events,
        .instance = ring_instance(agent->ring),
        .now_ms = wall_ms(),
    };
}

/* The alarms as they stand and the events that are not there yet: what could not be
   written is written with the next. */
static bool record(struct agent *agent)
{
    const struct archive_record record = record_of(agent);

    agent->saved_ns = agent->snapshot.sample.time_ns;
    return archive_record(&agent->archive, &record);
}

/*
 * Records the events above `before` and all that is not recorded yet. Where that
 * fails, the numbers of the events might be given again by a daemon that finds
 * none of them, so they get others before anybody has seen them: the same that a
 * new agent gives them, which steps through these samples again.
 */
static void keep(struct agent *agent, uint32_t before)
{
    const struct event *first = event_log_after(&agent->events, before);

    if (record(agent)) {
        agent->numbered_anew = false;
    } else if (first && !agent->numbered_anew) {
        event_log_renumber(&agent->events, before, event_number_above_all(first->time_ms));
        agent->numbered_anew = true;
    }
}

/* ---- From a sample to its events ---- */

static uint8_t method_of(enum metric metric, const struct sample *sample)
{
    switch (metric) {
    case METRIC_RECEIVED:
        return sample->received_method;
    case METRIC_SENT:
        return sample->sent_method;
    case METRIC_SYN_COOKIES:
        break;
    }
    return METHOD_EXACT; /* the kernel counts its own cookies */
}

static void happened(struct agent *agent, enum event_kind kind, enum metric metric)
{
    const struct sample *sample = &agent->snapshot.sample;
    const struct alarm *alarm = &agent->snapshot.alarm[metric];
    const struct counted *counted = &agent->snapshot.counted[metric];
    uint32_t factor = agent->snapshot.settings.value[metric].value[SETTING_FACTOR];
    int64_t ago_ns = clock_ns(CLOCK_MONOTONIC) - sample->time_ns;
    struct event event = {
        .number = agent->events.newest + 1,
        .kind = kind,
        .metric = metric,
        .time_ns = sample->time_ns,
        .time_ms = wall_ms() - ago_ns / NS_PER_MS,
        .value_centi = alarm->value_centi,
        .threshold_centi = kind == EVENT_CLEARED ? alarm->falling_centi : alarm->rising_centi,
        .method = method_of(metric, sample),
        .syn_cookie_state = sample->syn_cookie_state,
    };

    if (kind == EVENT_CLEARED) {
        event.peak_centi = alarm->peak_centi;
        event.duration_s = (uint32_t)((sample->time_ns - alarm->raised_ns) / NS_PER_S);
    }
    if (kind == EVENT_RAISED || kind == EVENT_CLEARED)
        event.cause = counted->dominant;
    summary_of_event(event.summary, &event, alarm->has_baseline || factor == 0, counted);
    event_log_add(&agent->events, &event);
}

/* What follows from the events above `before`. */
static void act_on_events(struct agent *agent, uint32_t before)
{
    for (const struct event *event = event_log_after(&agent->events, before); event;
         event = event_log_after(&agent->events, event->number)) {
        bool of_alarm = event->kind == EVENT_RAISED || event->kind == EVENT_CLEARED;

        captures_event(&agent->captures, event,
                       agent->snapshot.settings.value[event->metric].value[SETTING_RAISE_DELAY]);
        log_write(LOG_NOTICE, "event %u: %s: %s", event->number, of_alarm ? "alarm" : "change",
                  event->summary);
    }
}

/* Said once each time that it begins. */
static void tell_ignored_causes(struct agent *agent)
{
    for (enum metric metric = METRIC_FIRST; metric <= METRIC_LAST; metric++) {
        const struct snapshot *snapshot = &agent->snapshot;
        bool ignored = snapshot->settings.value[metric].value[SETTING_CAUSES] != CAUSE_MASK_ALL &&
                       sample_has(&snapshot->sample, metric_counter(metric)) &&
                       !snapshot->counted[metric].part;

        if (ignored && !agent->causes_ignored[metric])
            log_write(
                LOG_WARNING,
                "alarm %s: causes are not measured, so all are counted, not only those chosen",
                metric_names[metric]);
        agent->causes_ignored[metric] = ignored;
    }
}

static void step_alarms(struct agent *agent)
{
    for (enum metric metric = METRIC_FIRST; metric <= METRIC_LAST; metric++) {
        switch (alarm_step(&agent->snapshot.alarm[metric], metric,
                           &agent->snapshot.settings.value[metric], &agent->history)) {
        case ALARM_EVENT_RAISED:
            happened(agent, EVENT_RAISED, metric);
            break;
        case ALARM_EVENT_CLEARED:
            happened(agent, EVENT_CLEARED, metric);
            break;
        case ALARM_NO_EVENT:
            break;
        }
    }
}

/* Unknown is no state to change from or to. */
static bool changed(uint8_t before, uint8_t now)
{
    return before != now && before != 0 && now != 0;
}

static void tell_changes(struct agent *agent, const struct sample *before)
{
    const struct sample *now = &agent->snapshot.sample;

    if (changed(before->received_method, now->received_method))
        happened(agent, EVENT_METHOD, METRIC_RECEIVED);
    if (changed(before->sent_method, now->sent_method))
        happened(agent, EVENT_METHOD, METRIC_SENT);
    if (changed(before->syn_cookie_state, now->syn_cookie_state))
        happened(agent, EVENT_SYN_COOKIE_STATE, METRIC_SYN_COOKIES);
}

/* With the first sample: goes on where an earlier agent, or an earlier daemon, was. */
static void resume_alarms(struct agent *agent, int64_t now_ns)
{
    for (enum metric metric = METRIC_FIRST; metric <= METRIC_LAST; metric++) {
        const struct stored_alarm *stored = &agent->stored.alarms[metric];
        struct alarm *alarm = &agent->snapshot.alarm[metric];
        int64_t ago_ms = wall_ms() - stored->saved_ms;

        if (!stored->found)
            *alarm = alarm_new();
        else if (stored->instance == ring_instance(agent->ring))
            *alarm = stored->alarm;
        else
            *alarm = alarm_resume(&stored->alarm, now_ns,
                                  now_ns - (ago_ms > 0 ? ago_ms : 0) * NS_PER_MS -
                                      stored->alarm.stepped_ns);
    }
    agent->resumed = true;
}

/* The slices that the sample may know of: a new agent goes through those of the past, too. */
static void take_slices(struct agent *agent, int64_t now_ns)
{
    while (agent->has_slice || ring_read_slice(agent->ring, &agent->next_slice, &agent->slice)) {
        agent->has_slice = agent->slice.end_ns > now_ns;
        if (agent->has_slice)
            return;
        peer_history_push(&agent->peers, &agent->slice);
    }
}

/*
 * The agent's step, once a sample. Those that an earlier agent stepped through are
 * only history. All that a sample brings is recorded at once: an agent that dies
 * before is as one that has not seen it, and the next one sees it.
 */
static void step(struct agent *agent, const struct sample *sample)
{
    const struct sample before = agent->snapshot.sample;
    const uint32_t newest = agent->events.newest;

    if (!history_push(&agent->history, sample))
        return;
    if (!agent->resumed)
        resume_alarms(agent, sample->time_ns);
    take_slices(agent, sample->time_ns);
    peer_history_merge(&agent->peers, sample->time_ns, agent->snapshot.peers);
    snapshot_update(&agent->snapshot, &agent->history);
    if (sample->time_ns <= agent->snapshot.alarm[METRIC_FIRST].stepped_ns)
        return;
    tell_ignored_causes(agent);
    step_alarms(agent);
    tell_changes(agent, &before);
    if (agent->events.newest != newest || sample->time_ns - agent->saved_ns >= SAVE_NS)
        keep(agent, newest);
    act_on_events(agent, newest);
}

/* ---- Notifications: one in flight, the oldest first ---- */

static void view_now(void *context, struct mib_view *view)
{
    const struct agent *agent = context;

    *view = (struct mib_view){
        .snapshot = &agent->snapshot,
        .events = &agent->events,
        .sample_interval_ms = agent->config->sample_interval_ms,
        .storage_state = agent->archive.state,
        .storage_error = agent->archive.error,
        .state_directory = agent->config->state_directory,
        .now_ns = clock_ns(CLOCK_MONOTONIC),
        .master_start_ns = agentx_master_start_ns(),
    };
}

static void notify_next(struct agent *agent);

static void notification_answered(bool taken, void *context)
{
    struct agent *agent = context;
    struct event *event = event_log_find(&agent->events, agent->in_flight);

    agent->in_flight = 0;
    if (!taken) {
        log_write(LOG_ERR, "the AgentX master refused a notification; trying again");
        agent->retry_ns = clock_ns(CLOCK_MONOTONIC) + RETRY_NS;
        return;
    }
    if (event) {
        agent->events.delivered = event->number;
        archive_delivered(&agent->archive, event->number);
    }
    notify_next(agent);
}

/* It may have been delivered or not: it is sent again in the next session. */
static void session_lost(void *context)
{
    struct agent *agent = context;

    agent->in_flight = 0;
    mib_forget_set();
}

static bool may_send(const struct agent *agent, int64_t now_ns)
{
    bool burst_used = agent->sent >= NOTIFICATIONS_PER_S &&
                      now_ns - agent->sent_ns[agent->sent % NOTIFICATIONS_PER_S] < NS_PER_S;

    return agentx_connected() && agent->in_flight == 0 && now_ns >= agent->retry_ns && !burst_used;
}

static void notify_next(struct agent *agent)
{
    const struct event *event = event_log_pending(&agent->events);
    int64_t now_ns = clock_ns(CLOCK_MONOTONIC);
    struct variable_list *varbinds;
    struct mib_view view;

    if (!event || !may_send(agent, now_ns))
        return;
    view_now(agent, &view);
    varbinds = notify_varbinds(&view, event);
    if (!varbinds || !agentx_notify(varbinds, notification_answered, agent)) {
        agent->retry_ns = now_ns + RETRY_NS;
        return;
    }
    agent->in_flight = event->number;
    agent->sent_ns[agent->sent++ % NOTIFICATIONS_PER_S] = now_ns;
}

/* ---- Settings by SET ---- */

static bool apply_settings(void *context, const struct set_settings *settings)
{
    struct agent *agent = context;

    if (!archive_save_settings(&agent->archive, settings))
        return false;
    agent->snapshot.settings = *settings;
    /* A new agent must not step with these through samples from before them. */
    if (agent->resumed)
        keep(agent, agent->events.newest);
    log_write(LOG_NOTICE, "settings changed by SNMP SET");
    return true;
}

/* ---- Start, loop, end ---- */

static void take_samples(int wake, void *context)
{
    struct agent *agent = context;
    char bytes[64];
    struct sample sample;
    ssize_t count = read(wake, bytes, sizeof bytes);

    if (count == 0)
        agent->sampler_gone = true;
    while (ring_read(agent->ring, &agent->next, &sample))
        step(agent, &sample);
    captures_step(&agent->captures, agent->snapshot.sample.time_ns, agent->snapshot.alarm);
    notify_next(agent);
}

static void evidence_changed(const struct event *event, void *context)
{
    struct agent *agent = context;

    archive_evidence(&agent->archive, event);
}

static void open_captures(struct agent *agent, const struct config *config)
{
    captures_open(&agent->captures, &(struct captures_setup){
                                        .enabled = config->evidence,
                                        .files = config->evidence_files,
                                        .packets = config->evidence_packets,
                                        .state_directory = config->state_directory,
                                        .ring = agent->ring,
                                        .events = &agent->events,
                                        .changed = evidence_changed,
                                        .context = agent,
                                    });
}

static void load(struct agent *agent, const struct config *config)
{
    int64_t now_ns = clock_ns(CLOCK_MONOTONIC), now_ms = wall_ms();
    struct event *event;

    agent->stored.events = &agent->events;
    archive_open(&agent->archive, config->state_directory, agent->handover, now_ms, &agent->stored);
    agent->snapshot.settings = settings_merge(config->alarm, &agent->stored.settings);
    for (event = event_log_after(&agent->events, 0); event;
         event = event_log_after(&agent->events, event->number))
        event->time_ns = now_ns - (now_ms - event->time_ms) * NS_PER_MS;
}

static void catch_signals(void)
{
    struct sigaction end = {.sa_handler = end_on_signal};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t none;

    sigaction(SIGTERM, &end, NULL);
    sigaction(SIGINT, &ignore, NULL); /* a terminal sends it to both; the sampler ends us */
    sigaction(SIGHUP, &ignore, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool serve(struct agent *agent, const struct config *config, int wake)
{
    /* The library keeps the pointer. */
    static struct mib_service service = {view_now, apply_settings, NULL};

    service.context = agent;
    if (!agentx_open(config->agentx_address) || !mib_register(&service) ||
        !agentx_watch(wake, take_samples, agent)) {
        log_write(LOG_ERR, "libnetsnmp: the subagent could not be set up");
        return false;
    }
    agentx_on_lost(session_lost, agent);
    agentx_on_request(mib_answer);
    /* What the ring has, first: the first answer is not an empty one. */
    take_samples(wake, agent);
    agentx_start();
    return true;
}

/* A notification whose answer is under way is waited for, so that a restart sends it once. */
static void loop(struct agent *agent)
{
    int64_t deadline_ns = INT64_MAX;

    while (!agent->sampler_gone && clock_ns(CLOCK_MONOTONIC) < deadline_ns) {
        bool over = ending || agent->archive.displaced;

        if (over && agent->in_flight == 0)
            break;
        if (over && deadline_ns == INT64_MAX)
            deadline_ns = clock_ns(CLOCK_MONOTONIC) + FINISH_NS;
        agentx_run_once();
    }
}

static void end(struct agent *agent)
{
    const struct archive_record last = record_of(agent);

    captures_close(&agent->captures);
    agentx_close();
    archive_close(&agent->archive, agent->resumed ? &last : NULL, agent->handover);
    event_log_close(&agent->events);
}

/* Why the loop ended. */
static enum agent_status status_of(const struct agent *agent)
{
    if (agent->sampler_gone) {
        log_write(LOG_ERR, "the sampler process is gone");
        return AGENT_FAILED;
    }
    if (ending)
        return AGENT_DONE;
    log_write(LOG_NOTICE, "the state directory %s is another one than before: a new agent takes it",
              agent->config->state_directory);
    return AGENT_AGAIN;
}

int agent_run(const struct config *config, struct ring *ring, struct handover *handover, int wake)
{
    struct agent *agent = calloc(1, sizeof *agent);
    int status;

    catch_signals();
    if (!agent || !event_log_open(&agent->events, config->event_capacity) || !ring_protect(ring)) {
        log_write(LOG_ERR, "agent: %s", strerror(errno));
        return AGENT_FAILED;
    }
    agent->config = config;
    agent->ring = ring;
    agent->handover = handover;
    agent->next = agent->next_slice = 1;
    load(agent, config);
    open_captures(agent, config);
    if (!serve(agent, config, wake))
        return AGENT_FAILED;
    loop(agent);
    status = status_of(agent);
    end(agent);
    free(agent);
    return status;
}
