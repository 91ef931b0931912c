"""A peer without a kernel, which says only what it is told to.

It has an address of its own at the far end of the cable, where no TCP listens:
what comes there is read off the wire, and nothing answers it by itself. So each
segment to the daemon's host, right or wrong, is one that the test has made.

    with Ghost(here, there, "IPv4") as ghost:
        for remote in ghost.half_open(port, count=100):
            remote.send(RST)
"""

import itertools
import socket
import struct
import time
from dataclasses import dataclass
from typing import NamedTuple

from lab.segments import ACK, FIN, RST, SYN, Packets, mac_of

ADDRESSES = {"IPv4": "192.0.2.99", "IPv6": "2001:db8::99"}
SECONDS = 5  # after which what should have come will not come

_INTERFACE = "veth0"
_ETHERTYPES = {"IPv4": 0x0800, "IPv6": 0x86dd}
_SO_RCVBUFFORCE = 33
_BUFFER = 1 << 22
_FIRST, _LAST = 10000, 30000  # below the ports that kernels give
_ports = itertools.cycle(range(_FIRST, _LAST))


class Received(NamedTuple):
    ports: tuple  # (of the daemon's host, of the ghost)
    sequence: int
    acknowledgement: int
    flags: int


@dataclass
class Remote:
    """The ghost's end of one connection: what it sends is in sequence unless told otherwise."""

    ghost: "Ghost"
    port: int  # of the daemon's host
    own_port: int
    sequence: int = 1000  # of its next octet
    expected: int = 0     # the next octet of the daemon's host

    def send(self, flags, *, ahead=0, beyond=0, **more):
        """`ahead` of its sequence number, acknowledging `beyond` what is expected."""
        self.ghost.send(flags=flags, port=self.port, source_port=self.own_port,
                        sequence=(self.sequence + ahead) % 2**32,
                        acknowledgement=(self.expected + beyond) % 2**32, **more)


class Ghost:
    def __init__(self, here, there, family):
        self._family = family
        self._here, self._there = here, there
        self._packets = Packets(family, self, here)
        self._frame = (_INTERFACE, _ETHERTYPES[family], 0, 0,
                       bytes.fromhex(mac_of(here).replace(":", "")))

    def __enter__(self):
        # Permanent: nobody there would answer who has this address.
        self._here.namespace.ip("neighbour", "replace", self.address(self._family), "lladdr",
                                mac_of(self._there), "dev", _INTERFACE, "nud", "permanent")
        with self._there.namespace.inside():
            self._wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
        self._wire.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
        self._wire.bind(self._frame[:2])
        return self

    def __exit__(self, *_):
        self._wire.close()

    def address(self, family):
        return ADDRESSES[family]

    def send(self, **segment):
        self._wire.sendto(self._packets.tcp(**segment), self._frame)

    def send_from_many_ports(self, count, **segment):
        for port in _next_ports(count):
            self.send(source_port=port, **segment)

    def half_open(self, port, count, options=b""):
        """Connections to a port of the daemon's host whose handshake lacks its last segment."""
        remotes = [Remote(self, port, own_port) for own_port in _next_ports(count)]
        for remote in remotes:
            remote.send(SYN, ahead=-1, options=options)
        return self._expecting(SYN | ACK, remotes)

    def called(self, ports, own_port):
        """Those that the daemon's host asked for, from these ports to one of the ghost."""
        return self._expecting(SYN, [Remote(self, port, own_port) for port in ports])

    def any_port(self):
        return next(_ports)

    def _expecting(self, flags, remotes):
        """Each expects what follows the sequence number of the host's SYN."""
        found = self._receive(flags, {(remote.port, remote.own_port) for remote in remotes})
        for remote in remotes:
            remote.expected = found[remote.port, remote.own_port].sequence + 1
        return remotes

    def _receive(self, flags, connections):
        """The first segment with these flags of each connection, by its ports."""
        found = {}
        deadline = time.monotonic() + SECONDS
        while missing := connections - found.keys():
            self._wire.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                packet, source = self._wire.recvfrom(2048)
            except TimeoutError:
                raise TimeoutError(f"{len(missing)} of {len(connections)} segments with flags "
                                   f"{flags:#x} did not come in {SECONDS} s") from None
            segment = None if source[2] == socket.PACKET_OUTGOING else _parse(packet)
            if segment and segment.flags == flags and segment.ports in missing:
                found[segment.ports] = segment
        return found


def _next_ports(count):
    return list(itertools.islice(_ports, count))


def _parse(packet):
    """None if it is no TCP segment behind a header without extensions."""
    version = packet[0] >> 4
    protocol, begin = (packet[9], (packet[0] & 15) * 4) if version == 4 else (packet[6], 40)
    if protocol != socket.IPPROTO_TCP:
        return None
    source_port, port, sequence, acknowledgement, _, flags = struct.unpack_from(
        "!HHIIBB", packet, begin)
    return Received((source_port, port), sequence, acknowledgement, flags & (FIN | SYN | RST | ACK))
