"""Evidence: the capture file of an alarm, held against what tcpdump saw beside the daemon."""

import socket
import stat
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab import capture_files, causes, mib, replay, segments
from lab.capture_files import Tcpdump
from lab.observer import observing
from lab.order import one_cpu
from lab.segments import RST, SYN, Packets
from lab.small_disk import small_file_system
from lab.snmp import Missing
from lab.stage import Stage
from lab.station import Station
from lab.wait import wait_until

FAMILIES = ["IPv4", "IPv6"]
BURST = 40
FLOOD = 40_000  # more than the sampler passes on at once
COOKED_HEADER, ETHERNET_HEADER = 16, 14
NEAR_NS = 10_000_000  # between the hook and the interface, on a busy machine

# Raised by a handful of resets, whatever is usual.
ALARM = "alarm {} {{ rising = 0.5 falling = 0.1 baseline-factor = 0 }}\n"
ALARMS = ALARM.format("received") + ALARM.format("sent")

METRICS = {"received": "reset received: aborted by the peer (aborted)",
           "sent": "reset sent: no listener (noListener)"}
KERNEL = {"received": "ESTABLISHED", "sent": "NO_SOCKET"}

WRITING, COMPLETE, FAILED, INTERRUPTED, DELETED = (
    mib.label("tcpResetEvidenceState", each)
    for each in ("writing", "complete", "failed", "interrupted", "deleted"))


@pytest.fixture
def make(new_station, pair):
    def make(configuration="", **options):
        return new_station(**{"source": "bpf", "netns": pair[0].namespace, "notify_by": [],
                              "configuration": configuration + ALARMS, **options})
    return make


@pytest.fixture
def stage(pair):
    with Stage(*pair, "IPv4", BURST) as stage:
        yield stage


def refuse(stage, count=BURST):
    """The host sends resets to SYNs for a closed port."""
    stage.ghost.send_from_many_ports(count, port=causes.CLOSED_PORT, flags=SYN)


def wait_for_state(station, number, state):
    station.daemon.wait_for_value(f"tcpResetEvidenceState.{number}", state)


def raise_by(station, burst, number=1):
    burst()
    wait_for_state(station, number, WRITING)


def switch(station, metric, on):
    station.operator.set((f"tcpResetAlarmEnabled.{metric}", "i", 1 if on else 2))


def end(station, number=1, metric="sent"):
    """The alarm's end is that of the capture."""
    switch(station, metric, False)
    wait_for_state(station, number, COMPLETE)


def row(station, number=1):
    names = [f"tcpResetEvidence{each}.{number}" for each in ("Packets", "Bytes", "NotKept")]
    return station.manager.values(*names)


def path_of(station, number=1):
    return station.daemon.state / "evidence" / f"event-{number}.pcapng"


def part_of(station, number=1):
    return path_of(station, number).with_suffix(".pcapng.part")


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


# A burst of each direction and family, received and sent at once


@dataclass
class Evidence:
    """Of one alarm: its file, as tshark reads it, and its rows."""

    number: int
    path: Path
    packets: list
    row: list
    value: int
    threshold: int
    name: str

    @classmethod
    def of(cls, station, number):
        value, threshold = station.manager.values(f"tcpResetEventValue.{number}",
                                                  f"tcpResetEventThreshold.{number}")
        [(_, name)] = station.manager.text(f"tcpResetEvidenceFile.{number}")
        path = path_of(station, number)
        return cls(number, path, capture_files.packets(path), row(station, number), value,
                   threshold, name.strip('"'))


@dataclass
class Scene:
    wire: list  # what tcpdump saw
    evidence: dict  # by metric
    walk: list  # varbinds of the table


@pytest.fixture(scope="module")
def scene(directory, pair):
    """Played by a daemon without rights of its own."""
    here, there = pair
    with Station(directory, netns=here.namespace, source="bpf", notify_by=[], user="nobody",
                 configuration=ALARMS) as station, \
            Tcpdump(directory / "wire.pcap", here.namespace, "veth0", "tcp") as wire:
        station.start()
        for family in FAMILIES:
            with Stage(here, there, family, BURST) as stage, one_cpu():
                refuse(stage)
                causes.aborted_by_peer(stage)
                station.daemon.wait_for_samples(2)
        for metric in METRICS:
            switch(station, metric, False)
        for number in (1, 2):
            wait_for_state(station, number, COMPLETE)
        numbers = {station.manager.get(f"tcpResetEventMetric.{number}"): number
                   for number in (1, 2)}
        return Scene(wire.packets(),
                     {metric: Evidence.of(station, numbers[int(mib.METRICS[metric])])
                      for metric in METRICS},
                     station.manager.walk("tcpResetEvidence"))


@pytest.fixture(params=METRICS)
def metric(request):
    return request.param


def test_the_file_has_what_was_on_the_wire(scene, metric):
    ours = ("192.0.2.1", "2001:db8::1")
    kept = [each for each in scene.evidence[metric].packets if each.is_reset]
    wire = {each.identity: each for each in scene.wire
            if each.is_reset and (each.source[0] in ours) == (metric == "sent")}
    assert len(kept) == len(wire) == len(FAMILIES) * BURST
    for packet in kept:
        seen = wire.pop(packet.identity)
        assert abs(packet.ns - seen.ns) < NEAR_NS
        assert packet.size - COOKED_HEADER == seen.size - ETHERNET_HEADER
    assert wire == {}


def test_each_reset_tells_its_cause_and_its_interface(scene, metric):
    for packet in scene.evidence[metric].packets:
        assert packet.interface == "veth0"
        if packet.is_reset:
            assert packet.comment == f"{METRICS[metric]}; kernel: {KERNEL[metric]}"


def test_a_segment_that_was_answered_stands_before_its_reset(scene):
    packets = scene.evidence["sent"].packets
    wire = {each.identity: each for each in scene.wire}
    assert len(packets) == 2 * len(FAMILIES) * BURST
    for trigger, reset in zip(packets[::2], packets[1::2]):
        assert (trigger.is_reset, reset.is_reset) == (False, True)
        assert (trigger.source, trigger.target) == (reset.target, reset.source)
        assert trigger.comment.startswith("segment received, answered by the reset that follows")
        assert abs(trigger.ns - wire[trigger.identity].ns) < NEAR_NS
    assert [each for each in scene.evidence["received"].packets if not each.is_reset] == []


def test_every_tool_opens_it(scene, metric):
    evidence = scene.evidence[metric]
    packets, size, not_kept = evidence.row
    assert len(evidence.packets) == packets
    assert capture_files.count_by_capinfos(evidence.path) == packets
    assert len(capture_files.lines_by_tcpdump(evidence.path)) == packets
    assert evidence.path.stat().st_size == size
    assert not_kept == 0


def test_the_file_says_what_it_is(scene, metric):
    evidence = scene.evidence[metric]
    comment = capture_files.comment_by_capinfos(evidence.path)
    assert f"event {evidence.number} at host {socket.gethostname()}. " in comment
    assert f"Metric {metric}: alarm raised at {evidence.value / 100:.2f}/s," in comment
    assert f"threshold {evidence.threshold / 100:.2f}/s, peak 8.00/s." in comment
    assert f"until the alarm cleared: {evidence.row[0]} packets; 0 resets not kept." in comment


def test_only_the_daemon_can_read_it(scene, metric):
    path = scene.evidence[metric].path
    assert (mode_of(path), mode_of(path.parent)) == (0o600, 0o700)
    assert path.owner() == "nobody"
    assert scene.evidence[metric].name == str(path)


def test_only_raises_have_rows_and_these_are_whole(scene):
    """The events 3 and 4 are the clears."""
    columns = {"File": "OCTET STRING", "Packets": "Gauge32", "Bytes": "Gauge32",
               "NotKept": "Gauge32", "State": "INTEGER"}
    assert [(mib.name(each.oid), each.type) for each in scene.walk] == [
        (f"tcpResetEvidence{column}.{number}", kind)
        for column, kind in columns.items() for number in (1, 2)]


# What does not fit


def test_a_flood_is_thinned_and_the_loss_counted(make, pair, stage):
    station = make().start()
    syn = Packets("IPv4", pair[1], pair[0]).tcp(port=causes.CLOSED_PORT, flags=SYN)
    with observing(pair[0].namespace) as observer:
        segments.send([syn], pair[1], pair[0], count=FLOOD)
        wait_until(lambda: observer.count("IPv4").sent == FLOOD, 10, "all resets")
        station.daemon.wait_for_samples(2)
        sent = observer.count("IPv4").sent
    end(station)
    resets = [each for each in capture_files.packets(path_of(station)) if each.is_reset]
    packets, _, not_kept = row(station)
    assert len(resets) + not_kept == sent
    assert len(resets) >= 8192
    assert packets <= 20_000


def test_the_loss_is_that_of_the_direction(make, pair, stage):
    """Three times as many are sent as are received, all at once."""
    station = make().start()
    here, there = pair
    made = [Packets("IPv4", there, here).tcp(port=causes.CLOSED_PORT, flags=flags)
            for flags in (SYN, RST, SYN, SYN)]
    with observing(here.namespace) as observer:
        segments.send(made, there, here, count=FLOOD // 3)
        wait_until(lambda: observer.count("IPv4").sent == FLOOD // 3 * 3, 10, "all resets")
        station.daemon.wait_for_samples(2)
        count = observer.count("IPv4")
    for metric in ("received", "sent"):
        switch(station, metric, False)
    station.daemon.wait_for_value("tcpResetEventNewest.0", 4)
    for metric, total in (("received", count.received), ("sent", count.sent)):
        number = raise_of(station, metric)
        wait_for_state(station, number, COMPLETE)
        resets = [each for each in capture_files.packets(path_of(station, number)) if each.is_reset]
        assert row(station, number)[2] == total - len(resets) > 0


def raise_of(station, metric):
    names = station.manager.walk("tcpResetEventMetricName")
    return next(int(mib.name(each.oid).rpartition(".")[2]) for each in names
                if each.value == metric.encode())


def test_a_file_has_no_more_packets_than_it_may(make, stage):
    station = make("evidence-packets = 100\n").start()
    raise_by(station, lambda: refuse(stage, 120))
    end(station)
    packets, _, not_kept = row(station)
    assert (packets, not_kept) == (100, 70)  # a segment and its reset each
    assert capture_files.count_by_capinfos(path_of(station)) == 100


def test_the_oldest_file_is_deleted(make, stage):
    station = make("evidence-files = 1\n").start()
    raise_by(station, lambda: refuse(stage))
    end(station)
    switch(station, "sent", True)  # and the window still has all of them: event 3
    wait_for_state(station, 3, WRITING)
    assert path_of(station, 1).exists()
    end(station, 3)
    wait_for_state(station, 1, DELETED)
    assert not path_of(station, 1).exists()
    assert row(station, 3)[0] == 2 * BURST  # those of the 10 s before


# Ends


def test_a_killed_agent_leaves_no_half_file(make, stage):
    station = make().start()
    raise_by(station, lambda: refuse(stage))
    assert part_of(station).exists() and mode_of(part_of(station)) == 0o600
    station.daemon.kill_agent()
    station.daemon.wait_ready()
    wait_for_state(station, 1, INTERRUPTED)
    assert list(path_of(station).parent.iterdir()) == []
    assert row(station) == [Missing.noSuchInstance] * 3
    station.daemon.kill_every_process()
    station.daemon.start()
    assert station.manager.get("tcpResetEvidenceState.1") == INTERRUPTED


def test_an_orderly_end_completes_the_file(make, stage):
    station = make().start()
    raise_by(station, lambda: refuse(stage))
    station.daemon.restart()
    assert station.manager.get("tcpResetEvidenceState.1") == COMPLETE
    assert "until rstwatchd ended" in capture_files.comment_by_capinfos(path_of(station))
    assert row(station)[0] == capture_files.count_by_capinfos(path_of(station)) == 2 * BURST


def test_a_kill_before_the_file_has_its_name_loses_nothing(make, stage):
    station = make().start()
    raise_by(station, lambda: refuse(stage))
    station.daemon.stop()
    path_of(station).rename(part_of(station))
    station.daemon.start()
    assert station.manager.get("tcpResetEvidenceState.1") == COMPLETE
    assert row(station)[0] == capture_files.count_by_capinfos(path_of(station)) == 2 * BURST


def test_a_full_disk_is_a_state_and_all_else_goes_on(make, stage):
    station = make()
    with small_file_system(station.daemon.state):
        station.start()
        refuse(stage, 2000)
        wait_for_state(station, 1, FAILED)
        assert list(path_of(station).parent.iterdir()) == []
        assert len(station.daemon.process.matching("event 1: its evidence .*No space left")) == 1
        station.daemon.wait_for_samples(2)
        assert station.manager.get("tcpResetSent.0") == 2000
        switch(station, "sent", False)
        station.daemon.wait_for_value("tcpResetEventNewest.0", 2)
        station.daemon.kill_every_process()
        station.daemon.start()
        assert station.manager.get("tcpResetEvidenceState.1") == FAILED
        station.daemon.stop()


# None


def test_one_line_switches_it_off(make, stage):
    station = make("evidence = false\n").start()
    refuse(stage)
    station.daemon.wait_for_value("tcpResetEventNewest.0", 1)
    station.daemon.wait_for_samples(2)
    assert station.manager.walk("tcpResetEvidence") == []
    assert not path_of(station).parent.exists()


def test_a_source_without_headers_makes_no_files(make, tmp_path):
    source = replay.write(tmp_path / "scene.replay", (300, {"tcpResetReceived": 10000}))
    station = make(source=source).start()
    station.daemon.wait_for_value("tcpResetEventNewest.0", 1)
    switch(station, "received", False)
    station.daemon.wait_for_value("tcpResetEventNewest.0", 2)
    station.daemon.wait_for_samples(2)
    assert station.manager.walk("tcpResetEvidence") == []
    assert not path_of(station).parent.exists()
