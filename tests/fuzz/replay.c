/* A replay file: what is printed of a sample that was parsed is the sample. */
#include "platform/replay.h"

#include "tests/fuzz/input.h"

#define NS_PER_MS 1000000

static void print_and_parse(const struct replay_line *line)
{
    static char text[65536];
    char error[200];
    struct replay replay;
    FILE *to = fmemopen(text, sizeof text, "w");

    if (!to)
        abort();
    replay_print(to, 0, &line->sample);
    fclose(to);
    HOLDS(replay_parse(text, strlen(text), "printed", &replay, error, sizeof error));
    HOLDS(replay.count == 1);
    struct sample was = line->sample, is = replay.lines[0].sample;

    was.peers_known = is.peers_known = false; /* they are not printed */
    HOLDS(memcmp(&was, &is, sizeof was) == 0);
    replay_free(&replay);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char error[400] = "";
    struct replay replay;

    if (!replay_parse((const char *)bytes, size, "fuzz", &replay, error, sizeof error)) {
        HOLDS(is_one_line(error) && strncmp(error, "fuzz:", 5) == 0);
        HOLDS(replay.count == 0);
        return 0;
    }
    HOLDS(replay.count > 0 && replay.lines[0].time_ns == 0);
    for (size_t n = 1; n < replay.count; n++)
        HOLDS(replay.lines[n].time_ns > replay.lines[n - 1].time_ns);
    HOLDS(replay_at(&replay, -1) == &replay.lines[0]);
    HOLDS(replay_at(&replay, INT64_MAX) == &replay.lines[replay.count - 1]);
    if (!replay.lines[0].fail)
        print_and_parse(&replay.lines[0]);
    replay_free(&replay);
    return 0;
}
