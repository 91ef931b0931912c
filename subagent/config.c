#include "subagent/config.h"

#include <confuse.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/sample.h"

#ifndef DEFAULT_STATE_DIRECTORY
#define DEFAULT_STATE_DIRECTORY "/var/lib/rstwatch"
#endif
#ifndef DEFAULT_AGENTX_ADDRESS
#define DEFAULT_AGENTX_ADDRESS "unix:/var/agentx/master"
#endif

/* libconfuse takes a section that is cut off for a whole one. So this stands at the end of
   what it is given: an alarm section that meets it was not closed. */
#define END_MARK "end-of-file"

#define FILE_SIZE_LIMIT (1024UL * 1024)

/* libconfuse reports through a callback without an argument of ours; the first error counts. */
static const char *error_file;
static bool end_seen;
static char *error_text;
static size_t error_capacity;

static const struct {
    const char *key;
    long minimum, maximum, fallback;
} numbers[] = {
    {"sample-interval", 100, 1000, 100},
    {"event-capacity", 10, EVENT_CAPACITY_MAX, 1000},
    {"evidence-files", 1, 1000, 20},
    {"evidence-packets", 100, 1000000, 20000},
};

static void report(cfg_t *cfg, const char *format, va_list arguments)
{
    int used;

    if (error_text[0] != '\0')
        return;
    used = snprintf(error_text, error_capacity, "%s:%d: ", error_file, cfg->line);
    if (used >= 0 && (size_t)used < error_capacity)
        vsnprintf(error_text + used, error_capacity - (size_t)used, format, arguments);
    /* It quotes the file, and stays one line of a log. */
    for (char *at = error_text; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == '\x7f')
            *at = '?';
}

static int reject_number(cfg_t *cfg, cfg_opt_t *opt, long minimum, long maximum, long value)
{
    cfg_error(cfg, "%s: %ld is not between %ld and %ld", cfg_opt_name(opt), value, minimum,
              maximum);
    return -1;
}

static int check_number(cfg_t *cfg, cfg_opt_t *opt)
{
    long value = cfg_opt_getnint(opt, 0);

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(numbers[i].key, cfg_opt_name(opt)) == 0 &&
            (value < numbers[i].minimum || value > numbers[i].maximum))
            return reject_number(cfg, opt, numbers[i].minimum, numbers[i].maximum, value);
    return 0;
}

static int check_text(cfg_t *cfg, cfg_opt_t *opt)
{
    const char *text = cfg_opt_getnstr(opt, 0);

    if (strcmp(cfg_opt_name(opt), "state-directory") == 0 && text[0] != '/') {
        cfg_error(cfg, "%s: \"%s\": expected a path from the root", cfg_opt_name(opt), text);
        return -1;
    }
    if (strlen(text) < CONFIG_TEXT_SIZE)
        return 0;
    cfg_error(cfg, "%s: longer than %d bytes", cfg_opt_name(opt), CONFIG_TEXT_SIZE - 1);
    return -1;
}

static const struct setting_type *setting_by_key(const char *key)
{
    for (int id = 0; id < SETTING_COUNT; id++)
        if (strcmp(setting_types[id].key, key) == 0)
            return &setting_types[id];
    return NULL;
}

static int check_setting_number(cfg_t *cfg, cfg_opt_t *opt)
{
    const struct setting_type *type = setting_by_key(cfg_opt_name(opt));
    long value = cfg_opt_getnint(opt, 0);

    if (value >= (long)type->minimum && value <= (long)type->maximum)
        return 0;
    return reject_number(cfg, opt, type->minimum, type->maximum, value);
}

static int check_setting_rate(cfg_t *cfg, cfg_opt_t *opt)
{
    const struct setting_type *type = setting_by_key(cfg_opt_name(opt));
    double centi = round(cfg_opt_getnfloat(opt, 0) * 100);

    if (centi >= type->minimum && centi <= type->maximum)
        return 0;
    cfg_error(cfg, "%s: %g is not between %.2f and %.2f per second", cfg_opt_name(opt),
              cfg_opt_getnfloat(opt, 0), type->minimum / 100.0, type->maximum / 100.0);
    return -1;
}

/* "all" stands for the whole mask, "other" for its bit 0. */
static bool cause_bits(const char *key, uint32_t *mask)
{
    if (strcmp(key, "all") == 0) {
        *mask = CAUSE_MASK_ALL;
        return true;
    }
    for (int bit = 0; bit < CAUSE_MASK_BITS; bit++) {
        if (strcmp(key, cause_labels[bit]) == 0) {
            *mask = UINT32_C(1) << bit;
            return true;
        }
    }
    return false;
}

static int check_setting_mask(cfg_t *cfg, cfg_opt_t *opt)
{
    uint32_t mask;
    const char *key = cfg_opt_getnstr(opt, cfg_opt_size(opt) - 1);

    if (cause_bits(key, &mask))
        return 0;
    cfg_error(cfg, "%s: no cause is named \"%s\"; see rstwatchd.conf(5)", cfg_opt_name(opt), key);
    return -1;
}

static uint32_t setting_value(cfg_t *section, const struct setting_type *type)
{
    uint32_t all = 0, mask;

    switch (type->kind) {
    case SETTING_KIND_FLAG:
        return cfg_getbool(section, type->key) ? 1 : 0;
    case SETTING_KIND_RATE:
        return (uint32_t)round(cfg_getfloat(section, type->key) * 100);
    case SETTING_KIND_NUMBER:
        return (uint32_t)cfg_getint(section, type->key);
    case SETTING_KIND_MASK:
        for (unsigned i = 0; i < cfg_size(section, type->key); i++)
            if (cause_bits(cfg_getnstr(section, type->key, i), &mask))
                all |= mask;
        return all;
    }
    return 0;
}

static struct alarm_settings settings_of(cfg_t *section)
{
    struct alarm_settings settings;

    for (int id = 0; id < SETTING_COUNT; id++)
        settings.value[id] = setting_value(section, &setting_types[id]);
    return settings;
}

static enum metric metric_by_name(const char *name)
{
    for (enum metric metric = METRIC_FIRST; metric <= METRIC_LAST; metric++)
        if (strcmp(metric_names[metric], name) == 0)
            return metric;
    return 0;
}

/* libconfuse calls this at the end of each section, so that the line is that of its brace. */
static int check_alarm(cfg_t *cfg, cfg_opt_t *opt)
{
    cfg_t *section = cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);
    struct alarm_settings settings = settings_of(section);
    enum metric metric = metric_by_name(cfg_title(section));
    enum setting culprit;

    if (metric == 0) {
        cfg_error(cfg, "alarm \"%s\": expected received, sent or synCookies", cfg_title(section));
        return -1;
    }
    /* Whether the source tells causes is not known yet. */
    if (settings_check(&settings, metric, true, &culprit) == SETTINGS_OK)
        return 0;
    if (culprit == SETTING_FALLING)
        cfg_error(cfg, "alarm \"%s\": falling %.2f is above rising %.2f", cfg_title(section),
                  settings.value[SETTING_FALLING] / 100.0, settings.value[SETTING_RISING] / 100.0);
    else
        cfg_error(cfg, "alarm \"%s\": %s: expected {all}%s", cfg_title(section),
                  setting_types[culprit].key,
                  metric_causes[metric] ? " or at least one that this metric can have" : "");
    return -1;
}

static int end_in_section(cfg_t *cfg, cfg_opt_t *opt, int argc, const char **argv)
{
    (void)opt, (void)argc, (void)argv;
    cfg_error(cfg, "the section is not closed: expected }");
    return -1;
}

static int end_of_file(cfg_t *cfg, cfg_opt_t *opt, int argc, const char **argv)
{
    (void)cfg, (void)opt, (void)argc, (void)argv;
    end_seen = true;
    return 0;
}

static cfg_opt_t alarm_options[] = {
#define OPTION_FLAG(key, fallback)   CFG_BOOL(key, (fallback) ? cfg_true : cfg_false, CFGF_NONE)
#define OPTION_RATE(key, fallback)   CFG_FLOAT(key, (fallback) / 100.0, CFGF_NONE)
#define OPTION_NUMBER(key, fallback) CFG_INT(key, fallback, CFGF_NONE)
#define OPTION_MASK(key, fallback)   CFG_STR_LIST(key, "{all}", CFGF_NONE)
#define SETTING(id, column, name, key, kind, minimum, maximum, fallback)                           \
    OPTION_##kind(key, fallback),
#include "subagent/settings.def"
#undef SETTING
    CFG_FUNC(END_MARK, end_in_section),
    CFG_END(),
};

static cfg_opt_t options[] = {
    CFG_STR("agentx-address", DEFAULT_AGENTX_ADDRESS, CFGF_NONE),
    CFG_STR("state-directory", DEFAULT_STATE_DIRECTORY, CFGF_NONE),
    CFG_STR("source", "auto", CFGF_NONE),
    CFG_STR("user", "", CFGF_NONE),
    CFG_INT("sample-interval", 0, CFGF_NONE),
    CFG_INT("event-capacity", 0, CFGF_NONE),
    CFG_BOOL("evidence", cfg_true, CFGF_NONE),
    CFG_INT("evidence-files", 0, CFGF_NONE),
    CFG_INT("evidence-packets", 0, CFGF_NONE),
    CFG_SEC("alarm", alarm_options, CFGF_TITLE | CFGF_MULTI | CFGF_NO_TITLE_DUPES),
    CFG_FUNC(END_MARK, end_of_file),
    CFG_END(),
};

static cfg_validate_callback_t check_of_kind(enum setting_kind kind)
{
    switch (kind) {
    case SETTING_KIND_RATE:
        return check_setting_rate;
    case SETTING_KIND_NUMBER:
        return check_setting_number;
    case SETTING_KIND_MASK:
        return check_setting_mask;
    case SETTING_KIND_FLAG:
        break;
    }
    return NULL;
}

static void add_checks(void)
{
    for (int id = 0; id < SETTING_COUNT; id++)
        alarm_options[id].validcb = check_of_kind(setting_types[id].kind);
    for (cfg_opt_t *option = options; option->type != CFGT_NONE; option++) {
        if (option->type == CFGT_STR)
            option->validcb = check_text;
        else if (option->type == CFGT_INT)
            option->validcb = check_number;
        else if (option->type == CFGT_SEC)
            option->validcb = check_alarm;
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        for (cfg_opt_t *option = options; option->type != CFGT_NONE; option++)
            if (strcmp(option->name, numbers[i].key) == 0)
                option->def.number = numbers[i].fallback;
}

static void take_text(char to[CONFIG_TEXT_SIZE], cfg_t *cfg, const char *key)
{
    snprintf(to, CONFIG_TEXT_SIZE, "%s", cfg_getstr(cfg, key));
}

static void take(struct config *config, cfg_t *cfg)
{
    *config = (struct config){
        .sample_interval_ms = (uint32_t)cfg_getint(cfg, "sample-interval"),
        .event_capacity = (uint32_t)cfg_getint(cfg, "event-capacity"),
        .evidence = cfg_getbool(cfg, "evidence"),
        .evidence_files = (uint32_t)cfg_getint(cfg, "evidence-files"),
        .evidence_packets = (uint32_t)cfg_getint(cfg, "evidence-packets"),
    };
    take_text(config->agentx_address, cfg, "agentx-address");
    take_text(config->state_directory, cfg, "state-directory");
    take_text(config->source, cfg, "source");
    take_text(config->user, cfg, "user");
    for (enum metric metric = METRIC_FIRST; metric <= METRIC_LAST; metric++)
        config->alarm[metric] = settings_default();
    for (unsigned i = 0; i < cfg_size(cfg, "alarm"); i++) {
        cfg_t *section = cfg_getnsec(cfg, "alarm", i);

        config->alarm[metric_by_name(cfg_title(section))] = settings_of(section);
    }
}

static cfg_t *start_parser(const char *path, char *error, size_t error_size)
{
    cfg_t *cfg;

    error_file = path;
    error_text = error;
    error_capacity = error_size;
    error[0] = '\0';
    add_checks();
    cfg = cfg_init(options, CFGF_NONE);
    cfg_set_error_function(cfg, report);
    return cfg;
}

struct config config_default(void)
{
    struct config config;
    char error[1];
    cfg_t *cfg = start_parser("", error, sizeof error);

    take(&config, cfg);
    cfg_free(cfg);
    return config;
}

/* Whether a comment can start behind this: libconfuse takes // within a word as part of it. */
static bool starts_word(char before)
{
    return before == '\0' || strchr(" \t\r\n{}(),=", before) != NULL;
}

/* The end of the comment or string that starts at `at`; `at` when none does. */
static char *end_of_special(char *at, char before)
{
    char *end = at;

    if (*at == '"' || *at == '\'') {
        for (end++; *end != '\0' && *end != *at; end++)
            if (*end == '\\' && end[1] != '\0')
                end++;
        return *end == '\0' ? end : end + 1;
    }
    if (*at == '#' || (strncmp(at, "//", 2) == 0 && starts_word(before)))
        return at + strcspn(at, "\n");
    if (strncmp(at, "/*", 2) == 0 && starts_word(before)) {
        end = strstr(at, "*/");
        return end ? end + 2 : at;
    }
    return at;
}

/* libconfuse counts the lines of comments more than once: errors would name wrong ones. */
static void blank_comments(char *text)
{
    char before = '\0';

    for (char *at = text; *at != '\0';) {
        char *end = end_of_special(at, before);
        bool is_comment = end > at && *at != '"' && *at != '\'';

        if (end == at)
            end++;
        before = end[-1];
        for (; at < end; at++)
            if (is_comment && *at != '\n')
                *at = ' ';
    }
}

static bool ends_line(const char *text)
{
    size_t length = strlen(text);

    return length > 0 && text[length - 1] == '\n';
}

bool config_parse(struct config *config, const char *text, const char *path, char *error,
                  size_t error_size)
{
    cfg_t *cfg = start_parser(path, error, error_size);
    char *marked;
    bool parsed;

    if (asprintf(&marked, "%s%s" END_MARK "()\n", text, ends_line(text) ? "" : "\n") < 0) {
        snprintf(error, error_size, "%s: %s", path, strerror(errno));
        cfg_free(cfg);
        return false;
    }
    blank_comments(marked);
    end_seen = false;
    parsed = cfg_parse_buf(cfg, marked) == CFG_SUCCESS && end_seen;
    if (parsed)
        take(config, cfg);
    else if (error[0] == '\0')
        snprintf(error, error_size, "%s: a comment is not closed: expected */", path);
    free(marked);
    cfg_free(cfg);
    return parsed;
}

/* The whole file as a string to be freed; NULL after writing error. */
static char *read_file(const char *path, char *error, size_t error_size)
{
    FILE *file = fopen(path, "re");
    char *text = calloc(1, FILE_SIZE_LIMIT + 1);
    size_t size = file && text ? fread(text, 1, FILE_SIZE_LIMIT + 1, file) : 0;
    bool whole = false;

    if (!file || !text || ferror(file))
        snprintf(error, error_size, "%s: %s", path, strerror(errno));
    else if (size > FILE_SIZE_LIMIT)
        snprintf(error, error_size, "%s: larger than %lu bytes", path, FILE_SIZE_LIMIT);
    else if (memchr(text, '\0', size))
        snprintf(error, error_size, "%s: a NUL byte: expected text", path);
    else
        whole = true;
    if (file)
        fclose(file);
    if (whole)
        return text;
    free(text);
    return NULL;
}

bool config_read(struct config *config, const char *path, char *error, size_t error_size)
{
    char *text = read_file(path, error, error_size);
    bool parsed = text && config_parse(config, text, path, error, error_size);

    free(text);
    return parsed;
}
