"""One scene with real resets: 40 received and 100 sent a second, then silence.

The scene is played once for every source, each with a station of its own, and
recorded: what a poller reads, what snmptrapd gets, and when each reset really
was. All clocks are CLOCK_MONOTONIC. The tests read the records.
"""

import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from lab import mib, sinks
from lab.resets import ResetGenerator
from lab.station import Station
from lab.wait import wait_until

SOURCES = {"bpf": "exact", "nftables": "exact", "procfs": "estimated"}  # and their method
SECONDS = 12
RECEIVED_RATE, SENT_RATE = 40, 100
RISING = 50  # a second, over 10 s: the default, and crossed by the 501st reset of the window
CROSSING = RISING * 10 + 1

NS = 1_000_000_000
WINDOW_NS = 10 * NS
INTERVAL_NS = NS // 10
TRANSPORT_NS = INTERVAL_NS // 2  # daemon to snmpd to snmptrapd, on a busy machine

RAISED, CLEARED = "tcpResetAlarmRaised", "tcpResetAlarmCleared"

VARBINDS = ["tcpResetEventSummary", "tcpResetEventMetricName", "tcpResetEventValue",
            "tcpResetEventThreshold", "tcpResetEventMethod", "tcpResetEventSynCookieState",
            "tcpResetEventNumber", "tcpResetEventTime", "tcpResetEventCause"]

# Fixed thresholds for sent, so that the instant of the clear is known, too.
CONFIGURATION = "alarm sent { baseline-factor = 0 }\n"


@dataclass(frozen=True)
class Poll:
    begun_ns: int
    ended_ns: int
    received_average: int
    received_value: int
    sent_average: int
    sent_value: int
    sent_state: int


POLLED = ["tcpResetReceivedAvg10s.0", "tcpResetAlarmValue.received",
          "tcpResetSentAvg10s.0", "tcpResetAlarmValue.sent", "tcpResetAlarmState.sent"]


@dataclass
class Scene:
    station: Station
    method: str
    polls: list = field(default_factory=list)
    received_ns: list = ()  # when each reset was
    sent_ns: list = ()

    def notification(self, name, sink=sinks.V2C):
        found = self.station.receiver.received(name, sink=sink, metric="sent")
        assert len(found) == 1, found
        return found[0]


class Poller(threading.Thread):
    """Polls as fast as it can until stopped."""

    def __init__(self, scene):
        super().__init__()
        self._scene = scene
        self._end = threading.Event()
        self.start()

    def run(self):
        while not self._end.wait(INTERVAL_NS / NS / 4):
            begun = time.monotonic_ns()
            values = self._scene.station.manager.values(*POLLED)
            self._scene.polls.append(Poll(begun, time.monotonic_ns(), *values))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._end.set()
        self.join()


@pytest.fixture(scope="module")
def scenes(directory, pair):
    """By source."""
    here, there = pair
    with ExitStack() as stations, ExitStack() as pollers:
        scenes = {}
        for source, method in SOURCES.items():
            (directory / source).mkdir()
            station = stations.enter_context(Station(directory / source, netns=here.namespace,
                                                     source=source, configuration=CONFIGURATION))
            scenes[source] = Scene(station.start(), method)
        for scene in scenes.values():
            pollers.enter_context(Poller(scene))
        play(list(scenes.values()), here, there)
        pollers.close()
        yield scenes


@pytest.fixture(params=SOURCES)
def scene(scenes, request):
    return scenes[request.param]


def play(scenes, here, there):
    received = ResetGenerator(here, there, rate=RECEIVED_RATE, count=SECONDS * RECEIVED_RATE)
    sent = ResetGenerator(there, here, rate=SENT_RATE, count=SECONDS * SENT_RATE)
    received_ns = received.finish(timeout=SECONDS + 10)
    sent_ns = sent.finish(timeout=10)
    for scene in scenes:
        scene.received_ns, scene.sent_ns = received_ns, sent_ns
        for sink in sinks.ALL:
            scene.station.receiver.wait_for(CLEARED, sink=sink, metric="sent", timeout=15)
        wait_until(lambda: scene.polls[-1].begun_ns > silence_ns(scene) + NS, 15, "silence")


def silence_ns(scene):
    """From here on no reset can be in a window: one sample may be old, and see one late."""
    return max(scene.received_ns[-1], scene.sent_ns[-1]) + WINDOW_NS + 2 * INTERVAL_NS


def test_40_a_second_reads_40_once_the_window_is_full(scene):
    full = [poll.received_average for poll in scene.polls
            if poll.begun_ns > scene.received_ns[0] + WINDOW_NS + 2 * INTERVAL_NS
            and poll.ended_ns < scene.received_ns[-1]]
    assert len(full) > 10
    assert 3940 <= min(full) <= max(full) <= 4060


def test_the_average_only_grows_until_the_window_is_full(scene):
    filling = [poll.received_average for poll in scene.polls
               if poll.ended_ns < scene.received_ns[0] + WINDOW_NS]
    assert filling == sorted(filling)
    assert len(set(filling)) > 50


def test_the_averages_are_zero_10_seconds_after_the_end(scene):
    silent = [poll for poll in scene.polls if poll.begun_ns > silence_ns(scene)]
    assert len(silent) > 3
    assert {(poll.received_average, poll.sent_average) for poll in silent} == {(0, 0)}


def test_the_averages_are_not_zero_before_that(scene):
    last_reset = scene.sent_ns[-1]
    left = last_reset + WINDOW_NS - INTERVAL_NS
    before = [poll.sent_average for poll in scene.polls
              if last_reset < poll.begun_ns and poll.ended_ns < left]
    assert min(before) > 0


def test_rates_and_alarm_values_of_one_get_agree(scene):
    assert all(poll.received_average == poll.received_value for poll in scene.polls)
    assert all(poll.sent_average == poll.sent_value for poll in scene.polls)


def test_peaks_keep_the_highest_average(scene):
    sent_peak = scene.station.manager.get("tcpResetSentPeak10s.0")
    assert sent_peak >= max(poll.sent_average for poll in scene.polls)
    assert 9900 <= sent_peak <= 10100


def test_the_raise_comes_within_one_sample_of_the_crossing(scene):
    raised = scene.notification(RAISED)
    before_ns, crossing_ns = scene.sent_ns[CROSSING - 2], scene.sent_ns[CROSSING - 1]
    assert before_ns < raised.ns <= crossing_ns + INTERVAL_NS + TRANSPORT_NS


def test_the_clear_comes_within_one_sample_of_the_crossing(scene):
    # At or below 5 a second: no more than 50 of the resets are less than 10 s old.
    crossing_ns = scene.sent_ns[-51] + WINDOW_NS
    cleared = scene.notification(CLEARED)
    assert crossing_ns - INTERVAL_NS < cleared.ns
    assert cleared.ns <= crossing_ns + 2 * INTERVAL_NS + TRANSPORT_NS


def test_the_state_says_raised_between_the_two_notifications(scene):
    raised, cleared = scene.notification(RAISED), scene.notification(CLEARED)
    states = {True: set(), False: set()}
    for poll in scene.polls:
        if raised.ns < poll.begun_ns and poll.ended_ns < cleared.ns - INTERVAL_NS:
            states[True].add(poll.sent_state)
        elif poll.ended_ns < raised.ns - INTERVAL_NS or poll.begun_ns > cleared.ns:
            states[False].add(poll.sent_state)
    assert states[True] == {mib.label("tcpResetAlarmState", "raised")}
    assert states[False] == {mib.label("tcpResetAlarmState", "normal")}


def test_40_a_second_raises_nothing(scene):
    assert scene.station.receiver.received(metric="received") == []


@pytest.mark.parametrize("sink, version", [(sinks.V1, "v1"), (sinks.V2C, "v2c"),
                                           (sinks.INFORM, "v2c"), (sinks.V3, "v3")])
def test_each_kind_of_sink_gets_one_raise_and_its_clear(scene, sink, version):
    got = scene.station.receiver.received(RAISED, CLEARED, sink=sink)
    assert [(each.name, each.version) for each in got] == [(RAISED, version), (CLEARED, version)]


@pytest.mark.parametrize("sink", sinks.ALL)
@pytest.mark.parametrize("name", [RAISED, CLEARED])
def test_varbinds_stand_in_the_order_of_the_contract(scene, name, sink):
    notification = scene.notification(name, sink)
    number = notification.values["tcpResetEventNumber"]
    assert [each for each, _ in notification.varbinds] == [f"{each}.{number}" for each in VARBINDS]


@pytest.mark.parametrize("sink", sinks.ALL)
@pytest.mark.parametrize("name", [RAISED, CLEARED])
def test_a_notification_equals_the_row_of_its_event(scene, name, sink):
    notification = scene.notification(name, sink)
    row = scene.station.manager.text(*(each for each, _ in notification.varbinds))
    assert list(notification.varbinds) == row


def test_the_raise_says_what_was_crossed(scene):
    values = scene.notification(RAISED).values
    assert values["tcpResetEventMetricName"] == "sent"
    assert values["tcpResetEventThreshold"] == str(RISING * 100)
    assert RISING * 100 < int(values["tcpResetEventValue"]) <= RISING * 100 + 20 * 10
    assert values["tcpResetEventMethod"] == scene.method
    assert "sent" in values["tcpResetEventSummary"]


def test_the_row_of_the_clear_tells_peak_and_duration(scene):
    number = scene.notification(CLEARED).values["tcpResetEventNumber"]
    peak, duration = scene.station.manager.values(
        f"tcpResetEventPeak.{number}", f"tcpResetEventDuration.{number}")
    lasted = (scene.notification(CLEARED).ns - scene.notification(RAISED).ns) / NS
    assert peak == scene.station.manager.get("tcpResetSentPeak10s.0")
    assert abs(duration - lasted) <= 1


def test_events_are_numbered_from_1_and_delivered(scene):
    newest, pending, *deliveries = scene.station.manager.values(
        "tcpResetEventNewest.0", "tcpResetEventsPending.0",
        "tcpResetEventDelivery.1", "tcpResetEventDelivery.2")
    assert (newest, pending) == (2, 0)
    assert deliveries == 2 * [mib.label("tcpResetEventDelivery", "delivered")]
    numbers = [scene.notification(name).values["tcpResetEventNumber"] for name in (RAISED, CLEARED)]
    assert numbers == ["1", "2"]
