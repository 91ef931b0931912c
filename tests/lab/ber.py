"""SNMPv1 and v2c messages in BER, as far as tests build and read them by hand."""

from typing import NamedTuple

GET, GETNEXT, RESPONSE, SET, GETBULK = 0xa0, 0xa1, 0xa2, 0xa3, 0xa5
END_OF_VIEW = 0x82
NULL = b"\x05\x00"


class Malformed(Exception):
    """Not what BER or RFC 3416 allow."""


class Answer(NamedTuple):
    number: int
    error: int
    varbinds: list  # (name, tag of the value, its content)


def _length(size):
    return bytes([size]) if size < 128 else b"\x82" + size.to_bytes(2, "big")


def _value(tag, content):
    return bytes([tag]) + _length(len(content)) + content


def integer(number, tag=0x02):
    return _value(tag, number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))


def gauge(number):
    return integer(number, 0x42)


def octets(content):
    return _value(0x04, content)


def octets_of(number):
    return octets(number.to_bytes(4, "big"))


def _arc(arc):
    digits = [arc & 0x7f]
    while arc := arc >> 7:
        digits.insert(0, arc & 0x7f | 0x80)
    return bytes(digits)


def name(arcs):
    return _value(0x06, b"".join(map(_arc, (arcs[0] * 40 + arcs[1], *arcs[2:]))))


def message(version, community, kind, number, extra, varbinds):
    """`extra`: error status and index, of a GETBULK non-repeaters and repetitions."""
    pairs = b"".join(_value(0x30, name(arcs) + value) for arcs, value in varbinds)
    body = integer(number) + integer(extra[0]) + integer(extra[1]) + _value(0x30, pairs)
    return _value(0x30, integer(version) + _value(0x04, community.encode()) + _value(kind, body))


class _Reader:
    def __init__(self, data):
        self.data = data

    def take(self, tag=None):
        """(tag, content) of the next value."""
        if len(self.data) < 2:
            raise Malformed("cut")
        found, size, at = self.data[0], self.data[1], 2
        if size & 0x80:
            at += size & 0x7f
            size = int.from_bytes(self.data[2:at], "big")
        if len(self.data) < at + size or (tag is not None and tag != found):
            raise Malformed(f"tag {found:#x}, {size} bytes of {len(self.data)}")
        content, self.data = self.data[at:at + size], self.data[at + size:]
        return found, content

    def number(self):
        return int.from_bytes(self.take(0x02)[1], "big", signed=True)


def number_of(varbind):
    """None where the value is no number."""
    _, tag, content = varbind
    return int.from_bytes(content, "big") if tag in (0x02, 0x41, 0x42, 0x43, 0x46) else None


def _arcs(content):
    arcs, arc = [], 0
    for byte in content:
        arc = arc << 7 | byte & 0x7f
        if not byte & 0x80:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return (first, arcs[0] - 40 * first, *arcs[1:])


def answer(data):
    outer = _Reader(_Reader(data).take(0x30)[1])
    outer.number()
    outer.take(0x04)
    body = _Reader(outer.take(RESPONSE)[1])
    number, error, _ = body.number(), body.number(), body.number()
    pairs, varbinds = _Reader(body.take(0x30)[1]), []
    while pairs.data:
        pair = _Reader(pairs.take(0x30)[1])
        varbinds.append((_arcs(pair.take(0x06)[1]), *pair.take()))
    return Answer(number, error, varbinds)
