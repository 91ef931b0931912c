"""Where one case is played: connections of the daemon's host, with its peer's kernel or a ghost.

Every socket that is left at the end vanishes, as in a crash: neither host tells
the other, so that only the case itself makes resets.
"""

import socket
import struct
from contextlib import ExitStack
from functools import cached_property

from lab.ghost import SECONDS, Ghost
from lab.segments import ACK
from lab.wait import wait_until

_TCP_REPAIR = 19
_UNACKNOWLEDGED = 24  # offset of tcpi_unacked in struct tcp_info
_VERSIONS = {"IPv4": socket.AF_INET, "IPv6": socket.AF_INET6}
_BACKLOG = 1000


class Loopback:
    """A host that is its own peer: both ends of a stage."""

    def __init__(self, namespace):
        self.namespace = namespace

    def address(self, family):
        return {"IPv4": "127.0.0.1", "IPv6": "::1"}[family]


class Stage:
    def __init__(self, here, there, family, count):
        self.here, self.there = here, there
        self.family, self.count = family, count
        self._stack = ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        return self._stack.__exit__(*exception)

    def on_loopback(self):
        """The same with the daemon's host at both ends."""
        end = Loopback(self.here.namespace)
        return self.during(Stage(end, end, self.family, self.count))

    def during(self, manager):
        """Enters it for as long as the stage is there."""
        return self._stack.enter_context(manager)

    @cached_property
    def ghost(self):
        return self.during(Ghost(self.here, self.there, self.family))

    def socket(self, end, kind=socket.SOCK_STREAM, protocol=0):
        opened = self._open(end, kind, protocol)
        self._stack.callback(vanish if kind == socket.SOCK_STREAM else socket.socket.close, opened)
        return opened

    def listener(self, end, backlog=_BACKLOG, protocol=0):
        """On a port of the kernel's choice. Its end resets what it has not accepted."""
        listener = self._open(end, socket.SOCK_STREAM, protocol)
        listener.bind((end.address(self.family), 0))
        listener.listen(backlog)
        return self.during(listener)

    def connections(self, source, target):
        """[(socket of the source, socket of the target)], established."""
        listener = self.listener(target)
        return [(self._connected(source, listener), self.accepted(listener))
                for _ in range(self.count)]

    def unaccepted(self, source, target):
        """(listener of the target, [connection of the source])."""
        listener = self.listener(target)
        connections = [self._connected(source, listener) for _ in range(self.count)]
        # Else the last handshake may be unfinished. Of a listener this is its queue's length.
        wait_until(lambda: _unacknowledged(listener) == self.count, SECONDS,
                   lambda: f"{self.count} connections to accept; {_unacknowledged(listener)}")
        return listener, connections

    def connections_of_ghost(self, listener=None, *, count=None, options=b""):
        """[(socket of the daemon's host, the ghost's end)], established by the ghost."""
        listener = listener or self.listener(self.here)
        remotes = self.ghost.half_open(port_of(listener), count or self.count, options)
        for remote in remotes:
            remote.send(ACK)
        accepted = {peer_port_of(each): each
                    for each in (self.accepted(listener) for _ in remotes)}
        return [(accepted[remote.own_port], remote) for remote in remotes]

    def calls_to_ghost(self):
        """[(socket of the daemon's host, the ghost's end)]; the socket is in SYN_SENT."""
        own_port = self.ghost.any_port()
        callers = [self.socket(self.here) for _ in range(self.count)]
        for caller in callers:
            caller.setblocking(False)
            caller.connect_ex((self.ghost.address(self.family), own_port))
        return list(zip(callers, self.ghost.called(map(port_of, callers), own_port)))

    def accepted(self, listener):
        connection, _ = listener.accept()
        connection.settimeout(SECONDS)
        self._stack.callback(vanish, connection)
        return connection

    def _open(self, end, kind, protocol):
        with end.namespace.inside():
            opened = socket.socket(_VERSIONS[self.family], kind, protocol)
        opened.settimeout(SECONDS)
        return opened

    def _connected(self, source, listener):
        connection = self.socket(source)
        connection.connect(listener.getsockname())
        return connection


def port_of(opened):
    return opened.getsockname()[1]


def peer_port_of(opened):
    return opened.getpeername()[1]


def wait_until_acknowledged(connection):
    """All that it sent: no acknowledgement is on its way, which would come to no connection."""
    wait_until(lambda: _unacknowledged(connection) == 0, SECONDS, "an acknowledgement of all")


def _unacknowledged(opened):
    """Segments."""
    info = opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _UNACKNOWLEDGED + 4)
    return struct.unpack_from("=I", info, _UNACKNOWLEDGED)[0]


def vanish(connection):
    """Its end, which no segment tells of; nothing if it is closed."""
    if connection.fileno() >= 0:
        connection.setsockopt(socket.IPPROTO_TCP, _TCP_REPAIR, 1)
        connection.close()
