"""Alarms and their events, in scenes that a replay file plays."""

import pytest

from lab import mib, replay, sinks
from lab.snmp import Missing
from lab.wait import let_pass

RAISED, CLEARED = "tcpResetAlarmRaised", "tcpResetAlarmCleared"
BURST = 10000  # in one sample: 1000 a second over 10 s
HANG_SECONDS = 2.5
NORMAL, PENDING, RAISED_STATE, CLEARING = 1, 2, 3, 4


@pytest.fixture
def make(new_station, tmp_path):
    def make(*moments, **options):
        source = replay.write(tmp_path / "scene.replay", *moments)
        return new_station(source=source, notify_by=[sinks.V2C], **options)
    return make


def disable(station, metric):
    station.operator.set((f"tcpResetAlarmEnabled.{metric}", "i", 2))


@pytest.mark.parametrize("metric, counter", [("received", "tcpResetReceived"),
                                             ("sent", "tcpResetSent"),
                                             ("synCookies", "tcpResetSynCookiesSent")])
def test_each_metric_raises_its_own_alarm(make, metric, counter):
    station = make((500, {counter: BURST})).start()
    raised = station.receiver.wait_for(RAISED, timeout=5)
    assert [each.values["tcpResetEventMetricName"] for each in raised] == [metric]
    assert station.manager.get(f"tcpResetAlarmState.{metric}") == RAISED_STATE
    states = {station.manager.get(f"tcpResetAlarmState.{other}") for other in mib.METRICS
              if other != metric}
    assert states == {NORMAL}


def test_a_raise_on_a_first_start_says_that_there_is_no_baseline(make):
    station = make((300, {"tcpResetReceived": BURST})).start()
    raised = station.receiver.wait_for(RAISED, timeout=5)[0]
    assert "no baseline yet" in raised.values["tcpResetEventSummary"]


def test_syn_cookies_are_in_use_while_some_were_sent(make):
    station = make((1000, {"tcpResetSynCookiesSent": 1})).start()
    assert station.manager.get("tcpResetSynCookiesInUse.0") == 2
    station.daemon.wait_for_value("tcpResetSynCookiesInUse.0", 1)
    assert station.manager.get("tcpResetSynCookiesAvg10s.0") == 10


def test_switching_a_raised_alarm_off_clears_it(make):
    station = make((300, {"tcpResetReceived": BURST})).start()
    station.receiver.wait_for(RAISED, timeout=5)
    disable(station, "received")
    station.receiver.wait_for(CLEARED, timeout=2, metric="received")
    assert station.manager.get("tcpResetAlarmState.received") == NORMAL
    assert station.manager.get("tcpResetAlarmPeak.received") is Missing.noSuchInstance


def test_an_alarm_that_is_off_raises_nothing(make):
    station = make((300, {"tcpResetReceived": BURST, "tcpResetSent": BURST}),
                   configuration="alarm received { enabled = false }\n").start()
    station.receiver.wait_for(RAISED, metric="sent", timeout=5)
    station.daemon.wait_for_samples(2)
    assert station.receiver.received(metric="received") == []


def test_a_raise_delay_is_waited_for(make):
    station = make((500, {"tcpResetReceived": BURST}), (1500, {"tcpResetSent": BURST}),
                   configuration="alarm received { raise-delay = 2 }\n").start()
    station.daemon.wait_for_value("tcpResetAlarmState.received", PENDING)
    sent, received = station.receiver.wait_for(RAISED, count=2, timeout=6)
    assert sent.values["tcpResetEventMetricName"] == "sent"
    assert received.values["tcpResetEventMetricName"] == "received"
    assert 0.8 < (received.ns - sent.ns) / 1e9 < 1.2


def test_a_new_state_of_syn_cookies_is_an_event(make):
    station = make((500, {"syn_cookie_state": "disabled"})).start()
    changed = station.receiver.wait_for("tcpResetSynCookieStateChanged", timeout=5)[0]
    assert changed.values["tcpResetEventSynCookieState"] == "disabled"


def test_a_new_method_is_an_event(make):
    station = make((500, {"received_method": "exact"})).start()
    changed = station.receiver.wait_for("tcpResetMethodChanged", timeout=5)[0]
    assert changed.values["tcpResetEventMetricName"] == "received"
    assert changed.values["tcpResetEventMethod"] == "exact"


def test_events_outlive_a_restart_and_their_numbers_go_on(make):
    station = make((300, {"tcpResetReceived": BURST})).start()
    station.receiver.wait_for(RAISED, timeout=5)
    summary = station.manager.get("tcpResetEventSummary.1")

    station.daemon.kill_every_process()
    station.daemon.start()
    assert station.manager.get("tcpResetEventSummary.1") == summary
    disable(station, "received")
    cleared = station.receiver.wait_for(CLEARED, timeout=5)[0]
    assert cleared.values["tcpResetEventNumber"] == "2"


def test_a_restart_neither_repeats_nor_forgets_a_raise(make):
    station = make((300, {"tcpResetReceived": BURST})).start()
    station.receiver.wait_for(RAISED, timeout=5)
    station.daemon.wait_for_value("tcpResetEventsPending.0", 0)  # or it may be sent again
    station.daemon.kill_every_process()
    station.daemon.start()
    assert station.manager.get("tcpResetAlarmState.received") == RAISED_STATE
    station.daemon.wait_for_samples(5)
    assert len(station.receiver.received(RAISED)) == 1


def test_a_killed_agent_neither_repeats_nor_forgets_a_raise(make):
    station = make((300, {"tcpResetReceived": BURST})).start()
    station.receiver.wait_for(RAISED, timeout=5)
    station.daemon.wait_for_value("tcpResetEventsPending.0", 0)  # or it may be sent again
    station.daemon.kill_agent()
    station.daemon.wait_ready()
    assert station.manager.get("tcpResetAlarmState.received") == RAISED_STATE
    station.daemon.wait_for_samples(5)
    assert len(station.receiver.received(RAISED)) == 1


def happened_unnotified(station):
    """Waits until the event is in the log; nobody can have been told."""
    station.daemon.process.wait_for_line("event 1: ")
    assert station.receiver.received(RAISED) == []


def assert_notified_once(station):
    station.receiver.wait_for(RAISED, timeout=5)
    station.daemon.wait_for_value("tcpResetEventsPending.0", 0)
    station.daemon.wait_for_samples(10)
    assert len(station.receiver.received(RAISED)) == 1


def test_an_event_while_snmpd_is_away_is_notified_once_when_it_is_back(make):
    station = make((1500, {"tcpResetReceived": BURST})).start()
    station.snmpd.kill()
    happened_unnotified(station)
    station.snmpd.start()
    assert_notified_once(station)


def test_an_event_while_snmpd_hangs_is_notified_once(make):
    station = make((1500, {"tcpResetReceived": BURST})).start()
    station.snmpd.pause()
    # Long enough for the library, whose time-out is 1 s, to repeat what has no answer.
    happened_unnotified(station)
    let_pass(HANG_SECONDS)
    station.snmpd.resume()
    assert_notified_once(station)


def test_an_event_in_flight_when_snmpd_dies_is_notified_by_the_next_one(make):
    station = make((1500, {"tcpResetReceived": BURST})).start()
    station.snmpd.pause()
    happened_unnotified(station)
    station.snmpd.kill()
    station.snmpd.start()
    assert_notified_once(station)
