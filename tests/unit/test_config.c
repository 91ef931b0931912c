/* The configuration file: what is taken, and what each mistake is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "subagent/config.h"

static const struct {
    const char *text;
    const char *error; /* how it begins */
} mistakes[] = {
    {"foo = 1", "file:1: no such option 'foo'"},
    {"\n\nsample-interval = 99", "file:3: sample-interval: 99 is not between 100 and 1000"},
    {"sample-interval = 1001", "file:1: sample-interval: 1001 is not between 100 and 1000"},
    {"sample-interval = 1x", "file:1: invalid integer value for option 'sample-interval'"},
    {"sample-interval = 99999999999999999999", "file:1: integer value for option "},
    {"event-capacity = 9", "file:1: event-capacity: 9 is not between 10 and 100000"},
    {"event-capacity = 100001", "file:1: event-capacity: 100001 is not between"},
    {"evidence = perhaps", "file:1: invalid boolean value for option 'evidence'"},
    {"evidence-files = 0", "file:1: evidence-files: 0 is not between 1 and 1000"},
    {"evidence-files = 1001", "file:1: evidence-files: 1001 is not between 1 and 1000"},
    {"evidence-packets = 99", "file:1: evidence-packets: 99 is not between 100 and 1000000"},
    {"evidence-packets = 1000001", "file:1: evidence-packets: 1000001 is not between"},
    {"alarm received {\nrising = 0.004\n}",
     "file:2: rising: 0.004 is not between 0.01 and 42949672.95"},
    {"alarm received { rising = 42949672.96 }", "file:1: rising: "},
    {"alarm received { rising = nan }", "file:1: rising: nan is not between"},
    {"alarm received { rising = -5 }", "file:1: rising: -5 is not between"},
    {"alarm received { rising = fast }",
     "file:1: invalid floating point value for option 'rising'"},
    {"alarm received { baseline-factor = 1001 }", "file:1: baseline-factor: 1001 is not between 0"},
    {"alarm received { raise-delay = 3601 }",
     "file:1: raise-delay: 3601 is not between 0 and 3600"},
    {"alarm received { clear-delay = -1 }", "file:1: clear-delay: -1 is not between 0 and 3600"},
    {"alarm received { enabled = maybe }", "file:1: invalid boolean value for option 'enabled'"},
    {"alarm received { rising = 4 }",
     "file:1: alarm \"received\": falling 5.00 is above rising 4.00"},
    {"alarm receive { rising = 60 }",
     "file:1: alarm \"receive\": expected received, sent or synCookies"},
    {"alarm sent { causes = {\"abortd\"} }", "file:1: causes: no cause is named \"abortd\""},
    {"alarm sent { causes = {} }",
     "file:1: alarm \"sent\": causes: expected {all} or at least one"},
    {"alarm sent { causes = {other} }", "file:1: alarm \"sent\": causes: expected {all} or at"},
    {"alarm sent { causes = {blind} }", "file:1: alarm \"sent\": causes: expected {all} or at"},
    {"alarm synCookies {\ncauses = {aborted}\n}",
     "file:3: alarm \"synCookies\": causes: expected {all}"},
    {"alarm sent {} alarm sent {}", "file:1: found duplicate title 'sent'"},
    {"alarm sent { rising = 60", "file:2: the section is not closed: expected }"},
    {"state-directory = var", "file:1: state-directory: \"var\": expected a path from the root"},
    {"# one\n# two\n// three\n/* four\nfive */\nfoo = 1", "file:6: no such option 'foo'"},
    {"user = a # b = \"\nfoo = 1", "file:2: no such option 'foo'"},
    {"source = \"a#b//c/*d\"\nfoo = 1", "file:2: no such option 'foo'"},
    {"user = 'it\\'s' # \nfoo = 1", "file:2: no such option 'foo'"},
    {"user = a /* not closed\nfoo = 1", "file: a comment is not closed"},
    {"source = \"pro", "file:"},
    {"user", "file:"},
};

static void test_mistakes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        struct config config, before;
        char error[256];

        memset(&config, 0x5a, sizeof config);
        before = config;
        if (config_parse(&config, mistakes[i].text, "file", error, sizeof error))
            fail_msg("accepted: %s", mistakes[i].text);
        if (strncmp(error, mistakes[i].error, strlen(mistakes[i].error)) != 0)
            fail_msg("%s: told \"%s\", wanted \"%s\"", mistakes[i].text, error, mistakes[i].error);
        assert_memory_equal(&config, &before, sizeof config); /* untouched */
    }
}

static void test_defaults(void **state)
{
    struct config config = config_default(), parsed;
    struct alarm_settings settings = settings_default();
    char error[256];

    (void)state;
    assert_true(config_parse(&parsed, "# nothing\n", "file", error, sizeof error));
    assert_memory_equal(&config, &parsed, sizeof config);
    assert_string_equal(config.source, "auto");
    assert_string_equal(config.user, "");
    assert_int_equal(config.sample_interval_ms, 100);
    assert_int_equal(config.event_capacity, 1000);
    assert_true(config.evidence);
    assert_int_equal(config.evidence_files, 20);
    assert_int_equal(config.evidence_packets, 20000);
    for (enum metric metric = METRIC_FIRST; metric <= METRIC_LAST; metric++)
        assert_memory_equal(&config.alarm[metric], &settings, sizeof settings);
}

static void test_all_keys(void **state)
{
    const char text[] =
        "agentx-address = \"tcp:localhost:7705\"\n"
        "state-directory = /tmp//x # y\nsource = \"replay:#a b//\"\nuser = nobody // z\n"
        "sample-interval = 250\nevent-capacity = 50\n"
        "evidence = off\nevidence-files = 1\nevidence-packets = 1000000\n"
        "alarm sent { enabled = no rising = 12.34 falling = 0.01\n"
        " baseline-factor = 0 raise-delay = 3 clear-delay = 3600 causes = {all} }\n";
    const struct alarm_settings wanted = {.value = {0, 1234, 1, 0, 3, 3600, CAUSE_MASK_ALL}};
    struct alarm_settings others = settings_default();
    struct config config;
    char error[256];

    (void)state;
    if (!config_parse(&config, text, "file", error, sizeof error))
        fail_msg("%s", error);
    assert_string_equal(config.agentx_address, "tcp:localhost:7705");
    assert_string_equal(config.state_directory, "/tmp//x");
    assert_string_equal(config.source, "replay:#a b//");
    assert_string_equal(config.user, "nobody");
    assert_int_equal(config.sample_interval_ms, 250);
    assert_int_equal(config.event_capacity, 50);
    assert_false(config.evidence);
    assert_int_equal(config.evidence_files, 1);
    assert_int_equal(config.evidence_packets, 1000000);
    assert_memory_equal(&config.alarm[METRIC_SENT], &wanted, sizeof wanted);
    assert_memory_equal(&config.alarm[METRIC_RECEIVED], &others, sizeof others);
}

/* Whether the source tells causes shows only when it runs. */
static void test_causes(void **state)
{
    static const struct {
        const char *list;
        uint32_t mask;
    } cases[] = {
        {"{\"aborted\", \"blind\"}", 1 << CAUSE_ABORTED | 1 << CAUSE_BLIND},
        {"{noListener}", 1 << CAUSE_NO_LISTENER},
        {"{noListener, noListener}", 1 << CAUSE_NO_LISTENER},
        {"{other, unexplained}", 1 | 1 << CAUSE_UNEXPLAINED},
        {"{noListener, all}", CAUSE_MASK_ALL},
        {"{other, noListener, aborted, halfOpen, timeWait, queueFull, memory, blind,\n"
         " handshakeAborted, firewall, unmatched, unexplained}",
         CAUSE_MASK_ALL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config config;
        char text[256], error[256];

        snprintf(text, sizeof text, "alarm received { causes = %s }\n", cases[i].list);
        if (!config_parse(&config, text, "file", error, sizeof error))
            fail_msg("%s", error);
        assert_int_equal(config.alarm[METRIC_RECEIVED].value[SETTING_CAUSES], cases[i].mask);
        assert_int_equal(config.alarm[METRIC_SENT].value[SETTING_CAUSES], CAUSE_MASK_ALL);
    }
}

static void test_too_long(void **state)
{
    char text[CONFIG_TEXT_SIZE + 32] = "user = ";
    struct config config;
    char error[256];

    (void)state;
    memset(text + strlen(text), 'u', CONFIG_TEXT_SIZE);
    assert_false(config_parse(&config, text, "file", error, sizeof error));
    assert_string_equal(error, "file:1: user: longer than 1023 bytes");
}

static void test_files(void **state)
{
    struct config config;
    char error[256], path[] = "/tmp/rstwatch-test-XXXXXX";
    int file = mkstemp(path);

    (void)state;
    assert_true(write(file, "user = a\0b", 10) == 10);
    assert_false(config_read(&config, path, error, sizeof error));
    assert_non_null(strstr(error, ": a NUL byte: expected text"));
    assert_int_equal(ftruncate(file, 0), 0);
    assert_true(config_read(&config, path, error, sizeof error));
    assert_int_equal(ftruncate(file, 1024 * 1024 + 1), 0);
    assert_false(config_read(&config, path, error, sizeof error));
    assert_non_null(strstr(error, ": larger than 1048576 bytes"));
    close(file);
    unlink(path);
    assert_false(config_read(&config, path, error, sizeof error));
    assert_non_null(strstr(error, ": No such file or directory"));
    assert_false(config_read(&config, "/", error, sizeof error));
    assert_string_equal(error, "/: Is a directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes), cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_all_keys), cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_files),    cmocka_unit_test(test_causes),
    };

    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
