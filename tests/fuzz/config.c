/* The configuration file: what is wrong changes nothing, what is right is in range. */
#include "subagent/config.h"

#include "tests/fuzz/input.h"

static void holds_what_it_may(const struct config *config)
{
    enum setting culprit;

    HOLDS(config->sample_interval_ms >= 100 && config->sample_interval_ms <= 1000);
    HOLDS(config->event_capacity >= 10 && config->event_capacity <= 100000);
    HOLDS(config->evidence_files >= 1 && config->evidence_files <= 1000);
    HOLDS(config->evidence_packets >= 100 && config->evidence_packets <= 1000000);
    HOLDS(config->state_directory[0] == '/');
    HOLDS(memchr(config->agentx_address, '\0', CONFIG_TEXT_SIZE) != NULL);
    HOLDS(memchr(config->source, '\0', CONFIG_TEXT_SIZE) != NULL);
    HOLDS(memchr(config->user, '\0', CONFIG_TEXT_SIZE) != NULL);
    for (enum metric metric = METRIC_FIRST; metric <= METRIC_LAST; metric++)
        HOLDS(settings_check(&config->alarm[metric], metric, true, &culprit) == SETTINGS_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    struct config config, before;
    char error[1600] = "", *text = take_text(&input);

    memset(&config, 0x5a, sizeof config);
    before = config;
    if (config_parse(&config, text, "fuzz", error, sizeof error)) {
        holds_what_it_may(&config);
    } else {
        HOLDS(is_one_line(error) && strncmp(error, "fuzz:", 5) == 0);
        HOLDS(memcmp(&config, &before, sizeof config) == 0);
    }
    free(text);
    return 0;
}
