"""SET: what may be written, what is refused and how, and what lasts."""

import pytest

from lab import definitions, mib, replay, sinks
from lab.snmp import Refused
from lab.station import Station

ENABLED, RISING, FALLING, FACTOR, RAISE_DELAY, CLEAR_DELAY, CAUSES = (
    each.name for each in definitions.settings())

DEFAULTS = {ENABLED: 1, RISING: 5000, FALLING: 500, FACTOR: 10, RAISE_DELAY: 0, CLEAR_DELAY: 0,
            CAUSES: b"\xff\xf0"}
METRICS = ("received", "sent", "synCookies")
LARGEST = 2**32 - 1

# Letters of snmpset.
INTEGER, UNSIGNED, STRING, HEX, TICKS, ADDRESS, OID = "iusxtao"


@pytest.fixture(scope="module")
def module_station(directory):
    source = replay.write(directory / "quiet.replay")
    with Station(directory, source=source, notify_by=[sinks.V2C]) as station:
        yield station.start()


@pytest.fixture
def station(module_station):
    """With the settings as they are by default, before and after."""
    restore(module_station)
    yield module_station
    restore(module_station)


def restore(station):
    for metric in METRICS:
        station.operator.set(
            (f"{ENABLED}.{metric}", INTEGER, 1), (f"{RISING}.{metric}", UNSIGNED, 5000),
            (f"{FALLING}.{metric}", UNSIGNED, 500), (f"{FACTOR}.{metric}", UNSIGNED, 10),
            (f"{RAISE_DELAY}.{metric}", UNSIGNED, 0), (f"{CLEAR_DELAY}.{metric}", UNSIGNED, 0),
            (f"{CAUSES}.{metric}", HEX, "fff0"))


def settings_of(station):
    names = [f"{column}.{metric}" for metric in METRICS for column in DEFAULTS]
    return dict(zip(names, [each.value for each in station.manager.varbinds(*names)]))


def refusal(station, *assignments):
    """How the agent refuses: (status, name of the object). Nothing may have changed."""
    before = settings_of(station)
    with pytest.raises(Refused) as refused:
        station.operator.set(*assignments)
    assert settings_of(station) == before
    return refused.value.status, refused.value.name


def test_the_defaults_are_those_of_the_contract(new_station, tmp_path):
    station = new_station(source=replay.write(tmp_path / "quiet.replay")).start()
    assert settings_of(station) == {f"{column}.{metric}": value
                                    for metric in METRICS for column, value in DEFAULTS.items()}


@pytest.mark.parametrize("column, letter, values", [
    (ENABLED, INTEGER, [2, 1]),
    (RISING, UNSIGNED, [500, 5001, LARGEST]),
    (FALLING, UNSIGNED, [1, 499, 5000]),
    (FACTOR, UNSIGNED, [0, 1000]),
    (RAISE_DELAY, UNSIGNED, [1, 3600, 0]),
    (CLEAR_DELAY, UNSIGNED, [1, 3600, 0]),
])
@pytest.mark.parametrize("metric", METRICS)
def test_a_good_value_is_taken(station, metric, column, letter, values):
    for value in values:
        station.operator.set((f"{column}.{metric}", letter, value))
        assert station.manager.get(f"{column}.{metric}") == value


def test_a_value_is_taken_for_its_row_only(station):
    station.operator.set((f"{RISING}.sent", UNSIGNED, 7000))
    assert [station.manager.get(f"{RISING}.{metric}") for metric in METRICS] == [5000, 7000, 5000]


def test_a_value_can_be_set_over_v3_authpriv(station):
    station.snmpd.v3.set((f"{RISING}.received", UNSIGNED, 7100))
    assert station.manager.get(f"{RISING}.received") == 7100


def test_several_rows_can_be_set_in_one_request(station):
    station.operator.set(*((f"{RISING}.{metric}", UNSIGNED, 6000) for metric in METRICS))
    assert [station.manager.get(f"{RISING}.{metric}") for metric in METRICS] == [6000] * 3


@pytest.mark.parametrize("first, second", [(RISING, FALLING), (FALLING, RISING)])
def test_both_thresholds_can_move_past_each_other_in_one_request(station, first, second):
    up, down = {RISING: 90000, FALLING: 80000}, {RISING: 20, FALLING: 10}
    for target in up, down:
        station.operator.set(*((f"{column}.received", UNSIGNED, target[column])
                               for column in (first, second)))
        assert {column: station.manager.get(f"{column}.received") for column in target} == target


def test_a_new_threshold_holds_at_once(station):
    station.operator.set((f"{RISING}.received", UNSIGNED, 12300))
    station.daemon.wait_for_samples(1)
    assert station.manager.get("tcpResetAlarmEffectiveRising.received") == 12300


@pytest.mark.parametrize("column, value", [(RISING, 499), (FALLING, 5001)])
def test_one_threshold_cannot_move_past_the_other(station, column, value):
    name = f"{column}.received"
    assert refusal(station, (name, UNSIGNED, value)) == ("inconsistentValue", named(name))


@pytest.mark.parametrize("column, letter, value", [
    (ENABLED, UNSIGNED, 1),
    (ENABLED, STRING, "true"),
    (RISING, INTEGER, 5000),
    (RISING, TICKS, 5000),
    (RISING, STRING, "5000"),
    (RISING, ADDRESS, "0.0.19.136"),
    (FALLING, OID, "1.3.6"),
    (FACTOR, INTEGER, 1),
    (RAISE_DELAY, INTEGER, 1),
    (CLEAR_DELAY, TICKS, 1),
    (CAUSES, INTEGER, 0xFFF0),
    (CAUSES, UNSIGNED, 0xFFF0),
])
def test_another_type_is_wrong_type(station, column, letter, value):
    name = f"{column}.sent"
    assert refusal(station, (name, letter, value)) == ("wrongType", named(name))


@pytest.mark.parametrize("octets", ["fff000", "fff00000000000000000"])
def test_too_long_a_set_of_causes_is_wrong_length(station, octets):
    name = f"{CAUSES}.received"
    assert refusal(station, (name, HEX, octets)) == ("wrongLength", named(name))


@pytest.mark.parametrize("column, letter, value", [
    (ENABLED, INTEGER, 0),
    (ENABLED, INTEGER, 3),
    (ENABLED, INTEGER, -1),
    (RISING, UNSIGNED, 0),
    (FALLING, UNSIGNED, 0),
    (FACTOR, UNSIGNED, 1001),
    (RAISE_DELAY, UNSIGNED, 3601),
    (CLEAR_DELAY, UNSIGNED, LARGEST),
    (CAUSES, HEX, "0000"),  # an alarm that counts nothing
    (CAUSES, HEX, "8000"),  # nor does this one: there are no other causes
    (CAUSES, HEX, "fff8"),  # bit 12 has no name
    (CAUSES, HEX, "ffff"),
])
def test_a_value_out_of_range_is_wrong_value(station, column, letter, value):
    name = f"{column}.received"
    assert refusal(station, (name, letter, value)) == ("wrongValue", named(name))


@pytest.mark.parametrize("octets", ["7ff0", "4000"])
def test_a_part_of_the_causes_is_inconsistent_where_none_is_measured(station, octets):
    name = f"{CAUSES}.received"
    assert refusal(station, (name, HEX, octets)) == ("inconsistentValue", named(name))


@pytest.mark.parametrize("name, letter, value", [
    ("tcpResetReceived.0", UNSIGNED, 0),
    ("tcpResetAgentVersion.0", STRING, "x"),
    ("tcpResetSynCookieState.0", INTEGER, 1),
    ("tcpResetAlarmName.received", STRING, "x"),
    ("tcpResetAlarmState.received", INTEGER, 1),
    ("tcpResetAlarmMetric.received", INTEGER, 1),
    ("tcpResetEventNumber.1", UNSIGNED, 1),
    ("tcpResetCounters.99.0", INTEGER, 1),
])
def test_what_is_read_only_is_not_writable(station, name, letter, value):
    assert refusal(station, (name, letter, value)) == ("notWritable", named(name))


@pytest.mark.parametrize("instance", ["0", "4", "1.1", "4294967295"])
def test_rows_cannot_be_created(station, instance):
    name = f"{RISING}.{instance}"
    assert refusal(station, (name, UNSIGNED, 5000)) == ("noCreation", name)


def test_a_community_that_may_only_read_cannot_write(station):
    with pytest.raises(Refused) as refused:
        station.manager.set((f"{RISING}.received", UNSIGNED, 7000))
    assert refused.value.status == "noAccess"
    assert station.manager.get(f"{RISING}.received") == 5000


@pytest.mark.parametrize("place", [0, 1, 2, 3])
@pytest.mark.parametrize("bad, status", [
    ((f"{FACTOR}.sent", UNSIGNED, 1001), "wrongValue"),
    ((f"{FACTOR}.sent", INTEGER, 1), "wrongType"),
    ((f"{RISING}.sent", UNSIGNED, 100), "inconsistentValue"),
    (("tcpResetAlarmState.sent", INTEGER, 1), "notWritable"),
    ((f"{FACTOR}.4", UNSIGNED, 1), "noCreation"),
])
def test_one_bad_varbind_among_good_ones_changes_nothing(station, place, bad, status):
    assignments = [(f"{RISING}.received", UNSIGNED, 6000), (f"{ENABLED}.received", INTEGER, 2),
                   (f"{CLEAR_DELAY}.synCookies", UNSIGNED, 9)]
    assignments.insert(place, bad)
    assert refusal(station, *assignments) == (status, named(bad[0]))


def test_a_bad_varbind_of_another_agent_changes_nothing_here(station):
    system_description = ("1.3.6.1.2.1.1.1.0", STRING, "x")  # read-only, snmpd's own
    good = (f"{RISING}.received", UNSIGNED, 6000)
    assert refusal(station, good, system_description)[0] == "notWritable"
    assert refusal(station, system_description, good)[0] == "notWritable"


def named(name):
    """As the agent names the object: the metric is a number there."""
    return mib.name(mib.oid(name))
