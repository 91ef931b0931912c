"""Peers, from a slice to the wire; a replay file says whose the resets are.

They come in one sample and stay in the 10 s window while a test looks.
"""

import socket
from dataclasses import dataclass

import pytest

from lab import mib, replay, sinks
from lab.peers import Ranking
from lab.snmp import Missing
from lab.station import Station
from lab.wait import wait_until

RAISED = "tcpResetAlarmRaised"
SUMMARY = "tcpResetAlarmSummary"

# (address, local port, cause, resets); more peers than there are ranks, of ports that they share.
RECEIVED = [("192.0.2.7", 443, "noListener", 3835), ("2001:db8::7", 22, "aborted", 200),
            *((f"198.51.100.{n}", 8080, "blind", 10 - n) for n in range(10))]
SENT = [("2001:db8::9", 8080, "noListener", 600), ("192.0.2.9", 443, "aborted", 400)]
RECEIVED_OTHERS = 33  # that no slice lists
RECEIVED_TOTAL = sum(count for *_, count in RECEIVED) + RECEIVED_OTHERS
SENT_TOTAL = 1000
assert RECEIVED_TOTAL == 4123

WINDOWS = [(direction, seconds) for direction in ("received", "sent") for seconds in (10, 60)]


def moment(ms):
    return ms, {"tcpResetReceived": RECEIVED_TOTAL, "tcpResetSent": SENT_TOTAL} | \
        replay.peers("received", *RECEIVED, others=RECEIVED_OTHERS) | replay.peers("sent", *SENT)


@dataclass
class Scene:
    station: Station
    raised: dict  # metric: summary in its notification
    summaries: list
    rankings: dict  # (direction, window): Ranking


@pytest.fixture(scope="module")
def scene(directory):
    source = replay.write(directory / "peers.replay", moment(300))
    with Station(directory, source=source, notify_by=[sinks.V2C]) as station:
        station.start()
        raised = station.receiver.wait_for(RAISED, count=2, timeout=5)
        yield Scene(
            station,
            {each.values["tcpResetEventMetricName"].strip('"'):
             each.values["tcpResetEventSummary"].strip('"') for each in raised},
            station.manager.values(f"{SUMMARY}.received", f"{SUMMARY}.sent"),
            {each: Ranking.of(station.manager, *each) for each in WINDOWS})


@pytest.mark.parametrize("direction, seconds", WINDOWS)
def test_what_is_listed_and_the_others_add_up_to_the_total(scene, direction, seconds):
    ranking = scene.rankings[direction, seconds]
    ranking.check()
    assert ranking.total == {"received": RECEIVED_TOTAL, "sent": SENT_TOTAL}[direction]


@pytest.mark.parametrize("seconds", [10, 60])
def test_peers_are_ranked_with_their_ports_and_causes(scene, seconds):
    received, sent = (scene.rankings[direction, seconds] for direction in ("received", "sent"))
    assert [tuple(each) for each in received.peers] == RECEIVED[:10]
    assert received.peer_others == RECEIVED_OTHERS + RECEIVED[10][-1] + RECEIVED[11][-1]
    assert [tuple(each) for each in sent.peers] == SENT
    assert sent.peer_others == 0


def test_local_ports_are_ranked(scene):
    ranking = scene.rankings["received", 10]
    assert [tuple(each) for each in ranking.ports] == [
        (443, "noListener", 3835), (22, "aborted", 200), (8080, "blind", 55)]
    assert ranking.port_others == RECEIVED_OTHERS


def test_rows_have_texts(scene):
    text = scene.station.manager.text
    assert [value.strip('"') for _, value in text(
        "tcpResetPeerText.received.60.1", "tcpResetPeerText.sent.60.1",
        "tcpResetPortText.received.60.1")] == [
            "192.0.2.7: 93 % (3835), port 443, refused",
            "2001:db8::9: 60 % (600), port 8080, no listener",
            "port 443: 93 % (3835), refused"]


def test_shares_are_in_percent(scene):
    assert scene.station.manager.values("tcpResetPeerShare.received.60.1",
                                        "tcpResetPeerShare.received.60.2",
                                        "tcpResetPortShare.sent.60.2") == [93, 4, 40]


def test_an_address_is_shown_by_its_type(scene):
    assert scene.station.manager.text("tcpResetPeerAddressType.received.60.1",
                                      "tcpResetPeerAddressType.received.60.2") == [
        ("tcpResetPeerAddressType.received.60.1", "ipv4"),
        ("tcpResetPeerAddressType.received.60.2", "ipv6")]
    assert scene.station.manager.get("tcpResetPeerAddress.received.60.2") == \
        socket.inet_pton(socket.AF_INET6, "2001:db8::7")


def test_a_raise_names_the_peer_of_more_than_half(scene):
    assert scene.raised == {
        "received": "received 412.30/s (limit 50.00), no baseline yet: "
                    "93 % from 192.0.2.7, port 443, refused",
        "sent": "sent 100.00/s (limit 50.00), no baseline yet: "
                "60 % to 2001:db8::9, port 8080, no listener"}


def test_a_raised_alarm_names_it_too(scene):
    assert scene.summaries == [
        b"received 412.30/s (limit 5.00), raised: 93 % from 192.0.2.7, port 443, refused",
        b"sent 100.00/s (limit 5.00), raised: 60 % to 2001:db8::9, port 8080, no listener"]


def test_a_new_agent_knows_what_the_last_one_knew(scene):
    scene.station.daemon.kill_agent()
    scene.station.daemon.wait_ready()
    ranking = Ranking.of(scene.station.manager, "received", 60)
    assert ranking == scene.rankings["received", 60]


# ---- Scenes of their own ----

def test_slices_are_merged(new_station, tmp_path):
    """That they leave the 10 s window is seen by test_answers, which waits for it."""
    source = replay.write(tmp_path / "slices.replay",
                          (0, replay.peers("sent", ("192.0.2.1", 80, "aborted", 5))),
                          (300, replay.peers("sent", ("192.0.2.1", 81, "aborted", 7),
                                              ("192.0.2.2", 80, "aborted", 12), others=1)))
    manager = new_station(source=source, notify_by=[]).start().manager
    wait_until(lambda: Ranking.of(manager, "sent", 60).total == 25, 5, "both slices")
    ranking = Ranking.of(manager, "sent", 60)
    assert [tuple(each) for each in ranking.peers] == [
        ("192.0.2.1", 81, "aborted", 12), ("192.0.2.2", 80, "aborted", 12)]
    assert ranking.peer_others == 1


def test_a_part_of_the_causes_has_no_peer(new_station, tmp_path):
    """Peers are of all causes: the one that has most of these need not have most of a part."""
    counters = {"received.noListener": 900, "received.aborted": 100, "tcpResetReceived": 1000}
    source = replay.write(tmp_path / "part.replay", (0, dict.fromkeys(counters, 0)), (
        300, counters | replay.peers("received", ("192.0.2.7", 443, "noListener", 1000))))
    station = new_station(source=source, notify_by=[sinks.V2C],
                          configuration='alarm received { causes = {"noListener"} }\n').start()
    raised = station.receiver.wait_for(RAISED, timeout=5)[0]
    assert raised.values["tcpResetEventSummary"].strip('"') == \
        "received of chosen causes 90.00/s (limit 50.00), no baseline yet: 100 % refused"


def test_a_peer_of_before_the_flood_is_not_named(new_station, tmp_path):
    """It has all of what has been told by peer so far, and little of what raises."""
    source = replay.write(tmp_path / "flood.replay", (0, {}), (
        300, {"tcpResetReceived": 10} | replay.peers(
            "received", ("192.0.2.7", 443, "aborted", 10))), (600, {"tcpResetReceived": 1000}))
    station = new_station(source=source, notify_by=[sinks.V2C]).start()
    raised = station.receiver.wait_for(RAISED, timeout=5)[0]
    assert raised.values["tcpResetEventSummary"].strip('"') == \
        "received 100.00/s (limit 50.00), no baseline yet"


def test_without_resets_totals_are_0(new_station, tmp_path):
    source = replay.write(tmp_path / "quiet.replay", (0, replay.peers("sent")))
    manager = new_station(source=source, notify_by=[]).start().manager
    for each in WINDOWS:
        assert Ranking.of(manager, *each) == Ranking([], [], 0, 0, 0)


def test_a_source_that_knows_no_peers_has_no_rows(new_station, tmp_path):
    source = replay.write(tmp_path / "unknown.replay")
    manager = new_station(source=source, notify_by=[]).start().manager
    assert manager.get("tcpResetPeerTotal.received.10") is Missing.noSuchInstance
    assert manager.walk("tcpResetPeers") == []
