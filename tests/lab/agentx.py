"""AgentX (RFC 2741) as a master agent speaks it, well or badly: PDUs as bytes, over a socket."""

import socket
import struct
from dataclasses import dataclass, field

OPEN, CLOSE, REGISTER, UNREGISTER, GET, GETNEXT, GETBULK, TESTSET, COMMITSET, UNDOSET, \
    CLEANUPSET, NOTIFY, PING, _, _, ADD_CAPS, REMOVE_CAPS, RESPONSE = range(1, 19)
NETWORK_ORDER, HAS_CONTEXT = 0x10, 0x08
HEADER_SIZE = 20
SESSION = 7
INTEGER, OCTETS, GAUGE, NO_OBJECT, NO_INSTANCE, END_OF_VIEW = 2, 4, 66, 128, 129, 130


def oid(arcs, include=False):
    """In full, without the prefix that may stand for 1.3.6.1.x."""
    return struct.pack(f">BBBB{len(arcs)}I", len(arcs), 0, include, 0, *arcs)


def octets(value):
    return struct.pack(">I", len(value)) + value + bytes(-len(value) % 4)


def varbind(kind, arcs, value=b""):
    return struct.pack(">HH", kind, 0) + oid(arcs) + value


def header(kind, payload, *, version=1, flags=NETWORK_ORDER, session=SESSION, transaction=1,
           packet=1, length=None):
    return struct.pack(">BBBB4I", version, kind, flags, 0, session, transaction, packet,
                       len(payload) if length is None else length)


def pdu(kind, payload=b"", **fields):
    return header(kind, payload, **fields) + payload


def little_endian(data):
    """A PDU without strings, its numbers the other way round."""
    fields = bytearray(data[:4])
    fields[2] &= ~NETWORK_ORDER
    return bytes(fields) + b"".join(data[n:n + 4][::-1] for n in range(4, HEADER_SIZE, 4))


@dataclass
class Pdu:
    kind: int
    session: int
    transaction: int
    packet: int
    payload: bytes
    order: str = field(default=">")

    @property
    def error(self):
        return struct.unpack_from(self.order + "H", self.payload, 4)[0]

    def varbinds(self):
        """[(kind, arcs, number or None)] of a response."""
        found, at = [], 8
        while at < len(self.payload):
            kind, = struct.unpack_from(self.order + "H", self.payload, at)
            count, prefix = self.payload[at + 4:at + 6]
            arcs = struct.unpack_from(f"{self.order}{count}I", self.payload, at + 8)
            at += 8 + 4 * count
            value = None
            if kind in (INTEGER, 65, GAUGE, 67):
                value, = struct.unpack_from(self.order + "I", self.payload, at)
                at += 4
            elif kind == 70:
                value, = struct.unpack_from(self.order + "Q", self.payload, at)
                at += 8
            elif kind == OCTETS:
                length, = struct.unpack_from(self.order + "I", self.payload, at)
                at += 4 + length + -length % 4
            found.append((kind, ((1, 3, 6, 1, prefix) if prefix else ()) + arcs, value))
        return found


class Closed(Exception):
    """The subagent has ended the connection."""


class Link:
    """One connection of a subagent."""

    def __init__(self, connection, timeout=5):
        connection.settimeout(timeout)
        self._socket = connection

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._socket.close()

    def send(self, data):
        self._socket.sendall(data)

    def send_while_it_takes(self, data, seconds):
        """As much of it as the subagent reads until it has read nothing for so long."""
        self._socket.settimeout(seconds)
        try:
            self._socket.sendall(data)
        except (TimeoutError, BrokenPipeError, ConnectionResetError):
            pass

    def count_responses(self, seconds):
        """Reads until there is nothing for so long."""
        count, before = 0, self._socket.gettimeout()
        self._socket.settimeout(seconds)
        try:
            while True:
                count += self.read().kind == RESPONSE
        except TimeoutError:
            return count
        finally:
            self._socket.settimeout(before)

    def read(self):
        """The next PDU."""
        head = self._exactly(HEADER_SIZE)
        order = ">" if head[2] & NETWORK_ORDER else "<"
        session, transaction, packet, length = struct.unpack_from(order + "4I", head, 4)
        return Pdu(head[1], session, transaction, packet, self._exactly(length), order)

    def read_until(self, kind):
        while (got := self.read()).kind != kind:
            self.answer(got)
        return got

    def answer(self, request, error=0, **fields):
        """A response to it: uptime, error, no index."""
        self.send(pdu(RESPONSE, struct.pack(">IHH", 100, error, 0),
                      **{"transaction": request.transaction, "packet": request.packet, **fields}))

    def open(self):
        """Until all of the subagent is registered and it waits for requests."""
        for kind in (OPEN, REGISTER, ADD_CAPS):
            self.answer(self.read_until(kind))

    def ask(self, kind, payload, **fields):
        """A request and its response; what else comes meanwhile is answered."""
        self.send(pdu(kind, payload, **fields))
        return self.read_until(RESPONSE)

    def get(self, arcs):
        """(kind, arcs, value) of one object."""
        return self.ask(GET, oid(arcs) + oid(()), packet=99).varbinds()[0]

    def _exactly(self, size):
        data = b""
        while len(data) < size:
            try:
                more = self._socket.recv(size - len(data))
            except ConnectionResetError:
                more = b""
            if not more:
                raise Closed
            data += more
        return data


class Master:
    """Listens where snmpd would."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(str(path))
        self._socket.listen(4)
        self._socket.settimeout(5)
        self.agentx = f"unix:{path}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def accept(self):
        return Link(self._socket.accept()[0])
