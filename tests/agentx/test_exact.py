"""Exact sources count every reset, by direction and family, and nothing else.

Each case makes COUNT packets or connections with resets. Every source counts in
the same namespace, beside each other and beside a chain of nft's own counters;
all must say what was made. The cases are the rows of what the kernel's counters
miss and of what a hook of netfilter sees. Not made here: segments that a real
card has put together (GRO), IPsec, VRF.
"""

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import pytest

from lab import segments
from lab.firewall import rules
from lab.netns import Namespace
from lab.observer import observing
from lab.resets import CLOSED_PORT, ResetGenerator
from lab.segments import ACK, RST, SYN, Packets
from lab.station import Station
from lab.wait import wait_until

COUNT = 100
FLOOD = 100_000  # from each of two processes
SOURCES = ["bpf", "nftables"]  # bpf first: it wants its priority for itself
SOURCE_BITS = {"bpf": b"\xa0", "nftables": b"\x90"}  # each with procfs, bit 0
FAMILIES = ["IPv4", "IPv6"]
EXACT = 1
METHODS = ["tcpResetReceivedMethod.0", "tcpResetSentMethod.0"]
COUNTERS = ["tcpResetReceived", "tcpResetSent", "tcpResetReceivedIpv4", "tcpResetReceivedIpv6",
            "tcpResetSentIpv4", "tcpResetSentIpv6"]
LISTENING_PORT = 7100


def expected(family, received=0, sent=0):
    """The growth of COUNTERS."""
    by_family = [received, 0, sent, 0] if family == "IPv4" else [0, received, 0, sent]
    return [received, sent, *by_family]


@dataclass
class Scene:
    here: object
    there: object
    stations: dict = field(default_factory=dict)
    observer: object = None

    def counts(self):
        """{source: COUNTERS}, each after two more samples."""
        for station in self.stations.values():
            station.daemon.wait_for_samples(2)
        return {source: self._counts(station) for source, station in self.stations.items()}

    def observed(self):
        """COUNTERS as the observer has them."""
        by_family = [self.observer.count(family) for family in FAMILIES]
        received, sent = ([getattr(each, name) for each in by_family]
                          for name in ("received", "sent"))
        return [sum(received), sum(sent), *received, *sent]

    def kernel(self, name):
        return next(iter(self.stations.values())).manager.get(f"{name}.0")

    def wait_for_kernel(self, name, value):
        """Beside an exact source the kernel's counters are read once a second."""
        wait_until(lambda: self.kernel(name) == value, 3, f"{name} = {value}")

    @contextmanager
    def growing(self, growth, observed=True):
        """What happens inside makes every source, and the observer, grow by that."""
        before, observed_before = self.counts(), self.observed()
        yield
        if observed:
            wait_until(lambda: difference(observed_before, self.observed()) == growth, 10,
                       lambda: f"{growth}; observed {difference(observed_before, self.observed())}")
        after = self.counts()
        assert {source: difference(before[source], after[source]) for source in after} \
            == {source: growth for source in after}

    def _counts(self, station):
        return station.manager.values(*(f"{name}.0" for name in COUNTERS))


def difference(before, after):
    return [new - old for old, new in zip(before, after)]


@pytest.fixture(scope="module")
def scene(directory, pair):
    here, there = pair
    with ExitStack() as stack:
        scene = Scene(here, there)
        for source in SOURCES:
            (directory / source).mkdir()
            station = Station(directory / source, netns=here.namespace, source=source,
                              notify_by=[])
            scene.stations[source] = stack.enter_context(station).start()
        scene.observer = stack.enter_context(observing(here.namespace))
        yield scene


@pytest.fixture(params=FAMILIES)
def family(request):
    return request.param


@pytest.fixture
def packets(scene, family):
    """Of the peer, to the daemon's host."""
    return Packets(family, scene.there, scene.here)


@contextmanager
def listening(end, family):
    """A server that takes connections and keeps them."""
    program = ("import socket, sys; s = socket.create_server((sys.argv[1], int(sys.argv[2])), "
               "family=socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET, backlog=1000); "
               "print('ready', flush=True); kept = []\n"
               "while True: kept.append(s.accept())")
    with segments.Process("server", ["python3", "-c", program, end.address(family),
                                     LISTENING_PORT], netns=end.namespace) as server:
        server.wait_for_line("^ready$")
        yield


# What the sources say of themselves


@pytest.mark.parametrize("source", SOURCES)
def test_methods_are_exact(scene, source):
    assert scene.stations[source].manager.values(*METHODS) == [EXACT, EXACT]


@pytest.mark.parametrize("source", SOURCES)
def test_the_sources_are_named(scene, source):
    assert scene.stations[source].manager.get("tcpResetSources.0") == SOURCE_BITS[source]


# Packets as they come in: {name: (packets made of a Packets, received)}


def in_fragments(packets, size, turn=1):
    """With a payload that would look like resets if it were taken for headers."""
    return packets.fragments(packets.segment(payload=b"\xff" * 40), size)[::turn]


BOTH = {
    "RST": (lambda p: [p.tcp()], 1),
    "RST and ACK": (lambda p: [p.tcp(flags=RST | ACK)], 1),
    "payload": (lambda p: [p.tcp(payload=b"reset by a middlebox")], 1),
    "odd payload": (lambda p: [p.tcp(payload=bytes(999))], 1),
    "no reset": (lambda p: [p.tcp(flags=ACK, port=9)], 0),
    "fragments": (lambda p: in_fragments(p, 24), 1),
    "fragments in reverse": (lambda p: in_fragments(p, 24, turn=-1), 1),
    "truncated TCP header": (lambda p: [p.packet(p.segment()[:16])], 0),
    "cut before the flags": (lambda p: [p.packet(p.segment()[:12])], 0),
}
IPV4 = {
    "IP options": (lambda p: [p.packet(p.segment(), options=b"\x01" * 40)], 1),
    "bad IP checksum": (lambda p: [p.packet(p.segment(), good=False)], 0),
    "flags in the second fragment": (lambda p: in_fragments(p, 8), 1),
    # Too large to be put behind the first one: the buffer stays in parts.
    "flags in a large second fragment": (
        lambda p: p.cut(p.segment(payload=bytes(1400)), [8]), 1),
    "flags in the second fragment, in reverse": (lambda p: in_fragments(p, 8, turn=-1), 1),
}
IPV6 = {
    "hop-by-hop": (lambda p: [p.tcp(extensions=[segments.options(segments.HOP_BY_HOP)])], 1),
    "destination options": (
        lambda p: [p.tcp(extensions=[segments.options(segments.DESTINATION)])], 1),
    "30 extension headers": (
        lambda p: [p.tcp(extensions=[segments.options(segments.DESTINATION)] * 30)], 1),
    "atomic fragment": (lambda p: [p.tcp(extensions=[segments.fragment()])], 1),
    "hop-by-hop and atomic fragment": (lambda p: [p.tcp(
        extensions=[segments.options(segments.HOP_BY_HOP), segments.fragment()])], 1),
    "routing header, arrived": (lambda p: [p.tcp(extensions=[segments.routing()])], 1),
}
INCOMING = [pytest.param(family, *case, id=f"{family}-{name}")
            for family, cases in (("IPv4", BOTH | IPV4), ("IPv6", BOTH | IPV6))
            for name, case in cases.items()]


@pytest.mark.parametrize("family, make, each", INCOMING)
def test_what_comes_in_is_counted_once(scene, family, make, each):
    packets = make(Packets(family, scene.there, scene.here))
    # A closed port answers what is no reset by one.
    sent = 0 if each or not is_whole_ack(packets) else COUNT
    with scene.growing(expected(family, COUNT * each, sent), observed=each == 1 or sent > 0):
        segments.send(packets, scene.there, scene.here, COUNT)


def is_whole_ack(packets):
    return len(packets) == 1 and packets[0][-20 + 13] == ACK and len(packets[0]) in (40, 60)


def test_a_bad_checksum_arrives_and_is_told_beside(scene, packets, family):
    before = scene.kernel("tcpResetBadChecksums")
    with scene.growing(expected(family, received=COUNT)):
        segments.send([packets.tcp(good=False)], scene.there, scene.here, COUNT)
    scene.wait_for_kernel("tcpResetBadChecksums", before + COUNT)


def test_another_hosts_segment_is_not_ours(scene, packets, family):
    foreign = packets.to({"IPv4": "192.0.2.77", "IPv6": "2001:db8::77"}[family])
    with scene.growing(expected(family), observed=False):
        segments.send([foreign.tcp()], scene.there, scene.here, COUNT)


def test_a_forwarded_segment_is_not_ours(scene, packets, family):
    here, network, address, gateway = scene.here.namespace, *{
        "IPv4": ("198.51.100.0/24", "198.51.100.1", scene.there.ipv4),
        "IPv6": ("2001:db8:1::/64", "2001:db8:1::1", scene.there.ipv6)}[family]
    here.sysctl({"IPv4": "net.ipv4.ip_forward", "IPv6": "net.ipv6.conf.all.forwarding"}[family], 1)
    here.ip("route", "add", network, "via", gateway)
    forwarded = forwarded_packets(here, family)
    with scene.growing(expected(family), observed=False):
        segments.send([packets.to(address).tcp()], scene.there, scene.here, COUNT)
    assert forwarded_packets(here, family) - forwarded == COUNT


def forwarded_packets(namespace, family):
    output = namespace.run(["nstat", "-asz", {"IPv4": "IpForwDatagrams",
                                              "IPv6": "Ip6OutForwDatagrams"}[family]])
    return int(output.split()[-2])


# Other ways in


@dataclass
class Addressed:
    """An end of another link: what ResetGenerator asks of one."""

    namespace: object
    ipv4: str
    ipv6: str

    def address(self, family):
        return {"IPv4": self.ipv4, "IPv6": self.ipv6}[family]


@contextmanager
def interface(end, name, number, *definition):
    """One more of that end, with addresses of its own."""
    end.namespace.ip("link", "add", name, *definition)
    try:
        addressed = Addressed(end.namespace, f"203.0.113.{number}", f"2001:db8:2::{number}")
        end.namespace.ip("address", "add", f"{addressed.ipv4}/24", "dev", name)
        end.namespace.ip("address", "add", f"{addressed.ipv6}/64", "dev", name, "nodad")
        end.namespace.ip("link", "set", name, "up")
        yield addressed
    finally:
        end.namespace.ip("link", "delete", name)


def vxlan(local, remote):
    return ["type", "vxlan", "id", 7, "local", local.ipv4, "remote", remote.ipv4, "dstport", 4789]


def macvlan(_local, _remote):
    return ["link", "veth0", "type", "macvlan", "mode", "bridge"]


@pytest.mark.parametrize("kind", [vxlan, macvlan])
def test_other_interfaces_count_once(scene, family, kind):
    here, there = scene.here, scene.there
    with interface(here, "rstw0", 1, *map(str, kind(here, there))) as ours, \
            interface(there, "rstw0", 2, *map(str, kind(there, here))) as theirs:
        with scene.growing(expected(family, received=COUNT)):
            ResetGenerator(ours, theirs, count=COUNT, family=family).finish(20)
        with scene.growing(expected(family, sent=COUNT)):
            ResetGenerator(theirs, ours, count=COUNT, family=family).finish(20)


@contextmanager
def bridged(namespace, number):
    """A host behind a bridge of that namespace."""
    port = f"port{number}"
    with Namespace() as host:
        namespace.ip("link", "add", port, "type", "veth", "peer", "name", "eth0",
                     "netns", host.name)
        namespace.ip("link", "set", port, "master", "rstwbr", "up")
        addressed = Addressed(host, f"203.0.113.{number}", f"2001:db8:2::{number}")
        host.ip("address", "add", f"{addressed.ipv4}/24", "dev", "eth0")
        host.ip("address", "add", f"{addressed.ipv6}/64", "dev", "eth0", "nodad")
        host.ip("link", "set", "eth0", "up")
        yield addressed
        namespace.ip("link", "delete", port)  # at once: the namespace would take its time


def test_bridged_segments_are_not_ours(scene, family):
    namespace = scene.here.namespace
    namespace.ip("link", "add", "rstwbr", "type", "bridge", "forward_delay", "0")
    try:
        namespace.ip("link", "set", "rstwbr", "up")
        with bridged(namespace, 3) as one, bridged(namespace, 4) as other:
            with scene.growing(expected(family)):
                ResetGenerator(one, other, count=COUNT, family=family).finish(20)
    finally:
        namespace.ip("link", "delete", "rstwbr")


# Rules of a firewall


def test_dropped_before_our_priority_has_not_arrived(scene, packets, family):
    chain = "chain in { type filter hook input priority -360; tcp flags & rst == rst drop; }"
    with rules(scene.here.namespace, chain), scene.growing(expected(family), observed=False):
        segments.send([packets.tcp()], scene.there, scene.here, COUNT)


def test_dropped_by_a_usual_firewall_has_arrived(scene, packets, family):
    chain = "chain in { type filter hook input priority 0; tcp flags & rst == rst drop; }"
    with rules(scene.here.namespace, chain), scene.growing(expected(family, received=COUNT)):
        segments.send([packets.tcp()], scene.there, scene.here, COUNT)


def test_a_firewall_that_rejects_has_sent(scene, packets, family):
    chain = ("chain in { type filter hook input priority 0; "
             "tcp dport 9 reject with tcp reset; }")
    with rules(scene.here.namespace, chain), scene.growing(expected(family, sent=COUNT)):
        segments.send([packets.tcp(flags=SYN)], scene.there, scene.here, COUNT)


# Sent past TCP


@pytest.mark.parametrize("header", [False, True], ids=["segment", "packet"])
def test_raw_sockets_have_sent(scene, family, header):
    packets = Packets(family, scene.here, scene.there)
    payload = packets.tcp() if header else packets.segment()
    with scene.growing(expected(family, sent=COUNT)):
        segments.send_raw([payload], scene.here, scene.there, COUNT, family, header=header)


def test_fragments_of_a_raw_socket_are_one_segment(scene, family):
    packets = in_fragments(Packets(family, scene.here, scene.there), 24)
    # The observer takes a later fragment's payload for a header.
    with scene.growing(expected(family, sent=COUNT), observed=family == "IPv6"):
        segments.send_raw(packets, scene.here, scene.there, COUNT, family, header=True)


def test_a_packet_socket_passes_by(scene, family):
    packets = Packets(family, scene.here, scene.there)
    with scene.growing(expected(family), observed=False):
        segments.send([packets.tcp()], scene.here, scene.there, COUNT)


# Connections, as the kernel ends them


def test_refused_connections_are_received(scene, family):
    with scene.growing(expected(family, received=COUNT)):
        ResetGenerator(scene.here, scene.there, count=COUNT, family=family).finish(20)


def test_refusing_connections_is_sent(scene, family):
    with scene.growing(expected(family, sent=COUNT)):
        ResetGenerator(scene.there, scene.here, count=COUNT, family=family).finish(20)


def test_loopback_is_both(scene, family):
    loopback = Loopback(scene.here.namespace)
    with scene.growing(expected(family, received=COUNT, sent=COUNT)):
        ResetGenerator(loopback, loopback, count=COUNT, family=family).finish(20)


class Loopback:
    def __init__(self, namespace):
        self.namespace = namespace

    def address(self, family):
        return {"IPv4": "127.0.0.1", "IPv6": "::1"}[family]


# Closes `count` connections in a way that resets them; the other side only accepts.
CLOSER = """
import socket, struct, sys
way, host, port, count = sys.argv[1:]
family = socket.AF_INET6 if ":" in host else socket.AF_INET
for _ in range(int(count)):
    with socket.socket(family) as connection:
        connection.connect((host, int(port)))
        if way == "unread":
            connection.sendall(b"?")
            connection.recv(1, socket.MSG_PEEK)
        else:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
"""
SERVER = """
import socket, sys
host, port = sys.argv[1:]
family = socket.AF_INET6 if ":" in host else socket.AF_INET
with socket.create_server((host, int(port)), family=family) as server:
    print("ready", flush=True)
    while True:
        connection, _ = server.accept()
        with connection:
            try:
                while data := connection.recv(1):
                    connection.sendall(data)
            except ConnectionResetError:
                pass
"""


def close(way, source, target, family):
    address = [target.address(family), LISTENING_PORT]
    with segments.Process("server", ["python3", "-c", SERVER, *address],
                          netns=target.namespace) as server:
        server.wait_for_line("^ready$")
        closer = segments.Process("closer", ["python3", "-c", CLOSER, way, *address, COUNT],
                                  netns=source.namespace)
        assert closer.wait_end(20) == 0, closer.log


@pytest.mark.parametrize("way", ["linger", "unread"])
def test_own_aborts_are_sent_only(scene, family, way):
    with scene.growing(expected(family, sent=COUNT)):
        close(way, scene.here, scene.there, family)


@pytest.mark.parametrize("way", ["linger", "unread"])
def test_aborts_by_the_peer_are_received_only(scene, family, way):
    with scene.growing(expected(family, received=COUNT)):
        close(way, scene.there, scene.here, family)


def test_a_reset_of_a_half_open_connection_is_received(scene, packets, family):
    """The peer's kernel resets what answers the SYN that it knows nothing of."""
    before = scene.kernel("tcpResetEmbryonic")
    with listening(scene.here, family), scene.growing(expected(family, received=COUNT)):
        segments.send([packets.tcp(flags=SYN, port=LISTENING_PORT, source_port=port)
                       for port in range(20000, 20000 + COUNT)], scene.there, scene.here, 1)
    scene.wait_for_kernel("tcpResetEmbryonic", before + COUNT)


def test_a_reset_to_a_listener_is_received(scene, packets, family):
    with listening(scene.here, family), scene.growing(expected(family, received=COUNT)):
        segments.send([packets.tcp(port=LISTENING_PORT)], scene.there, scene.here, COUNT)


def test_the_answer_to_a_stray_ack_is_received(scene, family):
    """From a socket of ours that TCP knows nothing of, so no reset goes back for the reset."""
    packets = Packets(family, scene.here, scene.there)
    with scene.growing(expected(family, received=COUNT)):
        segments.send([packets.tcp(flags=ACK, port=CLOSED_PORT)], scene.here, scene.there, COUNT)


def test_a_blind_reset_of_a_live_connection_is_received(scene, packets, family):
    with listening(scene.here, family), live_connection(scene, family) as port:
        with scene.growing(expected(family, received=COUNT)):
            segments.send([packets.tcp(port=LISTENING_PORT, source_port=port, sequence=1)],
                          scene.there, scene.here, COUNT)
        established = scene.here.namespace.run(
            ["ss", "-Htn", "state", "established", f"dport = {port}"])
        assert established


@contextmanager
def live_connection(scene, family):
    program = ("import socket, sys; c = socket.create_connection(sys.argv[1:3]); "
               "print(c.getsockname()[1], flush=True); sys.stdin.read(); input()")
    with segments.Process("client", ["python3", "-c", program.replace("sys.stdin.read(); input()",
                                     "c.recv(1)"), scene.here.address(family), LISTENING_PORT],
                          netns=scene.there.namespace) as client:
        yield int(client.wait_for_line(r"^\d+$")[0].text)


# At full speed


@pytest.mark.parametrize("way", ["in", "out"])
def test_a_flood_is_counted_to_the_segment(scene, family, way):
    counter = "received" if way == "in" else "sent"
    with scene.growing(expected(family, **{counter: 2 * FLOOD})):
        flood(scene, family, way)


def flood(scene, family, way):
    """Two processes, one for each CPU."""
    source, target = (scene.there, scene.here) if way == "in" else (scene.here, scene.there)
    packets = Packets(family, source, target)
    mode = "link" if way == "in" else {"IPv4": "ipv4", "IPv6": "ipv6"}[family]
    made = packets.tcp() if way == "in" else packets.segment()
    address = None if way == "in" else target.address(family)
    senders = [segments.start(mode, [made], source, target, FLOOD, address) for _ in range(2)]
    for sender in senders:
        assert sender.wait_end(60) == 0, sender.log
