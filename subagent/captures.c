#include "subagent/captures.h"

#include "subagent/evidence_files.h"

/* ---- Into the event log ---- */

static void set_state(struct captures *captures, uint32_t number, enum evidence_state state)
{
    struct event *event = event_log_find(captures->setup.events, number);

    if (!event)
        return;
    if (state != EVIDENCE_DELETED)
        event->evidence = (struct evidence_file){0};
    event->evidence.state = state;
    captures->setup.changed(event, captures->setup.context);
}

static void file_deleted(uint32_t number, void *context)
{
    set_state(context, number, EVIDENCE_DELETED);
}

static void file_interrupted(uint32_t number, void *context)
{
    set_state(context, number, EVIDENCE_INTERRUPTED);
}

/* The event as the capture has it, where it is still in the log. */
static void publish(struct captures *captures, const struct capture *capture)
{
    struct event *event = event_log_find(captures->setup.events, capture->event.number);

    if (!event)
        return;
    event->evidence = capture->event.evidence;
    if (!capture->active && event->evidence.state != EVIDENCE_NONE)
        captures->setup.changed(event, captures->setup.context);
}

static void delete_old(struct captures *captures)
{
    evidence_files_delete_old(captures->setup.state_directory, captures->setup.files, file_deleted,
                              captures);
}

static bool is_complete(const struct capture *capture)
{
    return capture->event.evidence.state == EVIDENCE_COMPLETE;
}

static void conclude(struct captures *captures, struct capture *capture)
{
    publish(captures, capture);
    if (!is_complete(capture))
        return;
    capture_name(capture);
    if (!is_complete(capture))
        publish(captures, capture);
    delete_old(captures);
}

static void finish(struct captures *captures, struct capture *capture)
{
    if (!capture->active)
        return;
    capture_finish(capture);
    conclude(captures, capture);
}

/* ---- What an earlier agent left ---- */

/* Killed while it wrote, or before the file had its name; or somebody has removed the file. */
static void put_right(struct captures *captures, const struct event *event)
{
    const char *state_directory = captures->setup.state_directory;

    if (event->evidence.state == EVIDENCE_WRITING) {
        evidence_files_drop(state_directory, event->number);
        set_state(captures, event->number, EVIDENCE_INTERRUPTED);
    } else if (event->evidence.state == EVIDENCE_COMPLETE &&
               !evidence_files_has(state_directory, event->number) &&
               !evidence_files_name(state_directory, event->number)) {
        set_state(captures, event->number, EVIDENCE_DELETED);
    }
}

void captures_open(struct captures *captures, const struct captures_setup *setup)
{
    const struct event *event;

    captures->setup = *setup;
    for (enum direction direction = DIRECTION_RECEIVED; direction <= DIRECTION_SENT; direction++)
        captures->of[direction].active = false;
    for (event = event_log_after(setup->events, 0); event;
         event = event_log_after(setup->events, event->number))
        put_right(captures, event);
    evidence_files_drop_all(setup->state_directory, file_interrupted, captures);
    delete_old(captures);
}

/* ---- While it runs ---- */

/* NULL: this metric has no packets. */
static struct capture *capture_of(struct captures *captures, enum metric metric)
{
    switch (metric) {
    case METRIC_RECEIVED:
        return &captures->of[DIRECTION_RECEIVED];
    case METRIC_SENT:
        return &captures->of[DIRECTION_SENT];
    case METRIC_SYN_COOKIES:
        break;
    }
    return NULL;
}

void captures_event(struct captures *captures, const struct event *event, uint32_t raise_delay_s)
{
    const struct captures_setup *setup = &captures->setup;
    struct capture *capture = capture_of(captures, event->metric);

    if (!capture)
        return;
    if (event->kind == EVENT_CLEARED && capture->active)
        capture_clear(capture, event->time_ns);
    if (event->kind != EVENT_RAISED || !setup->enabled)
        return;
    /* That of the raise before may have cleared, and not have been stepped to its end. */
    finish(captures, capture);
    capture_begin(capture, event, raise_delay_s, setup->ring, setup->state_directory,
                  setup->packets);
}

void captures_step(struct captures *captures, int64_t sampled_ns,
                   const struct alarm alarms[METRIC_SLOTS])
{
    for (enum metric metric = METRIC_FIRST; metric <= METRIC_LAST; metric++) {
        struct capture *capture = capture_of(captures, metric);

        if (!capture || !capture->active)
            continue;
        capture_step(capture, sampled_ns, alarms[metric].peak_centi);
        if (capture->active)
            publish(captures, capture);
        else
            conclude(captures, capture);
    }
}

void captures_close(struct captures *captures)
{
    for (enum direction direction = DIRECTION_RECEIVED; direction <= DIRECTION_SENT; direction++)
        finish(captures, &captures->of[direction]);
}
