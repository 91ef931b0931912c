"""Which source counts, why not a better one, and what happens when one is lost."""

import errno
import json
import subprocess
from pathlib import Path

import pytest

from lab import paths
from lab.links import detach
from lab.resets import ResetGenerator
from lab.rows import Reading
from lab.wait import wait_until

COUNT = 100
EXACT, ESTIMATED = 1, 2
FAMILIES = ["ip", "ip6"]
NONE, NET_ADMIN = 0, 1 << 12  # sets of capabilities
RECEIVED_AND_SENT = ["tcpResetReceived.0", "tcpResetSent.0"]
METHODS = ["tcpResetReceivedMethod.0", "tcpResetSentMethod.0"]
DISCONTINUITIES, PEAK = "tcpResetDiscontinuities.0", "tcpResetReceivedPeak10s.0"
PROCFS, BPF, NFTABLES = 0x80, 0x20, 0x10  # bits of tcpResetSources

REFUSER = Path(__file__).with_name("refuse_bpf.py")


@pytest.fixture
def make(new_station, pair):
    def make(source="auto", **options):
        return new_station(source=source, netns=pair[0].namespace, notify_by=[], **options)
    return make


@pytest.fixture(scope="module")
def build_without_bpf():
    """With nothing of what only BPF needs."""
    subprocess.run(["make", "BPF=no", "BPF_CLANG=false", "BPFTOOL=false", "BUILD=build/no-bpf",
                    "all"], cwd=paths.ROOT, check=True, capture_output=True)
    return paths.ROOT / "build" / "no-bpf" / "rstwatchd"


@pytest.fixture
def refuse(monkeypatch):
    """The daemon's bpf() fails so."""
    def refuse(number):
        monkeypatch.setenv("REFUSED_ERRNO", str(number))
        monkeypatch.setenv("REFUSED_PROGRAM", str(paths.DAEMON))
        monkeypatch.setattr(paths, "DAEMON", REFUSER)
    return refuse


def counts(station):
    station.daemon.wait_for_samples(2)
    return station.manager.values(*RECEIVED_AND_SENT)


def received_now(station, pair):
    """What the station counts of COUNT resets that are received now."""
    before = counts(station)[0]
    ResetGenerator(*pair, count=COUNT).finish(timeout=20)
    return counts(station)[0] - before


def sources(station):
    return station.manager.get("tcpResetSources.0")[0]


def first_line(station):
    """What it says at the start, which is one line."""
    lines = station.daemon.process.matching("a sample every")
    assert len(lines) == 1
    return lines[0].text


def capabilities(pid):
    """Permitted and effective."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    return [int(status[name], 16) for name in ("CapPrm", "CapEff")]


def open_files(pid):
    """What the descriptors of a process are: anon_inode:bpf-prog …"""
    return [str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir()]


# What auto takes


def test_auto_takes_bpf(make, pair):
    station = make().start()
    assert sources(station) == PROCFS | BPF
    assert station.manager.values(*METHODS) == [EXACT, EXACT]
    assert "source bpf" in first_line(station) and "not " not in first_line(station)
    assert received_now(station, pair) == COUNT


@pytest.mark.parametrize("number, text", [(errno.EPERM, "Operation not permitted"),
                                          (errno.ENOSYS, "Function not implemented")])
def test_a_refused_bpf_is_told_and_nftables_counts(make, pair, refuse, number, text):
    refuse(number)
    station = make().start()
    assert sources(station) == PROCFS | NFTABLES
    assert station.manager.values(*METHODS) == [EXACT, EXACT]
    assert "source nftables" in first_line(station)
    assert "not bpf: " in first_line(station) and text in first_line(station)
    assert received_now(station, pair) == COUNT


def test_a_build_without_bpf_says_so(make, pair, monkeypatch, build_without_bpf):
    monkeypatch.setattr(paths, "DAEMON", build_without_bpf)
    station = make().start()
    assert sources(station) == PROCFS | NFTABLES
    assert "not bpf: not in this build" in first_line(station)
    assert received_now(station, pair) == COUNT

    version = subprocess.run([build_without_bpf, "--version"], capture_output=True, text=True)
    assert version.returncode == 0 and "bpf not in this build" in version.stdout


def test_without_rights_procfs_estimates_and_it_is_told_why(make, monkeypatch, tmp_path):
    unprivileged = tmp_path / "unprivileged"
    unprivileged.write_text(
        f'#!/bin/sh\nexec setpriv --bounding-set=-all --inh-caps=-all {paths.DAEMON} "$@"\n')
    unprivileged.chmod(0o755)
    monkeypatch.setattr(paths, "DAEMON", unprivileged)
    station = make().start()
    assert sources(station) == PROCFS
    assert station.manager.values(*METHODS) == [ESTIMATED, ESTIMATED]
    assert "not bpf: loading: Operation not permitted" in first_line(station)
    assert "not nftables: " in first_line(station) and "CAP_NET_ADMIN" in first_line(station)


# One instance in a namespace


@pytest.mark.parametrize("first", ["bpf", "nftables"])
@pytest.mark.parametrize("second", ["auto", "same"])
def test_a_second_instance_ends_with_1(make, first, second):
    make(first).start()
    other = make(first if second == "same" else second)
    other.daemon.start_unready()
    assert other.daemon.process.wait_end() == 1
    assert other.daemon.process.matching("another instance counts in this network namespace")


@pytest.mark.parametrize("source", ["bpf", "nftables"])
def test_one_that_was_killed_is_in_nobodys_way(make, pair, source):
    station = make(source).start()
    station.daemon.kill_every_process()
    station.daemon.start()
    assert received_now(station, pair) == COUNT


# Rights


@pytest.mark.parametrize("source, kept", [("bpf", NONE), ("nftables", NET_ADMIN)])
def test_only_what_reading_needs_is_kept(make, pair, source, kept):
    station = make(source, user="nobody").start()
    assert capabilities(station.daemon.process.pid) == [kept, kept]
    assert capabilities(station.daemon.agent_pid) == [NONE, NONE]
    assert received_now(station, pair) == COUNT


def test_the_agent_of_root_has_no_rights_over_the_network(make):
    station = make("nftables").start()
    assert all(held & NET_ADMIN == 0 for held in capabilities(station.daemon.agent_pid))
    assert all(held & NET_ADMIN for held in capabilities(station.daemon.process.pid))


def test_no_program_stays_open(make):
    station = make("bpf").start()
    files = open_files(station.daemon.process.pid)
    assert sum("bpf_link" in file or "bpf-link" in file for file in files) == 5  # four hooks, one tracepoint
    assert not any("prog" in file for file in files)
    assert not any("bpf" in file for file in open_files(station.daemon.agent_pid))


@pytest.mark.parametrize("source", ["bpf", "nftables"])
def test_a_killed_agent_does_not_end_the_counting(make, pair, source):
    station = make(source, user="nobody").start()
    station.daemon.kill_agent()
    station.daemon.wait_ready()
    assert received_now(station, pair) == COUNT


# nftables: nobody's rules are touched, nobody touches ours


def nft(pair, *command):
    return subprocess.run([*pair[0].namespace.prefix, "nft", *command], capture_output=True,
                          text=True)


def tables(pair):
    listing = json.loads(nft(pair, "--json", "list", "tables").stdout)["nftables"]
    return {(item["table"]["family"], item["table"]["name"]) for item in listing
            if "table" in item}


def test_another_tools_flush_leaves_it(make, pair):
    station = make("nftables", user="nobody").start()
    assert nft(pair, "flush", "ruleset").returncode == 0
    assert nft(pair, "delete", "table", "ip", "rstwatch").returncode != 0
    assert received_now(station, pair) == COUNT
    assert station.manager.get(DISCONTINUITIES) == 0


@pytest.mark.parametrize("source", ["nftables", "nftables:no-owner"])
def test_the_rules_of_others_are_not_touched(make, pair, source):
    assert nft(pair, "add", "table", "inet", "rstw_other").returncode == 0
    try:
        before = nft(pair, "list", "ruleset").stdout
        station = make(source).start()
        assert tables(pair) == {("inet", "rstw_other"), *((each, "rstwatch") for each in FAMILIES)}
        station.daemon.stop()
        assert nft(pair, "list", "ruleset").stdout == before
    finally:
        nft(pair, "delete", "table", "inet", "rstw_other")


@pytest.mark.parametrize("how", [("flush", "ruleset"), ("delete", "table", "ip", "rstwatch"),
                                 ("delete", "table", "ip6", "rstwatch")], ids=" ".join)
def test_without_an_owner_tables_are_put_back(make, pair, how):
    station = make("nftables:no-owner", user="nobody").start()
    assert received_now(station, pair) == COUNT
    before = station.manager.get(RECEIVED_AND_SENT[0])
    assert nft(pair, *how).returncode == 0
    station.daemon.wait_for_value(DISCONTINUITIES, 1)
    assert {(each, "rstwatch") for each in FAMILIES} <= tables(pair)

    assert station.manager.get(RECEIVED_AND_SENT[0]) == before
    assert received_now(station, pair) == COUNT
    assert station.manager.get(PEAK) <= 2 * COUNT * 10
    assert station.manager.get(DISCONTINUITIES) == 1
    assert sources(station) == PROCFS | NFTABLES


def test_tables_put_back_are_told_also_when_they_had_counted_nothing(make, pair):
    station = make("nftables:no-owner").start()
    assert nft(pair, "flush", "ruleset").returncode == 0
    station.daemon.wait_for_value(DISCONTINUITIES, 1)
    assert counts(station) == [0, 0]


def test_tables_without_an_owner_that_were_left_behind_are_replaced(make, pair):
    station = make("nftables:no-owner").start()
    station.daemon.kill_every_process()
    assert ("ip", "rstwatch") in tables(pair)
    station.daemon.start()
    assert received_now(station, pair) == COUNT
    station.daemon.stop()
    assert ("ip", "rstwatch") not in tables(pair)


# A source that is lost while it counts


RATE = 20  # a second: no alarm
REFUSED = "received", "noListener"


@pytest.mark.parametrize("user", [None, "nobody"])
def test_a_detached_program_is_noticed_and_the_next_source_takes_over(make, pair, user):
    """Rights that are gone, root's too, open no source: then it is procfs. Neither counter nor
    rate jumps."""
    station = make(user=user).start()
    readings, rows = [], []

    def poll():
        readings.append(station.manager.values(*RECEIVED_AND_SENT, PEAK))
        rows.append(Reading.of(station.manager).rows)
        return sources(station) == PROCFS

    with ResetGenerator(*pair, rate=RATE):
        wait_until(lambda: counts(station)[0] >= RATE, 5, "a second of resets")
        detach(station.daemon.process.pid, protocol=2, hook=1)
        wait_until(poll, 10, "the next source")
        assert station.manager.values(*METHODS) == [ESTIMATED, ESTIMATED]
        before = counts(station)[0]
        wait_until(lambda: poll() and counts(station)[0] >= before + RATE
                   and rows[-1][REFUSED] >= rows[0][REFUSED] + RATE, 5, "more resets")

    assert readings == sorted(readings)
    assert not any(now[row] < before[row] for before, now in zip(rows, rows[1:])
                   for row in before if row in now)
    assert ("received", "blind") in rows[0] and ("received", "blind") not in rows[-1]
    assert all(sent == 0 and peak <= RATE * 100 for _, sent, peak in readings)
    assert station.manager.get(DISCONTINUITIES) == 1
    assert station.daemon.process.matching("source bpf: program received_ipv4 was detached")
    assert station.daemon.process.matching("source bpf is given up until a restart")


@pytest.mark.parametrize("program, protocol, hook", [
    ("received_ipv4", 2, 1), ("received_ipv6", 10, 1), ("sent_ipv4", 2, 3), ("sent_ipv6", 10, 3)])
def test_each_program_is_missed(make, program, protocol, hook):
    station = make("bpf").start()
    station.daemon.wait_for_samples(12)  # a pulse is back, and proves nothing yet
    detach(station.daemon.process.pid, protocol, hook)
    station.daemon.process.wait_for_line(f"program {program} was detached")
    assert sources(station) == PROCFS | BPF  # chosen by name: not left for another


def test_without_a_loopback_nothing_is_missed(make, pair):
    pair[0].namespace.ip("link", "set", "lo", "down")
    try:
        station = make("bpf").start()
        station.daemon.wait_for_samples(25)
        assert received_now(station, pair) == COUNT
        assert not station.daemon.process.matching("detached")
    finally:
        pair[0].namespace.ip("link", "set", "lo", "up")
