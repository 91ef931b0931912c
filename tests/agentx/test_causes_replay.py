"""Resets by cause, from a sample to the wire; a replay file says what the causes are.

Bursts come in one sample and stay in the 10 s window while a test looks, so one
of 10000 reads 1000.00 a second.
"""

import subprocess
from dataclasses import dataclass

import pytest

from lab import definitions, mib, replay, sinks
from lab.snmp import Missing, Refused
from lab.station import Station

RAISED = "tcpResetAlarmRaised"
CAUSES = "tcpResetAlarmCauses"
SUMMARY = "tcpResetAlarmSummary"
COLUMNS = ["tcpResetCauseLabel", "tcpResetCauseCount", "tcpResetCauseAvg10s",
           "tcpResetCauseMethod"]
DIRECTIONS = {"received": "tcpResetReceived", "sent": "tcpResetSent"}
DERIVED = 2
ALL, ALL_BUT_ABORTED, ONLY_BLIND, ONLY_ABORTED = "fff0", "dff0", "0100", "2000"

# In one sample, after 300 ms. No cause of those sent has more than half.
RECEIVED = {"noListener": 9300, "aborted": 650, "blind": 50}
SENT = {"aborted": 5000, "firewall": 4000, "unexplained": 1000}


def moment(ms, **directions):
    """A moment of lab.replay in which the totals are what the causes add up to."""
    counters = {f"{direction}.{each.label}": causes.get(each.label, 0)
                for direction, causes in directions.items() for each in definitions.causes()}
    totals = {DIRECTIONS[direction]: sum(causes.values())
              for direction, causes in directions.items()}
    return ms, counters | totals


def bursts(path, *moments, **keys):
    """A replay file in which every cause is measured; all are 0 at first."""
    ms, start = moment(0, received={}, sent={})
    return replay.write(path, (ms, start | replay.QUIET | keys), *moments)


def row_names(column):
    return [f"{column}.{direction}.{each.label}" for direction in DIRECTIONS
            for each in definitions.causes()]


def refusal(station, name, octets):
    before = station.manager.get(name)
    with pytest.raises(Refused) as refused:
        station.operator.set((name, "x", octets))
    assert station.manager.get(name) == before
    return refused.value.status


# ---- Causes measured: values, walk, events ----

@dataclass
class Scene:
    station: Station
    raised: dict  # metric: the notification
    averages: list  # as they were right after the bursts
    summaries: list


@pytest.fixture(scope="module")
def measured(directory):
    source = bursts(directory / "measured.replay", moment(300, received=RECEIVED, sent=SENT))
    with Station(directory, source=source, notify_by=[sinks.V2C]) as station:
        station.start()
        raised = station.receiver.wait_for(RAISED, count=2, timeout=5)
        yield Scene(station, {each.values["tcpResetEventMetricName"]: each for each in raised},
                    station.manager.varbinds(*row_names("tcpResetCauseAvg10s")),
                    station.manager.values(f"{SUMMARY}.received", f"{SUMMARY}.sent"))


def test_each_cause_of_each_direction_has_its_count(measured):
    counts = measured.station.manager.varbinds(*row_names("tcpResetCauseCount"))
    assert [each.value for each in counts] == [
        causes.get(each.label, 0) for causes in (RECEIVED, SENT) for each in definitions.causes()]


@pytest.mark.parametrize("direction, total", DIRECTIONS.items())
def test_the_rows_of_a_direction_add_up_to_it_in_one_answer(measured, direction, total):
    rows = [name for name in row_names("tcpResetCauseCount") if f".{direction}." in name]
    whole, *parts = measured.station.manager.values(f"{total}.0", *rows)
    assert len(parts) == len(definitions.causes())
    assert sum(parts) == whole == 10000


def test_averages_are_of_the_last_10_seconds(measured):
    assert [each.value for each in measured.averages] == [
        10 * causes.get(each.label, 0)
        for causes in (RECEIVED, SENT) for each in definitions.causes()]


def test_a_walk_meets_every_row_of_every_column_in_order(measured):
    walked = measured.station.manager.walk("tcpResetCauseTable")
    assert [each.oid for each in walked] == [
        mib.oid(name) for column in COLUMNS for name in row_names(column)]


def test_labels_are_those_of_the_index(measured):
    labels = measured.station.manager.varbinds(*row_names("tcpResetCauseLabel"))
    assert [each.value.decode() for each in labels] == 2 * [
        each.label for each in definitions.causes()]


def test_an_index_is_shown_by_name(measured):
    name, value = measured.station.manager.text("tcpResetCauseMethod.sent.firewall")[0]
    assert (name, value) == ("tcpResetCauseMethod.sent.firewall", "measured")


def test_the_cause_of_more_than_half_is_in_notification_and_event(measured):
    notification = measured.raised["received"]
    assert notification.values["tcpResetEventCause"] == "noListener"
    assert notification.values["tcpResetEventSummary"].strip('"') == \
        "received 1000.00/s (limit 50.00), no baseline yet: 93 % refused"
    number = notification.values["tcpResetEventNumber"]
    assert notification.varbinds[-1][0] == f"tcpResetEventCause.{number}"
    assert measured.station.manager.get(f"tcpResetEventCause.{number}") == 1


def test_a_cause_of_half_does_not_stand_out(measured):
    notification = measured.raised["sent"]
    assert notification.values["tcpResetEventCause"] == "other"
    assert notification.values["tcpResetEventSummary"].strip('"') == \
        "sent 1000.00/s (limit 50.00), no baseline yet"


def test_a_raised_alarm_tells_the_cause_in_its_summary(measured):
    assert measured.summaries == [b"received 1000.00/s (limit 5.00), raised: 93 % refused",
                                  b"sent 1000.00/s (limit 5.00), raised"]


@pytest.mark.parametrize("metric, octets", [
    ("synCookies", ALL_BUT_ABORTED),  # they have no causes
    ("sent", ONLY_BLIND),  # what one sends is never blind
    ("received", "1000"),  # nor is what one receives half-open
])
def test_causes_that_the_metric_cannot_have_are_inconsistent(measured, metric, octets):
    assert refusal(measured.station, f"{CAUSES}.{metric}", octets) == "inconsistentValue"


# ---- Causes chosen ----

def test_a_part_that_was_set_is_counted_and_lasts(new_station, tmp_path):
    """6000 hundredths are left of 106000."""
    source = bursts(tmp_path / "part.replay",
                    moment(2000, sent={"aborted": 10000, "noListener": 400, "firewall": 200}))
    station = new_station(source=source, notify_by=[sinks.V2C]).start()
    station.operator.set((f"{CAUSES}.sent", "x", ALL_BUT_ABORTED))

    raised = station.receiver.wait_for(RAISED, timeout=5)[0]
    assert raised.values["tcpResetEventSummary"].strip('"') == \
        "sent of chosen causes 60.00/s (limit 50.00), no baseline yet: 66 % no listener"
    assert raised.values["tcpResetEventCause"] == "noListener"
    assert station.manager.values("tcpResetAlarmValue.sent", "tcpResetAlarmPeak.sent",
                                  "tcpResetSentAvg10s.0") == [6000, 6000, 106000]

    station.daemon.kill_every_process()
    assert "causes is {other, noListener, halfOpen," in check_config(station)
    station.daemon.start()
    assert station.manager.get(f"{CAUSES}.sent").hex() == ALL_BUT_ABORTED
    assert b"of chosen causes" in station.manager.get(f"{SUMMARY}.sent")
    station.daemon.wait_for_value("tcpResetSentAvg10s.0", 106000)
    assert station.manager.get("tcpResetAlarmValue.sent") == 6000


def check_config(station):
    return subprocess.run(list(map(str, station.daemon.command("--check-config"))), check=True,
                          capture_output=True, text=True, timeout=10).stdout


def test_the_aborts_that_a_proxy_means_raise_nothing(new_station, tmp_path):
    """Netdata's issue 1156: an alarm that a load balancer's own resets keep ringing."""
    source = bursts(tmp_path / "proxy.replay",
                    moment(500, received={"aborted": 10000}, sent={"aborted": 10000}))
    part = ", ".join(each.label for each in definitions.causes() if each.label != "aborted")
    station = new_station(source=source, notify_by=[sinks.V2C],
                          configuration=f"alarm sent {{ causes = {{{part}}} }}\n").start()
    station.receiver.wait_for(RAISED, metric="received", timeout=5)
    station.daemon.wait_for_samples(2)
    assert station.receiver.received(metric="sent") == []
    assert station.manager.values("tcpResetAlarmValue.sent", "tcpResetAlarmState.sent") == [0, 1]
    assert station.manager.get("tcpResetSentAvg10s.0") == 100000


# ---- Causes not measured ----

@pytest.fixture(scope="module")
def derived(directory):
    """The kernel's counters tell of two causes, and some of what they tell was no reset."""
    directory = directory / "derived"
    directory.mkdir()
    known = {"received.handshakeAborted": 0, "sent.aborted": 0, "cause_method": "derived"}
    source = replay.write(directory / "derived.replay", (0, replay.QUIET | known),
                          (500, {"sent.aborted": 12000, "tcpResetSent": 10000}))
    with Station(directory, source=source, notify_by=[sinks.V2C],
                 configuration='alarm sent { causes = {"noListener"} }\n') as station:
        yield station.start()


def test_where_causes_are_not_measured_all_are_counted(derived):
    raised = derived.receiver.wait_for(RAISED, metric="sent", timeout=5)[0]
    assert raised.values["tcpResetEventCause"] == "other"
    assert raised.values["tcpResetEventSummary"].strip('"') == \
        "sent 1000.00/s (limit 50.00), no baseline yet"


def test_that_is_logged_once(derived):
    derived.daemon.wait_for_samples(3)
    said = [line for line in derived.daemon.process.log.splitlines() if "not measured" in line]
    assert len(said) == 1 and "alarm sent" in said[0]


def test_only_what_is_derived_has_rows(derived):
    walked = [(mib.name(each.oid), each.value)
              for each in derived.manager.walk("tcpResetCauseTable")]
    assert [name for name, _ in walked] == [f"{column}.{row}" for column in COLUMNS
                                            for row in ("1.8", "2.2")]
    assert dict(walked)["tcpResetCauseCount.2.2"] == 12000
    assert dict(walked)["tcpResetCauseMethod.2.2"] == DERIVED
    assert derived.manager.get("tcpResetCauseCount.sent.noListener") is Missing.noSuchInstance


@pytest.mark.parametrize("metric", ["received", "sent"])
def test_a_part_is_inconsistent_where_causes_are_derived(derived, metric):
    assert refusal(derived, f"{CAUSES}.{metric}", ONLY_ABORTED) == "inconsistentValue"


def test_a_part_in_the_file_is_in_nobodys_way(derived):
    derived.operator.set(("tcpResetAlarmRisingThreshold.sent", "u", 6000))
    assert derived.manager.get(f"{CAUSES}.sent").hex() == "4000"
    derived.operator.set((f"{CAUSES}.sent", "x", ALL))
    assert derived.manager.get(f"{CAUSES}.sent").hex() == ALL
