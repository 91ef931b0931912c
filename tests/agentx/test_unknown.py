"""What a host does not measure is absent, never 0."""

import pytest

from lab import mib, replay, sinks
from lab.snmp import Missing
from lab.station import Station
from lab.wait import wait_until


@pytest.fixture(scope="module")
def station(directory):
    """A host like FreeBSD without bpf devices: nothing is known of sent resets."""
    path = directory / "received.replay"
    path.write_text("time_ms=0 tcpResetReceived=0\n")
    with Station(directory, source=f"replay:{path}", notify_by=[sinks.V2C]) as station:
        yield station.start()


@pytest.mark.parametrize("name", [
    "tcpResetSent.0", "tcpResetSentMethod.0", "tcpResetSentAvg10s.0", "tcpResetSentAvg60s.0",
    "tcpResetSentPeak10s.0", "tcpResetSynCookieState.0", "tcpResetSynCookiesSent.0",
    "tcpResetSynCookiesAvg10s.0", "tcpResetSynCookiesInUse.0", "tcpResetAttemptFails.0",
    "tcpResetAlarmValue.sent", "tcpResetAlarmPeak.received",
])
def test_it_has_no_instance(station, name):
    assert station.manager.get(name) is Missing.noSuchInstance


def test_a_walk_passes_over_it(station):
    walked = {mib.name(each.oid) for each in station.manager.walk()}
    assert "tcpResetReceived.0" in walked
    assert not any(name.startswith(("tcpResetSent", "tcpResetSyn")) for name in walked)


def test_a_measured_zero_is_zero(station):
    assert station.manager.get("tcpResetReceived.0") == 0
    assert station.manager.get("tcpResetReceivedAvg10s.0") == 0


@pytest.mark.parametrize("metric", ["sent", "synCookies"])
def test_the_alarm_on_it_has_no_row(station, metric):
    assert station.manager.get(f"tcpResetAlarmState.{metric}") is Missing.noSuchInstance


def test_while_reads_fail_the_sample_ages_and_the_values_stay(new_station, tmp_path):
    source = replay.write(tmp_path / "failing.replay", (100, {"tcpResetReceived": 7}),
                          (500, {"fail": 1}))
    station = new_station(source=source).start()
    aging = station.manager.get
    wait_until(lambda: aging("tcpResetSampleAge.0") > 1000, 5, "an old sample")
    assert aging("tcpResetReceived.0") == 7


def test_reads_that_failed_are_counted_and_cost_no_resets(new_station, tmp_path):
    source = replay.write(tmp_path / "failing.replay", (100, {"tcpResetReceived": 7}),
                          (500, {"fail": 1}), (1000, {"fail": 0, "tcpResetReceived": 19}))
    station = new_station(source=source).start()
    station.daemon.wait_for_value("tcpResetReceived.0", 19)
    assert 3 <= station.manager.get("tcpResetReadFailures.0") <= 6
    assert station.manager.get("tcpResetDiscontinuities.0") == 0
