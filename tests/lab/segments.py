"""TCP segments made by hand, and their way onto the wire.

    packet = Packets("IPv4", there, here).tcp(flags=RST)
    send([packet], there, here, count=100)
"""

import json
import socket
import struct
import sys
from pathlib import Path

from lab.process import Process

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10

HOP_BY_HOP, TCP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION = 0, 6, 43, 44, 51, 60
PADDING = bytes([1, 4, 0, 0, 0, 0])  # PadN: what a header of options has in it at least

_PROGRAM = Path(__file__).with_name("segment_sender.py")
_FLOOD_PROGRAM = Path(__file__).with_name("flood_sender.py")
_SEND_SECONDS = 60


def checksum(data):
    words = struct.unpack(f"!{len(data) // 2}H", data[:len(data) // 2 * 2])
    total = sum(words) + (data[-1] << 8 if len(data) % 2 else 0)
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Packets:
    """Makes packets of one family from one end of a pair to the other."""

    def __init__(self, family, source, target):
        self.family = family
        self._version = {"IPv4": socket.AF_INET, "IPv6": socket.AF_INET6}[family]
        self.source = source.address(family)
        self.target = target.address(family)

    def to(self, address):
        """The same to another address."""
        return self._changed(target=address)

    def sent_by(self, address):
        """The same from another address."""
        return self._changed(source=address)

    def _changed(self, **what):
        other = Packets.__new__(Packets)
        vars(other).update(vars(self), **what)
        return other

    def tcp(self, *, extensions=(), **options):
        """One segment in one packet."""
        return self.packet(self.segment(**options), extensions)

    def segment(self, *, flags=RST, port=9, source_port=40000, sequence=1,
                acknowledgement=1, options=b"", payload=b"", good=True):
        def header(check):
            return struct.pack("!HHIIBBHHH", source_port, port, sequence, acknowledgement,
                               5 + len(options) // 4 << 4, flags, 1024, check, 0) \
                + options + payload

        length = 20 + len(options) + len(payload)
        pseudo = self._address(self.source) + self._address(self.target)
        pseudo += struct.pack("!IHBB", length, 0, 0, TCP)
        check = checksum(pseudo + header(0))
        return header(check if good else check ^ 0x5555)

    def packet(self, payload, extensions=(), **ipv4):
        """`extensions`: of IPv6, (type, bytes behind the next type) each."""
        if self.family == "IPv4":
            return self._ipv4(payload, **ipv4)
        types = [each for each, _ in extensions] + [TCP]
        chain = b"".join(bytes([following]) + body
                         for (_, body), following in zip(extensions, types[1:]))
        return struct.pack("!IHBB", 6 << 28, len(chain) + len(payload), types[0], 64) \
            + self._address(self.source) + self._address(self.target) + chain + payload

    def fragments(self, payload, size, identification=7):
        """One datagram in pieces of `size` bytes, a multiple of 8."""
        cuts = range(size, len(payload), size)
        return self.cut(payload, cuts, identification)

    def cut(self, payload, cuts, identification=7):
        """One datagram in pieces that begin at 0 and at the cuts, multiples of 8."""
        packets = []
        for begin, end in zip([0, *cuts], [*cuts, len(payload)]):
            more = end < len(payload)
            if self.family == "IPv4":
                packets.append(self._ipv4(payload[begin:end], offset=begin, more=more,
                                          identification=identification))
            else:
                packets.append(self.packet(payload[begin:end],
                                           [fragment(begin, more, identification)]))
        return packets

    def _ipv4(self, payload, *, options=b"", offset=0, more=False, identification=7, good=True):
        def header(check):
            return struct.pack("!BBHHHBBH", 4 << 4 | 5 + len(options) // 4, 0,
                               20 + len(options) + len(payload), identification,
                               offset // 8 | more << 13, 64, TCP, check) \
                + self._address(self.source) + self._address(self.target) + options

        check = checksum(header(0))
        return header(check if good else check ^ 0x5555) + payload

    def _address(self, text):
        return socket.inet_pton(self._version, text)


def fragment(offset=0, more=False, identification=7):
    return FRAGMENT, struct.pack("!BHI", 0, offset | more, identification)


def options(kind):
    """A hop-by-hop or destination header with padding in it."""
    return kind, bytes([0]) + PADDING


def routing(segments_left=0):
    """Type 3 is the one that every kernel reads or leaves alone once no segment is left."""
    return ROUTING, bytes([0, 3, segments_left]) + bytes(4)


def send(packets, source, target, count):
    """Puts each of the packets onto the wire, `count` times; netfilter of `source` sees none."""
    _run("link", packets, source, target, count)


def send_raw(payloads, source, target, count, family, *, header=False):
    """By a raw socket; `header`: they begin with the IP header."""
    mode = {("IPv4", False): "ipv4", ("IPv6", False): "ipv6", ("IPv4", True): "header4",
            ("IPv6", True): "header6"}[family, header]
    _run(mode, payloads, source, target, count, target.address(family))


def _run(mode, packets, source, target, count, address=None):
    sender = start(mode, packets, source, target, count, address)
    status = sender.wait_end(_SEND_SECONDS)
    assert status == 0, sender.log


def start(mode, packets, source, target, count, address=None):
    """The same, in the background."""
    where = address or mac_of(target)
    return Process(f"{mode} segments", [sys.executable, _PROGRAM, mode, where, count,
                                        *(packet.hex() for packet in packets)],
                   netns=source.namespace)


def flood(packet, source, target, count, every, seed):
    """In the background: an IPv4 packet, all but each `every`-th from an address at random."""
    return Process(f"flood {seed}", [sys.executable, _FLOOD_PROGRAM, mac_of(target), count, every,
                                     seed, packet.hex()], netns=source.namespace)


def mac_of(end):
    return json.loads(end.namespace.ip("-json", "link", "show", "veth0"))[0]["address"]
