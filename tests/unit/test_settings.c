/* The settings: defaults, ranges, and the rules between values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "subagent/settings.h"
#include "tests/unit/random.h"

#define MEASURED     true
#define NOT_MEASURED false

/* What was agreed with the users: written out here, so that a slip in settings.def shows. */
static const struct {
    enum setting id;
    uint32_t column;
    const char *name, *key;
    enum setting_kind kind;
    uint32_t minimum, maximum, fallback;
} agreed[] = {
    {SETTING_ENABLED, 3, "tcpResetAlarmEnabled", "enabled", SETTING_KIND_FLAG, 0, 1, 1},
    {SETTING_RISING, 4, "tcpResetAlarmRisingThreshold", "rising", SETTING_KIND_RATE, 1, 4294967295,
     5000},
    {SETTING_FALLING, 5, "tcpResetAlarmFallingThreshold", "falling", SETTING_KIND_RATE, 1,
     4294967295, 500},
    {SETTING_FACTOR, 6, "tcpResetAlarmBaselineFactor", "baseline-factor", SETTING_KIND_NUMBER, 0,
     1000, 10},
    {SETTING_RAISE_DELAY, 7, "tcpResetAlarmRaiseDelay", "raise-delay", SETTING_KIND_NUMBER, 0, 3600,
     0},
    {SETTING_CLEAR_DELAY, 8, "tcpResetAlarmClearDelay", "clear-delay", SETTING_KIND_NUMBER, 0, 3600,
     0},
    {SETTING_CAUSES, 9, "tcpResetAlarmCauses", "causes", SETTING_KIND_MASK, 2, 4095, 4095},
};

/* Settings in which any one value can be changed without another rule in its way. */
static struct alarm_settings roomy(void)
{
    struct alarm_settings settings = settings_default();

    settings.value[SETTING_RISING] = UINT32_MAX;
    settings.value[SETTING_FALLING] = 1;
    return settings;
}

static struct alarm_settings roomy_but(enum setting id, uint32_t value)
{
    struct alarm_settings settings = roomy();

    settings.value[id] = value;
    return settings;
}

static struct alarm_settings thresholds(uint32_t rising, uint32_t falling)
{
    struct alarm_settings settings = settings_default();

    settings.value[SETTING_RISING] = rising;
    settings.value[SETTING_FALLING] = falling;
    return settings;
}

static void assert_right(struct alarm_settings settings, bool causes_measured)
{
    const struct alarm_settings before = settings;
    enum setting culprit = SETTING_COUNT;

    assert_int_equal(settings_check(&settings, METRIC_RECEIVED, causes_measured, &culprit),
                     SETTINGS_OK);
    assert_memory_equal(&settings, &before, sizeof before);
}

static void assert_wrong(struct alarm_settings settings, bool causes_measured,
                         enum settings_error error, enum setting blamed)
{
    const struct alarm_settings before = settings;
    enum setting culprit = SETTING_COUNT;

    assert_int_equal(settings_check(&settings, METRIC_RECEIVED, causes_measured, &culprit), error);
    assert_int_equal(culprit, blamed);
    assert_memory_equal(&settings, &before, sizeof before);
}

static void test_every_setting_is_as_agreed(void **state)
{
    (void)state;
    assert_int_equal(ARRAY_SIZE(agreed), SETTING_COUNT);
    for (size_t i = 0; i < ARRAY_SIZE(agreed); i++) {
        const struct setting_type *type = &setting_types[agreed[i].id];

        assert_string_equal(type->name, agreed[i].name);
        assert_string_equal(type->key, agreed[i].key);
        assert_int_equal(type->column, agreed[i].column);
        assert_int_equal(type->kind, agreed[i].kind);
        assert_int_equal(type->minimum, agreed[i].minimum);
        assert_int_equal(type->maximum, agreed[i].maximum);
        assert_int_equal(type->fallback, agreed[i].fallback);
    }
}

static void test_every_default_is_in_its_range(void **state)
{
    (void)state;
    for (int id = 0; id < SETTING_COUNT; id++) {
        assert_true(setting_types[id].fallback >= setting_types[id].minimum);
        assert_true(setting_types[id].fallback <= setting_types[id].maximum);
        assert_int_equal(settings_default().value[id], setting_types[id].fallback);
    }
}

static void test_defaults_are_right_whether_causes_are_measured_or_not(void **state)
{
    (void)state;
    assert_right(settings_default(), MEASURED);
    assert_right(settings_default(), NOT_MEASURED);
}

static void test_keys_names_and_columns_are_unique(void **state)
{
    (void)state;
    for (int a = 0; a < SETTING_COUNT; a++) {
        for (int b = a + 1; b < SETTING_COUNT; b++) {
            assert_string_not_equal(setting_types[a].name, setting_types[b].name);
            assert_string_not_equal(setting_types[a].key, setting_types[b].key);
            assert_int_not_equal(setting_types[a].column, setting_types[b].column);
        }
    }
}

static void test_both_ends_of_each_range_are_right(void **state)
{
    (void)state;
    for (int id = 0; id < SETTING_COUNT; id++) {
        assert_right(roomy_but(id, setting_types[id].minimum), MEASURED);
        assert_right(roomy_but(id, setting_types[id].maximum), MEASURED);
    }
}

/* One past an end that is also the end of 32 bits cannot be written at all. */
static void test_one_past_each_end_is_out_of_range(void **state)
{
    (void)state;
    for (int id = 0; id < SETTING_COUNT; id++) {
        const struct setting_type *type = &setting_types[id];

        if (type->minimum > 0)
            assert_wrong(roomy_but(id, type->minimum - 1), MEASURED, SETTINGS_RANGE, id);
        if (type->maximum < UINT32_MAX) {
            assert_wrong(roomy_but(id, type->maximum + 1), MEASURED, SETTINGS_RANGE, id);
            assert_wrong(roomy_but(id, UINT32_MAX), MEASURED, SETTINGS_RANGE, id);
        }
    }
}

static void test_falling_may_equal_rising_but_not_exceed_it(void **state)
{
    static const uint32_t rates[] = {1, 2, 500, 5000, INT32_MAX, UINT32_C(1) << 31, UINT32_MAX};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
        assert_right(thresholds(rates[i], rates[i]), MEASURED);
        if (rates[i] > 1) {
            assert_right(thresholds(rates[i], rates[i] - 1), MEASURED);
            assert_wrong(thresholds(rates[i] - 1, rates[i]), MEASURED, SETTINGS_INCONSISTENT,
                         SETTING_FALLING);
        }
    }
    assert_wrong(thresholds(1, UINT32_MAX), MEASURED, SETTINGS_INCONSISTENT, SETTING_FALLING);
}

static void test_a_value_out_of_range_is_so_whatever_the_others_are(void **state)
{
    (void)state;
    assert_wrong(thresholds(0, 500), MEASURED, SETTINGS_RANGE, SETTING_RISING);
    assert_wrong(roomy_but(SETTING_CAUSES, 0), NOT_MEASURED, SETTINGS_RANGE, SETTING_CAUSES);
    assert_wrong(roomy_but(SETTING_CAUSES, CAUSE_MASK_ALL + 1), NOT_MEASURED, SETTINGS_RANGE,
                 SETTING_CAUSES);
}

static void test_a_part_of_the_causes_needs_them_measured(void **state)
{
    (void)state;
    for (int bit = 1; bit < CAUSE_MASK_BITS; bit++) {
        uint32_t all_but_one = CAUSE_MASK_ALL & ~(UINT32_C(1) << bit);

        assert_right(roomy_but(SETTING_CAUSES, all_but_one), MEASURED);
        assert_wrong(roomy_but(SETTING_CAUSES, all_but_one), NOT_MEASURED, SETTINGS_INCONSISTENT,
                     SETTING_CAUSES);
    }
    assert_right(roomy_but(SETTING_CAUSES, CAUSE_MASK_ALL & ~UINT32_C(1)), MEASURED);
    assert_right(roomy_but(SETTING_CAUSES, CAUSE_MASK_ALL), NOT_MEASURED);
}

/* An alarm that could never raise is nobody's wish. Columns: received, sent, synCookies. */
static const struct {
    enum cause cause;
    bool can_be[3];
} occurrences[] = {
    {CAUSE_NO_LISTENER, {true, true, false}}, {CAUSE_ABORTED, {true, true, false}},
    {CAUSE_HALF_OPEN, {false, true, false}},  {CAUSE_TIME_WAIT, {true, true, false}},
    {CAUSE_QUEUE_FULL, {false, true, false}}, {CAUSE_MEMORY, {false, true, false}},
    {CAUSE_BLIND, {true, false, false}},      {CAUSE_HANDSHAKE_ABORTED, {true, false, false}},
    {CAUSE_FIREWALL, {false, true, false}},   {CAUSE_UNMATCHED, {true, false, false}},
    {CAUSE_UNEXPLAINED, {true, true, false}},
};

static void test_a_part_of_the_causes_has_one_that_the_metric_can_have(void **state)
{
    (void)state;
    assert_int_equal(ARRAY_SIZE(occurrences), CAUSE_SLOTS - 1);
    for (size_t i = 0; i < ARRAY_SIZE(occurrences); i++) {
        struct alarm_settings alone =
            roomy_but(SETTING_CAUSES, UINT32_C(1) << occurrences[i].cause);

        for (enum metric metric = METRIC_FIRST; metric <= METRIC_LAST; metric++) {
            enum setting culprit = SETTING_COUNT;

            assert_int_equal(settings_check(&alone, metric, MEASURED, &culprit),
                             occurrences[i].can_be[metric - METRIC_FIRST] ? SETTINGS_OK
                                                                          : SETTINGS_INCONSISTENT);
        }
    }
    assert_wrong(roomy_but(SETTING_CAUSES, 1), MEASURED, SETTINGS_RANGE, SETTING_CAUSES);
}

static void test_metrics_bear_their_labels(void **state)
{
    (void)state;
    assert_int_equal(METRIC_FIRST, 1);
    assert_int_equal(METRIC_LAST, 3);
    assert_string_equal(metric_names[METRIC_RECEIVED], "received");
    assert_string_equal(metric_names[METRIC_SENT], "sent");
    assert_string_equal(metric_names[METRIC_SYN_COOKIES], "synCookies");
}

/* What holds when the file says one thing and SET has said another. */
static void test_merge(void **state)
{
    static const struct {
        uint32_t file_rising, file_falling, set_rising, set_falling; /* set: 0 = not made by SET */
        uint32_t rising, falling;
    } cases[] = {
        {5000, 500, 0, 0, 5000, 500},   {5000, 500, 9000, 0, 9000, 500},
        {5000, 500, 0, 600, 5000, 600}, {5000, 500, 9000, 8000, 9000, 8000},
        {5000, 800, 600, 0, 600, 600},  {5000, 500, 0, 7000, 7000, 7000},
        {5000, 500, 500, 0, 500, 500},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct alarm_settings file[METRIC_SLOTS] = {[METRIC_SENT] = settings_default()};
        struct set_settings stored = {0}, held;
        enum setting culprit;

        file[METRIC_RECEIVED] = file[METRIC_SYN_COOKIES] = settings_default();
        file[METRIC_SENT].value[SETTING_RISING] = cases[i].file_rising;
        file[METRIC_SENT].value[SETTING_FALLING] = cases[i].file_falling;
        stored.value[METRIC_SENT].value[SETTING_RISING] = cases[i].set_rising;
        stored.value[METRIC_SENT].value[SETTING_FALLING] = cases[i].set_falling;
        stored.set[METRIC_SENT] = (uint32_t)(cases[i].set_rising != 0) << SETTING_RISING |
                                  (uint32_t)(cases[i].set_falling != 0) << SETTING_FALLING;
        held = settings_merge(file, &stored);
        assert_int_equal(held.value[METRIC_SENT].value[SETTING_RISING], cases[i].rising);
        assert_int_equal(held.value[METRIC_SENT].value[SETTING_FALLING], cases[i].falling);
        assert_int_equal(held.set[METRIC_SENT], stored.set[METRIC_SENT]);
        assert_int_equal(held.value[METRIC_RECEIVED].value[SETTING_RISING], 5000);
        assert_int_equal(
            settings_check(&held.value[METRIC_SENT], METRIC_SENT, NOT_MEASURED, &culprit),
            SETTINGS_OK);
    }
}

/* What a damaged database may have, and no SET can make. */
static void test_merge_leaves_out_what_no_set_has_made(void **state)
{
    struct alarm_settings file[METRIC_SLOTS];
    struct set_settings stored = {0}, held;

    (void)state;
    for (enum metric metric = 0; metric < METRIC_SLOTS; metric++)
        file[metric] = settings_default();
    stored.value[METRIC_SENT].value[SETTING_RISING] = 100;
    stored.value[METRIC_SENT].value[SETTING_FALLING] = 200;
    stored.value[METRIC_SENT].value[SETTING_CAUSES] = 0;
    stored.value[METRIC_SENT].value[SETTING_RAISE_DELAY] = 7;
    stored.set[METRIC_SENT] = UINT32_C(1) << SETTING_RISING | UINT32_C(1) << SETTING_FALLING |
                              UINT32_C(1) << SETTING_CAUSES | UINT32_C(1) << SETTING_RAISE_DELAY;
    held = settings_merge(file, &stored);
    assert_int_equal(held.set[METRIC_SENT], UINT32_C(1) << SETTING_RAISE_DELAY);
    assert_int_equal(held.value[METRIC_SENT].value[SETTING_RAISE_DELAY], 7);
    assert_int_equal(held.value[METRIC_SENT].value[SETTING_RISING], 5000);
    assert_int_equal(held.value[METRIC_SENT].value[SETTING_FALLING], 500);
    assert_int_equal(held.value[METRIC_SENT].value[SETTING_CAUSES], CAUSE_MASK_ALL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_setting_is_as_agreed),
        cmocka_unit_test(test_every_default_is_in_its_range),
        cmocka_unit_test(test_defaults_are_right_whether_causes_are_measured_or_not),
        cmocka_unit_test(test_keys_names_and_columns_are_unique),
        cmocka_unit_test(test_both_ends_of_each_range_are_right),
        cmocka_unit_test(test_one_past_each_end_is_out_of_range),
        cmocka_unit_test(test_falling_may_equal_rising_but_not_exceed_it),
        cmocka_unit_test(test_a_value_out_of_range_is_so_whatever_the_others_are),
        cmocka_unit_test(test_a_part_of_the_causes_needs_them_measured),
        cmocka_unit_test(test_a_part_of_the_causes_has_one_that_the_metric_can_have),
        cmocka_unit_test(test_metrics_bear_their_labels),
        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_merge_leaves_out_what_no_set_has_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
