"""Peers of real resets, by the source bpf: two scenes, one after the other.

First some peers with known counts, then a flood from a million addresses with one heavy
peer in it, which a counter of nft's own sees as well.
"""

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab import segments, sinks
from lab.observer import observing
from lab.peers import Peer, Port, Ranking
from lab.segments import RST, SYN, Packets
from lab.station import Station
from lab.wait import wait_until

RAISED = "tcpResetAlarmRaised"
ADDRESSES = {"IPv4": ["192.0.2.11/24", "192.0.2.12/24"], "IPv6": ["2001:db8::11/64"]}
HTTPS, SSH, CLOSED = 443, 22, 7001  # nothing listens on any

FLOOD = 530_000  # from each of two processes: a million addresses in all
EVERY = 20  # of its packets one is the heavy peer's
HEAVY = "192.0.2.11"
MEMORY_KB = 1024  # that the flood may take: a byte for each address

# Until all bursts have been made.
CONFIGURATION = "".join(f"alarm {metric} {{ raise-delay = 2 }}\n" for metric in ("received", "sent"))


@dataclass(frozen=True)
class Burst:
    family: str
    address: str
    port: int
    flags: int
    count: int


BURSTS = [
    Burst("IPv4", "192.0.2.11", HTTPS, RST, 600),
    Burst("IPv4", "192.0.2.12", SSH, RST, 200),
    Burst("IPv6", "2001:db8::11", HTTPS, RST, 250),
    Burst("IPv4", "192.0.2.12", CLOSED, SYN, 350),
    Burst("IPv6", "2001:db8::11", HTTPS, SYN, 300),
]


@pytest.fixture(scope="module")
def station(directory, pair):
    here, there = pair
    for family, addresses in ADDRESSES.items():
        for address in addresses:
            there.namespace.ip("address", "add", address, "dev", "veth0",
                               *(["nodad"] if family == "IPv6" else []))
    here.namespace.sysctl("net.ipv4.conf.all.rp_filter", 0)
    here.namespace.sysctl("net.ipv4.conf.veth0.rp_filter", 0)
    with Station(directory, netns=here.namespace, source="bpf", configuration=CONFIGURATION,
                 notify_by=[sinks.V2C]) as station:
        yield station.start()


@pytest.fixture(scope="module")
def raised(station, pair):
    """The bursts; what they raise, by metric."""
    here, there = pair
    for burst in BURSTS:
        packet = Packets(burst.family, there, here).sent_by(burst.address).tcp(
            flags=burst.flags, port=burst.port)
        segments.send([packet], there, here, burst.count)
    found = station.receiver.wait_for(RAISED, count=2, timeout=8)
    return {each.values["tcpResetEventMetricName"].strip('"'):
            each.values["tcpResetEventSummary"].strip('"') for each in found}


def ranking_of(station, direction, total):
    """Of the last minute, once it has so many."""
    def ranking():
        return Ranking.of(station.manager, direction, 60)

    wait_until(lambda: ranking().total == total, 5,
               lambda: f"{total} {direction} by peer; there are {ranking()}")
    return ranking()


def test_nothing_has_come_before(station):
    assert Ranking.of(station.manager, "received", 60) == Ranking([], [], 0, 0, 0)


def test_peers_that_send_have_their_counts(station, raised):
    ranking = ranking_of(station, "received", 1050)
    assert ranking.peers == [Peer("192.0.2.11", HTTPS, "unmatched", 600),
                             Peer("2001:db8::11", HTTPS, "unmatched", 250),
                             Peer("192.0.2.12", SSH, "unmatched", 200)]
    assert ranking.ports == [Port(HTTPS, "unmatched", 850), Port(SSH, "unmatched", 200)]
    ranking.check()


def test_peers_that_are_sent_to_have_their_counts(station, raised):
    ranking = ranking_of(station, "sent", 650)
    assert ranking.peers == [Peer("192.0.2.12", CLOSED, "noListener", 350),
                             Peer("2001:db8::11", HTTPS, "noListener", 300)]
    assert ranking.ports == [Port(CLOSED, "noListener", 350), Port(HTTPS, "noListener", 300)]
    ranking.check()


def test_a_raise_names_the_peer(raised):
    received, sent = (re.sub(r"\d+\.\d\d/s", "N/s", raised[metric])
                      for metric in ("received", "sent"))
    assert received == ("received N/s (limit 50.00), no baseline yet: "
                        "57 % from 192.0.2.11, port 443, for no connection")
    assert sent == ("sent N/s (limit 50.00), no baseline yet: "
                    "53 % to 192.0.2.12, port 7001, no listener")


# ---- A flood ----

@contextmanager
def counting_from(address, namespace):
    """A function that tells how many resets have come from there, by a counter of nft's."""
    table = "rstw_peer"
    namespace.run(["nft", "--file", "-"], input=f"""
        table ip {table} {{
            counter peer {{}}
            chain received {{
                type filter hook input priority -401;
                ip saddr {address} tcp flags & rst == rst counter name peer
            }}
        }}""")

    def count():
        listing = json.loads(namespace.run(["nft", "--json", "list", "counters", "table", "ip",
                                            table]))
        return next(item["counter"]["packets"] for item in listing["nftables"]
                    if "counter" in item)

    try:
        yield count
    finally:
        namespace.run(["nft", "delete", "table", "ip", table])


def private_kb(pid):
    """Without the ring, which is of a fixed size and shared."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^RssAnon:\s+(\d+) kB$", status, re.MULTILINE)[1])


def map_bytes(pid):
    """{id of a map that the process holds: the memory that the kernel has charged for it}"""
    texts = [path.read_text() for path in Path(f"/proc/{pid}/fdinfo").iterdir()]
    return {re.search(r"^map_id:\s+(\d+)$", text, re.MULTILINE)[1]:
            int(re.search(r"^memlock:\s+(\d+)$", text, re.MULTILINE)[1])
            for text in texts if "map_id:" in text}


def test_a_flood_neither_hides_a_heavy_peer_nor_takes_memory(station, raised, pair):
    here, there = pair
    daemon = station.daemon
    processes = daemon.process.pid, daemon.agent_pid
    before = [private_kb(pid) for pid in processes]
    maps_before = map_bytes(daemon.process.pid)
    received_before = Ranking.of(station.manager, "received", 60)
    packet = Packets("IPv4", there, here).sent_by(HEAVY).tcp(flags=RST, port=HTTPS)

    with observing(here.namespace) as observer, counting_from(HEAVY, here.namespace) as count:
        senders = [segments.flood(packet, there, here, FLOOD, EVERY, seed) for seed in (1, 2)]
        for sender in senders:
            assert sender.wait_end(30) == 0, sender.log
        total, heavy = observer.count("IPv4").received, count()
    assert heavy > total / (EVERY + 1)

    ranking = ranking_of(station, "received", received_before.total + total)
    ranking.check()
    assert ranking.peers[0] == Peer(
        HEAVY, HTTPS, "unmatched", received_before.counts()[HEAVY] + heavy)
    assert ranking.peer_others > total * 0.9
    assert ranking.ports[0] == Port(HTTPS, "unmatched", 850 + total)

    grown = [private_kb(pid) - kb for pid, kb in zip(processes, before)]
    assert max(grown) < MEMORY_KB, grown
    assert len(maps_before) > 2 and map_bytes(daemon.process.pid) == maps_before
