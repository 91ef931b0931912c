/* What an agent leaves to the next one, changed by somebody who has taken it over. The bytes are
   how much of it is there, then changes: where, how many bytes, and these. */
static void log_nothing(int priority, const char *format, ...);

#define log_write log_nothing
#include "subagent/archive.c"

#include "tests/fuzz/stored.h"

#define NOWHERE  "/nonexistent/directory"
#define CAPACITY 10

static struct handover *handover;
static unsigned char *left; /* as an agent left it */
static size_t left_bytes;
static char said[1500]; /* the newest line */

static void log_nothing(int priority, const char *format, ...)
{
    va_list arguments;

    (void)priority;
    va_start(arguments, format);
    vsnprintf(said, sizeof said, format, arguments);
    va_end(arguments);
}

static void add_event(struct event_log *log)
{
    struct event event = {.number = log->newest + 1,
                          .kind = EVENT_RAISED,
                          .metric = METRIC_SENT,
                          .time_ms = NOW_MS,
                          .evidence = {EVIDENCE_COMPLETE, 1, 2, 3},
                          .summary = "sent 60.00/s (limit 50.00)"};

    event_log_add(log, &event);
}

/* More than the log of the next agent takes. */
static void leave_something(void)
{
    struct archive archive = {.directory = NOWHERE, .loaded = true};
    struct alarm alarms[METRIC_SLOTS];
    struct set_settings settings = {.set = {[METRIC_SENT] = 1 << SETTING_RISING}};
    struct event_log events;
    const struct archive_record record = {&settings, alarms, &events, 1, NOW_MS};

    for (enum metric metric = 0; metric < METRIC_SLOTS; metric++)
        alarms[metric] = alarm_new();
    settings.value[METRIC_SENT].value[SETTING_RISING] = 6000;
    if (!(handover = handover_create()) || !event_log_open(&events, 2 * CAPACITY))
        abort();
    while (events.kept < events.capacity)
        add_event(&events);
    archive_close(&archive, &record, handover);
    event_log_close(&events);
    left_bytes = handover->used;
    left = malloc(left_bytes);
    if (!left || left_bytes == 0)
        abort();
    memcpy(left, handover->bytes, left_bytes);
}

static void change(struct input *input)
{
    size_t at = (take_byte(input) * 256U + take_byte(input)) % left_bytes;
    size_t count = take_byte(input) % 16U + 1;

    take(input, handover->bytes + at, count < left_bytes - at ? count : left_bytes - at);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    struct archive archive;
    struct event_log events;
    struct stored stored = {.events = &events};
    uint8_t quarters;

    if (!handover)
        leave_something();
    memcpy(handover->bytes, left, left_bytes);
    quarters = take_byte(&input) % 8; /* of it; mostly all */
    handover->used = quarters < 4 ? left_bytes * quarters / 4 : left_bytes;
    handover->settings_known = take_byte(&input) % 2;
    while (input.left > 0)
        change(&input);
    if (!event_log_open(&events, CAPACITY))
        abort();
    archive_open(&archive, NOWHERE, handover, NOW_MS, &stored);
    HOLDS(handover->used == 0 && !strchr(said, '\n'));
    settings_hold(&stored.settings);
    alarms_hold(stored.alarms);
    events_hold(&events);
    archive_close(&archive, NULL, handover);
    event_log_close(&events);
    return 0;
}
