/*
 * rstwatchd: command line, rights, and the stages put together. The only file
 * that knows them all.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mib/root.h"
#include "platform/rights.h"
#include "subagent/agent.h"
#include "subagent/agent_status.h"
#include "subagent/log.h"
#include "subagent/service.h"
#include "subagent/store.h"
#include "subagent/supervisor.h"
#include "subagent/version.h"

#ifndef DEFAULT_CONFIG
#define DEFAULT_CONFIG "/etc/rstwatch/rstwatchd.conf"
#endif

enum { EXIT_USAGE = 2 };

#define ERROR_SIZE 1600

enum action {
    RUN,
    LIST = 256, /* long options without a letter start here */
    CHECK_CONFIG,
    RESET_SETTINGS,
    VERSION,
    HELP,
};

struct command_line {
    enum action action;
    bool foreground;
    bool verbose;
    const char *config_file; /* NULL: the default, which may be missing */
    const char *agentx_address, *state_directory, *source, *user; /* NULL: not given */
};

static struct command_line command_line; /* reload() needs it again */

/* ---- What is printed and done at once ---- */

static int complain(const char *error, int status)
{
    fprintf(stderr, "rstwatchd: %s\n", error);
    return status;
}

static void print_usage(FILE *to)
{
    fprintf(to,
            "usage: rstwatchd [-fv] [-c file] [-s source] [-S directory] [-u user]\n"
            "                 [-x address]\n"
            "       rstwatchd --list | --check-config | --reset-settings | --version | --help\n");
    if (to == stderr)
        return;
    fprintf(to, "\nCounts the TCP resets of this host and tells snmpd of them, over AgentX.\n\n"
                "  -c file            configuration (default " DEFAULT_CONFIG ")\n"
                "  -f                 stay in the foreground, log to standard error\n"
                "  -S directory       state: settings made by SET, alarms, events\n"
                "  -s source          where counts come from: auto, or one of those below\n"
                "  -u user            run as this user once the sources are open\n"
                "  -v                 log more\n"
                "  -x address         AgentX address of snmpd: unix:/path or tcp:host:port\n"
                "  --list             print every counter and cause: MIB name, OID, meaning\n"
                "  --check-config     read the configuration, say what is wrong or differs\n"
                "  --reset-settings   forget the settings made by SNMP SET\n"
                "  --version, --help\n\nsources:\n");
    sampler_print_sources(to);
}

/* One line, with what the build was made without. */
static void print_version(void)
{
    const struct reader_type *type;

    printf(RSTWATCH_VERSION);
    for (size_t n = 0; (type = sampler_source(n)) != NULL; n++) {
        if (type->missing)
            printf(", source %s %s", type->name, type->missing);
    }
    putchar('\n');
}

/* A cause that a direction cannot have is left out. */
static void print_cause(const char *prefix, enum direction direction, int cause, const char *phrase)
{
    const char *name = counter_names[cause_counter(direction, cause)];

    if (phrase[0] != '\0')
        printf("tcpResetCauseCount.%-25s %s.1.7.1.1.4.%d.%d  %s\n", name, prefix, direction, cause,
               phrase);
}

static void print_list(void)
{
    static const uint32_t root[] = {MIB_ROOT};
    char prefix[128] = "";
    size_t used = 0;

    for (size_t i = 0; i < sizeof root / sizeof *root && used < sizeof prefix; i++)
        used +=
            (size_t)snprintf(prefix + used, sizeof prefix - used, "%s%u", i ? "." : "", root[i]);
#define COUNTER(id, group, arc, name, linux_source, freebsd_source, unit, meaning)                 \
    printf("%-28s %s.1.%d.%d.0  %-30s %s (%s)\n", name, prefix, group, arc,                        \
           platform_counter_sources[COUNTER_##id], meaning, unit);
#include "mib/counters.def"
#undef COUNTER
#define CAUSE(id, number, label, received, sent)                                                   \
    print_cause(prefix, DIRECTION_RECEIVED, number, received);
#include "mib/causes.def"
#undef CAUSE
#define CAUSE(id, number, label, received, sent) print_cause(prefix, DIRECTION_SENT, number, sent);
#include "mib/causes.def"
#undef CAUSE
}

/* As the configuration file has it. */
static void format_causes(char *text, size_t size, uint32_t causes)
{
    size_t used = 0;

    for (int cause = CAUSE_NONE; causes != CAUSE_MASK_ALL && cause < CAUSE_SLOTS; cause++)
        if (causes >> cause & 1 && used < size)
            used += (size_t)snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "{",
                                     cause_labels[cause]);
    if (used < size)
        snprintf(text + used, size - used, "%s}", used > 0 ? "" : "{all");
}

static void format_setting(char *text, size_t size, enum setting_kind kind, uint32_t value)
{
    switch (kind) {
    case SETTING_KIND_FLAG:
        snprintf(text, size, "%s", value ? "true" : "false");
        break;
    case SETTING_KIND_RATE:
        snprintf(text, size, "%u.%02u", value / 100, value % 100);
        break;
    case SETTING_KIND_NUMBER:
        snprintf(text, size, "%u", value);
        break;
    case SETTING_KIND_MASK:
        format_causes(text, size, value);
        break;
    }
}

/* Names every setting that is other than the configuration has it, since SET has made it. */
static void tell_differences(const struct config *config, const struct set_settings *stored,
                             void (*tell)(const char *line))
{
    const struct set_settings held = settings_merge(config->alarm, stored);
    char line[512], set[160], file[160];

    for (enum metric metric = METRIC_FIRST; metric <= METRIC_LAST; metric++) {
        for (int id = 0; id < SETTING_COUNT; id++) {
            const struct setting_type *type = &setting_types[id];
            uint32_t value = held.value[metric].value[id];

            if (value == config->alarm[metric].value[id])
                continue;
            format_setting(set, sizeof set, type->kind, value);
            format_setting(file, sizeof file, type->kind, config->alarm[metric].value[id]);
            snprintf(line, sizeof line,
                     "alarm %s: %s is %s by SNMP SET, which wins over %s of the configuration",
                     metric_names[metric], type->key, set, file);
            tell(line);
        }
    }
}

static void tell_on_stdout(const char *line)
{
    puts(line);
}

static void tell_in_log(const char *line)
{
    log_write(LOG_NOTICE, "%s", line);
}

/* ---- Command line and configuration ---- */

static bool parse_command_line(struct command_line *line, int argc, char **argv)
{
    static const struct option options[] = {
        {"list", no_argument, NULL, LIST},
        {"check-config", no_argument, NULL, CHECK_CONFIG},
        {"reset-settings", no_argument, NULL, RESET_SETTINGS},
        {"version", no_argument, NULL, VERSION},
        {"help", no_argument, NULL, HELP},
        {0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "c:fS:s:u:vx:", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            line->config_file = optarg;
            break;
        case 'f':
            line->foreground = true;
            break;
        case 'S':
            line->state_directory = optarg;
            break;
        case 's':
            line->source = optarg;
            break;
        case 'u':
            line->user = optarg;
            break;
        case 'v':
            line->verbose = true;
            break;
        case 'x':
            line->agentx_address = optarg;
            break;
        case '?':
            return false; /* getopt has said what */
        default:
            line->action = (enum action)option;
        }
    }
    if (optind == argc)
        return true;
    fprintf(stderr, "rstwatchd: unexpected argument \"%s\"\n", argv[optind]);
    return false;
}

/* A daemon's working directory is the root, and SIGHUP reads the file again. */
static bool make_absolute(const char **path)
{
    char *directory, *absolute;

    if (!*path || (*path)[0] == '/')
        return true;
    directory = getcwd(NULL, 0);
    if (!directory || asprintf(&absolute, "%s/%s", directory, *path) < 0)
        return false;
    free(directory);
    *path = absolute;
    return true;
}

static bool override(char to[CONFIG_TEXT_SIZE], const char *option, const char *value, char *error)
{
    if (!value)
        return true;
    if (strlen(value) < CONFIG_TEXT_SIZE) {
        strcpy(to, value);
        return true;
    }
    snprintf(error, ERROR_SIZE, "%s: longer than %d bytes", option, CONFIG_TEXT_SIZE - 1);
    return false;
}

/* Who can write it says what a process does that begins with the rights of root. */
static bool is_trusted(const char *path, char *error)
{
    struct stat status;

    /* What cannot be looked at cannot be read, and config_read() says it. */
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return true;
    if ((status.st_uid == 0 || status.st_uid == geteuid()) &&
        (status.st_mode & (S_IWGRP | S_IWOTH)) == 0)
        return true;
    snprintf(error, ERROR_SIZE,
             "%s: owner %u, mode %04o: expected owner root or %u, writable by nobody else", path,
             status.st_uid, status.st_mode & 07777, geteuid());
    return false;
}

/* The configuration file, where there is one, and the command line, which wins. */
static bool read_config(const struct command_line *line, struct config *config, char *error)
{
    const char *path = line->config_file ? line->config_file : DEFAULT_CONFIG;
    struct config read = config_default();

    if ((line->config_file || access(path, F_OK) == 0) &&
        (!is_trusted(path, error) || !config_read(&read, path, error, ERROR_SIZE)))
        return false;
    if (!override(read.agentx_address, "-x", line->agentx_address, error) ||
        !override(read.state_directory, "-S", line->state_directory, error) ||
        !override(read.source, "-s", line->source, error) ||
        !override(read.user, "-u", line->user, error))
        return false;
    *config = read;
    return true;
}

static void tell_needs_restart(const char *key, bool differs)
{
    if (differs)
        log_write(LOG_WARNING, "%s has changed: that takes a restart", key);
}

/* SIGHUP. What the sampler holds open since the start stays as it is. */
static bool reload(struct config *config)
{
    struct config next;
    char error[ERROR_SIZE];

    if (!read_config(&command_line, &next, error)) {
        log_write(LOG_ERR, "%s; the old configuration stays", error);
        return false;
    }
    tell_needs_restart("source", strcmp(next.source, config->source) != 0);
    tell_needs_restart("user", strcmp(next.user, config->user) != 0);
    tell_needs_restart("state-directory",
                       strcmp(next.state_directory, config->state_directory) != 0);
    tell_needs_restart("sample-interval", next.sample_interval_ms != config->sample_interval_ms);
    strcpy(next.source, config->source);
    strcpy(next.user, config->user);
    strcpy(next.state_directory, config->state_directory);
    next.sample_interval_ms = config->sample_interval_ms;
    *config = next;
    log_write(LOG_NOTICE, "configuration read again");
    return true;
}

/* ---- State directory and rights ---- */

static bool fail(char *error, const char *what)
{
    snprintf(error, ERROR_SIZE, "%s: %s", what, strerror(errno));
    return false;
}

static bool find_user(const char *name, struct passwd **user, char *error)
{
    *user = NULL;
    if (name[0] == '\0')
        return true;
    errno = 0;
    *user = getpwnam(name);
    if (*user)
        return true;
    snprintf(error, ERROR_SIZE, "user \"%s\": %s", name, errno ? strerror(errno) : "no such user");
    return false;
}

/* Made where it is missing; refused where somebody else could change what is in it. */
static bool prepare_directory(const char *path, uid_t owner, gid_t group, char *error)
{
    struct stat status;

    if (mkdir(path, 0700) == 0 && chown(path, owner, group) != 0)
        return fail(error, path);
    if (stat(path, &status) != 0)
        return fail(error, path);
    if (!S_ISDIR(status.st_mode)) {
        snprintf(error, ERROR_SIZE, "%s: expected a directory", path);
        return false;
    }
    if (status.st_uid != owner || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        snprintf(error, ERROR_SIZE,
                 "%s: owner %u, mode %04o: expected owner %u, writable by nobody else", path,
                 status.st_uid, status.st_mode & 07777, owner);
        return false;
    }
    return (status.st_mode & 07777) == 0700 || chmod(path, 0700) == 0 || fail(error, path);
}

/* Held as long as the sampler lives. */
static bool lock_directory(const char *path, char *error)
{
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (directory < 0)
        return fail(error, path);
    if (flock(directory, LOCK_EX | LOCK_NB) == 0)
        return true;
    if (errno != EWOULDBLOCK)
        return fail(error, path);
    snprintf(error, ERROR_SIZE, "%s: another rstwatchd uses it", path);
    return false;
}

static bool drop_rights(const struct passwd *user, const struct reader_type *source, char *error)
{
    if (user && user->pw_uid == geteuid())
        user = NULL;
    return rights_become(user, source->reads_with_rights, error, ERROR_SIZE);
}

/* All that the agent will read, so that what is wrong with it is said before it starts. */
static bool load_all(const struct config *config, struct store *store,
                     struct set_settings *settings)
{
    struct stored_alarm alarms[METRIC_SLOTS];
    struct event_log events;
    bool good = event_log_open(&events, config->event_capacity) &&
                store_load_settings(store, settings) && store_load_alarms(store, alarms) &&
                store_load_events(store, &events);

    event_log_close(&events);
    return good;
}

static bool check_store(const struct config *config, void (*tell)(const char *line), char *error)
{
    struct set_settings stored;
    bool damaged;
    struct store *store = store_open(config->state_directory, &damaged, error, ERROR_SIZE);
    bool good;

    if (!store)
        return false;
    good = load_all(config, store, &stored);
    if (good)
        tell_differences(config, &stored, tell);
    else
        snprintf(error, ERROR_SIZE, "%s", store_error(store));
    store_close(store);
    return good;
}

/* Only one that is not there is none; one that cannot be reached is an error to come. */
static bool has_store(const struct config *config)
{
    char path[CONFIG_TEXT_SIZE + 32];

    snprintf(path, sizeof path, "%s/%s", config->state_directory, STORE_FILE);
    return access(path, F_OK) == 0 || errno != ENOENT;
}

/* ---- Actions ---- */

static int check_config(const struct config *config)
{
    char error[ERROR_SIZE];

    if (has_store(config) && !check_store(config, tell_on_stdout, error))
        return complain(error, EXIT_FAILURE);
    puts("the configuration is good");
    return EXIT_SUCCESS;
}

static int reset_settings(const struct config *config)
{
    char error[ERROR_SIZE];
    struct store *store;
    bool good, damaged;

    if (!has_store(config)) {
        puts("there are no settings made by SNMP SET");
        return EXIT_SUCCESS;
    }
    store = store_open(config->state_directory, &damaged, error, sizeof error);
    if (!store)
        return complain(error, EXIT_FAILURE);
    good = store_forget_settings(store);
    snprintf(error, sizeof error, "%s", store_error(store));
    store_close(store);
    if (!good)
        return complain(error, EXIT_FAILURE);
    puts("settings made by SNMP SET are forgotten; a running rstwatchd takes it up at SIGHUP");
    return EXIT_SUCCESS;
}

static bool prepare(const struct config *config, const struct passwd *user,
                    const struct reader_type *source, char *error)
{
    umask(077);
    return prepare_directory(config->state_directory, user ? user->pw_uid : geteuid(),
                             user ? user->pw_gid : getegid(), error) &&
           drop_rights(user, source, error) && lock_directory(config->state_directory, error);
}

/* What is wrong with the store keeps nothing from working: the agent says it. */
static void tell_stored(const struct config *config)
{
    char ignored[ERROR_SIZE];

    if (has_store(config))
        check_store(config, tell_in_log, ignored);
}

/* From one agent to the next. */
static struct handover *handover;

/* The first that reads what an agent has written, so that the sampler reads none of it. */
static int run_agent(const struct config *config, struct ring *ring, int wake)
{
    char error[ERROR_SIZE];

    if (!rights_confine_agent(config->state_directory, error, sizeof error)) {
        log_write(LOG_ERR, "agent: %s", error);
        return AGENT_FAILED;
    }
    tell_stored(config);
    return agent_run(config, ring, handover, wake);
}

/* With the source open: what begins with the rights of who started it ends confined. */
static int run_sampler(const struct command_line *line, const struct config *config,
                       const struct passwd *user, struct sampler *sampler)
{
    struct supervisor supervisor = {
        .sampler = sampler, .config = *config, .reload = reload, .agent = run_agent};
    char error[ERROR_SIZE], confined[100];

    handover = handover_create();
    if ((!handover && !fail(error, "mmap")) || !prepare(config, user, sampler->type, error) ||
        (!service_open() && !fail(error, "NOTIFY_SOCKET")) ||
        (!line->foreground && daemon(0, 0) != 0 && !fail(error, "daemon")))
        return complain(error, EXIT_FAILURE);
    if (!rights_confine(confined, sizeof confined, error, sizeof error)) {
        log_write(LOG_ERR, "%s", error);
        return EXIT_FAILURE;
    }
    log_write(LOG_NOTICE, RSTWATCH_VERSION ": source %s, a sample every %u ms, %s%s%s",
              sampler->type->name, config->sample_interval_ms, confined,
              sampler->passed_over[0] ? "; " : "", sampler->passed_over);
    return supervisor_run(&supervisor);
}

static int run(const struct command_line *line, const struct config *config)
{
    struct sampler sampler;
    struct passwd *user;
    char error[ERROR_SIZE];
    int status;

    if (!find_user(config->user, &user, error))
        return complain(error, EXIT_USAGE);
    switch (sampler_open(&sampler, config->source, error, sizeof error)) {
    case SAMPLER_NO_SUCH_SOURCE:
        return complain(error, EXIT_USAGE);
    case SAMPLER_FAILED:
        return complain(error, EXIT_FAILURE);
    case SAMPLER_OPEN:
        break;
    }
    status = run_sampler(line, config, user, &sampler);
    sampler_close(&sampler);
    return status;
}

static int act(const struct command_line *line)
{
    struct config config;
    char error[ERROR_SIZE];

    switch (line->action) {
    case VERSION:
        print_version();
        return EXIT_SUCCESS;
    case HELP:
        print_usage(stdout);
        return EXIT_SUCCESS;
    case LIST:
        print_list();
        return EXIT_SUCCESS;
    default:
        break;
    }
    if (!read_config(line, &config, error))
        return complain(error, EXIT_USAGE);
    if (line->action == CHECK_CONFIG)
        return check_config(&config);
    if (line->action == RESET_SETTINGS)
        return reset_settings(&config);
    return run(line, &config);
}

int main(int argc, char **argv)
{
    char error[ERROR_SIZE];

    if (!rights_inherit_little(error, sizeof error))
        return complain(error, EXIT_FAILURE);
    if (!parse_command_line(&command_line, argc, argv)) {
        print_usage(stderr);
        return EXIT_USAGE;
    }
    log_open("rstwatchd", command_line.foreground, command_line.verbose ? LOG_DEBUG : LOG_INFO);
    if (!make_absolute(&command_line.config_file) || !make_absolute(&command_line.state_directory))
        return complain(strerror(errno), EXIT_FAILURE);
    return act(&command_line);
}
