/* GET and GETNEXT of any name, while events come and go. The bytes are names, one behind the
   other: a length, then its arcs. */
#include "mib/objects.h"

#include "tests/fuzz/input.h"

static struct event_log events;
static struct snapshot snapshot;

static const struct mib_view *make_view(uint8_t choice)
{
    static struct mib_view view;

    event_log_close(&events);
    memset(&snapshot, 0, sizeof snapshot);
    if (!event_log_open(&events, 8))
        abort();
    for (uint32_t n = 1; n <= choice % 16U; n++)
        event_log_add(&events, &(struct event){.number = n * (choice / 16 + 1U),
                                               .kind = n % 2 ? EVENT_RAISED : EVENT_CLEARED,
                                               .metric = METRIC_FIRST + n % METRIC_LAST,
                                               .summary = "fuzz",
                                               .evidence = {(uint8_t)(n % 6), n, n, n}});
    snapshot.sample.valid = choice & 1 ? UINT64_MAX : 0;
    snapshot.sample.time_ns = choice;
    view = (struct mib_view){.snapshot = &snapshot,
                             .events = &events,
                             .storage_error = "",
                             .state_directory = "/state",
                             .now_ns = INT64_C(1000000000)};
    return &view;
}

static int compare(const uint32_t *a, size_t a_length, const uint32_t *b, size_t b_length)
{
    for (size_t n = 0; n < a_length && n < b_length; n++)
        if (a[n] != b[n])
            return a[n] < b[n] ? -1 : 1;
    return a_length < b_length ? -1 : a_length > b_length;
}

static bool has_bytes(const struct mib_value *value)
{
    return value->syntax == MIB_BITS || value->syntax == MIB_STRING;
}

static void fits(const struct mib_value *value)
{
    if (has_bytes(value))
        HOLDS(value->length <= sizeof value->bytes);
    else
        HOLDS(value->number <= UINT32_MAX || value->syntax == MIB_COUNTER64);
}

static bool are_equal(const struct mib_value *a, const struct mib_value *b)
{
    if (a->syntax != b->syntax)
        return false;
    return has_bytes(a) ? a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0
                        : a->number == b->number;
}

static void ask(const struct mib_view *view, const uint32_t *name, size_t length)
{
    uint32_t next[MIB_NAME_MAX];
    size_t next_length;
    struct mib_value value, again;
    bool found = mib_get(view, name, length, &value) == MIB_FOUND;

    if (found)
        fits(&value);
    HOLDS(!found || mib_object_of(name, length));
    if (!mib_next(view, name, length, next, &next_length, &value))
        return;
    fits(&value);
    HOLDS(next_length <= MIB_NAME_MAX);
    HOLDS(compare(next, next_length, name, length) > 0);
    HOLDS(mib_get(view, next, next_length, &again) == MIB_FOUND);
    HOLDS(are_equal(&value, &again));
}

/* Near to what there is: an arc is most often a small one. */
static size_t take_name(struct input *input, uint32_t name[16])
{
    size_t length = take_byte(input) % 17;

    for (size_t n = 0; n < length; n++) {
        name[n] = take_byte(input);
        if (name[n] == 0xff)
            name[n] = (uint32_t)take_u64(input);
    }
    return length;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    uint32_t name[16];
    size_t count;
    const struct mib_view *view;

    mib_objects(&count);
    view = make_view(take_byte(&input));
    do
        ask(view, name, take_name(&input, name));
    while (input.left > 0);
    return 0;
}
