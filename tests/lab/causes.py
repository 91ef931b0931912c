"""Every way to make a reset that the daemon's host sends or receives, each with its cause.

A case is a function of a stage. It makes stage.count resets of the one kind, on
the daemon's host, `here`, and no other reset unless it says so.
"""

import ctypes
import errno
import socket
import struct
from contextlib import contextmanager
from pathlib import Path

from lab import cleanup
from lab.firewall import rules
from lab.segments import ACK, FIN, RST, SYN, Packets
from lab.stage import peer_port_of, port_of, vanish, wait_until_acknowledged
from lab.wait import let_pass

CLOSED_PORT = 9
DATA = b"data"

_MPTCP = 262
_LONG_FIN_WAIT = 120  # s: over 60, FIN_WAIT2 keeps a whole socket
_AT_ONCE = struct.pack("ii", 1, 0)  # struct linger: on, 0 s
_SACK_PERMITTED = bytes([4, 2, 1, 1])
_libc = ctypes.CDLL(None, use_errno=True)


class CannotMake(Exception):
    """Why this kernel cannot do it."""


# Sent: segments for no connection


def segment_to_a_closed_port(stage, flags, payload=b""):
    stage.ghost.send_from_many_ports(stage.count, port=CLOSED_PORT, flags=flags, payload=payload)


def segment_for_a_lost_connection(stage, flags, payload=b"", listening=False):
    """The peer still has it after a crash; `listening`: and the server is there again."""
    listener = stage.listener(stage.here)
    pairs = stage.connections_of_ghost(listener)
    if not listening:
        listener.close()
    for ours, remote in pairs:
        vanish(ours)
        remote.send(flags, payload=payload)


def handshake_with_a_listener_that_closed(stage):
    listener = stage.listener(stage.here)
    remotes = stage.ghost.half_open(port_of(listener), stage.count)
    listener.close()
    for remote in remotes:
        remote.send(ACK)


def ack_to_a_listener(stage):
    listener = stage.listener(stage.here)
    stage.ghost.send_from_many_ports(stage.count, port=port_of(listener), flags=ACK)


def bad_ack_in_a_handshake(stage):
    for remote in half_open(stage):
        remote.send(ACK, beyond=1000)


def syn_ack_in_a_handshake(stage):
    for remote in half_open(stage):
        remote.send(SYN | ACK)


def bad_ack_to_a_call(stage):
    """The peer still has a connection with the ports of one that the host asks for."""
    for _, remote in stage.calls_to_ghost():
        remote.send(ACK, beyond=1000)


def bad_syn_ack_to_a_call(stage):
    for _, remote in stage.calls_to_ghost():
        remote.send(SYN | ACK, beyond=1000)


def old_time_stamp_to_a_call(stage):
    """The echoed time stamp is none that was sent."""
    for _, remote in stage.calls_to_ghost():
        remote.send(SYN | ACK, options=struct.pack("!BBBBII", 1, 1, 8, 10, 1, 1))


def bad_ack_in_a_simultaneous_open(stage):
    for _, remote in stage.calls_to_ghost():
        remote.send(SYN)
        remote.send(ACK, ahead=1, beyond=1000)


def half_open(stage):
    """Remotes of connections that the host has in SYN_RECV."""
    return stage.ghost.half_open(port_of(stage.listener(stage.here)), stage.count)


# Sent: aborted


def linger(stage):
    """SO_LINGER 0."""
    for ours, _ in stage.connections(stage.here, stage.there):
        abort(ours)


def disconnect(stage):
    """connect() with AF_UNSPEC."""
    for ours, _ in stage.connections(stage.here, stage.there):
        _disconnect(ours)


def disconnect_with_unsent_data(stage):
    """In LAST_ACK, where the FIN waits behind what does not fit the peer's window."""
    for ours, remote in stage.connections_of_ghost():
        remote.send(FIN | ACK)
        assert ours.recv(1) == b""
        ours.sendall(bytes(10_000))
        ours.shutdown(socket.SHUT_WR)
        _disconnect(ours)


def kill(stage):
    """ss -K."""
    port = peer_port_of(stage.connections(stage.here, stage.there)[0][0])
    stage.here.namespace.run(["ss", "-K", "-tn", f"dport = {port}"])
    if stage.here.namespace.run(["ss", "-Htn", f"dport = {port}"]):
        raise CannotMake("this kernel has no INET_DIAG_DESTROY")


def close_a_listener_with_unaccepted_connections(stage):
    listener, _ = stage.unaccepted(stage.there, stage.here)
    listener.close()


def close_with_unread_data(stage):
    for ours, theirs in stage.connections(stage.here, stage.there):
        theirs.sendall(DATA)
        ours.recv(1, socket.MSG_PEEK)
        wait_until_acknowledged(theirs)
        ours.close()


def data_after_close(stage):
    """The socket is one of TIME_WAIT already, with FIN_WAIT2 for its state."""
    pairs = stage.connections_of_ghost()
    for ours, remote in pairs:
        ours.close()
        acknowledge_fin(remote)
    for _, remote in pairs:
        remote.send(ACK, payload=DATA)


def data_after_close_to_a_whole_socket(stage):
    pairs = stage.connections_of_ghost()
    for ours, remote in pairs:
        ours.setsockopt(socket.IPPROTO_TCP, socket.TCP_LINGER2, _LONG_FIN_WAIT)
        ours.close()
        acknowledge_fin(remote)
    for _, remote in pairs:
        remote.send(ACK, payload=DATA)


def data_that_crosses_the_close(stage):
    """In FIN_WAIT1."""
    for ours, remote in stage.connections_of_ghost():
        ours.close()
        remote.send(ACK, payload=DATA)


def no_wait_after_close(stage):
    """TCP_LINGER2 below 0: an end as soon as the FIN is acknowledged."""
    for ours, remote in stage.connections_of_ghost():
        ours.setsockopt(socket.IPPROTO_TCP, socket.TCP_LINGER2, -1)
        ours.close()
        acknowledge_fin(remote)


def no_wait_after_shutdown(stage):
    """The same when the FIN was acknowledged before the close."""
    for ours, remote in stage.connections_of_ghost():
        ours.setsockopt(socket.IPPROTO_TCP, socket.TCP_LINGER2, -1)
        ours.shutdown(socket.SHUT_WR)
        acknowledge_fin(remote)
        ours.close()


def abort(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    connection.close()


def acknowledge_fin(remote):
    """It need not have come: the ghost knows what follows."""
    remote.expected += 1
    remote.send(ACK)


def _disconnect(connection):
    unspecified = struct.pack("H14x", socket.AF_UNSPEC)
    if _libc.connect(connection.fileno(), unspecified, len(unspecified)) != 0:
        raise OSError(ctypes.get_errno(), "connect() with AF_UNSPEC")


# Sent: other reasons


def keepalive_timeout(stage):
    """All at once: 1 s to the first probe, 1 s for its answer, which a ghost does not give."""
    for ours, _ in stage.connections_of_ghost():
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT):
            ours.setsockopt(socket.IPPROTO_TCP, option, 1)


def bad_syn_cookie(stage):
    """An ACK to a listener that overflowed a moment ago."""
    stage.during(stage.here.namespace.setting("net.ipv4.tcp_syncookies", 1))
    listener = stage.listener(stage.here, backlog=1)
    stage.ghost.half_open(port_of(listener), 10)  # the first of them fill the queue
    stage.ghost.send_from_many_ports(stage.count, port=port_of(listener), flags=ACK)


def accept_queue_full(stage):
    """With tcp_abort_on_overflow. The queue is cut down when all handshakes have begun."""
    stage.during(stage.here.namespace.setting("net.ipv4.tcp_abort_on_overflow", 1))
    listener = stage.listener(stage.here)
    remotes = stage.ghost.half_open(port_of(listener), stage.count + 1)
    listener.listen(0)  # room for one
    for remote in remotes:
        remote.send(ACK)
    stage.accepted(listener)


def too_many_orphans(stage):
    """Closed connections whose FIN is not acknowledged, over the limit of the whole host.

    The limit is lowered for the few ms of the closes, so that hardly anything
    else on the host can be closed meanwhile. It is compared with a number that
    the kernel brings up to date every 100 ms: the first orphan comes before.
    """
    limit = Path("/proc/sys/net/ipv4/tcp_max_orphans")
    if not limit.exists():
        raise CannotMake("the limit of orphans is not to be set in this namespace")
    [(first, remote)] = stage.connections_of_ghost(count=1)
    first.setsockopt(socket.IPPROTO_TCP, socket.TCP_LINGER2, _LONG_FIN_WAIT)
    first.close()
    acknowledge_fin(remote)
    pairs = stage.connections_of_ghost()
    let_pass(0.25)
    with _lowered(limit):
        for ours, _ in pairs:
            ours.close()


@contextmanager
def _lowered(limit):
    before = limit.read_text()
    cleanup.register(limit, lambda: limit.write_text(before))
    try:
        limit.write_text("0")
        yield
    finally:
        limit.write_text(before)
        cleanup.forget(limit)


def rejected(stage):
    """By a firewall's rule."""
    stage.during(rules(stage.here.namespace, "chain in { type filter hook input priority 0; "
                       f"tcp dport {CLOSED_PORT} reject with tcp reset; }}"))
    stage.ghost.send_from_many_ports(stage.count, port=CLOSED_PORT, flags=SYN)


def raw_socket(stage, flags=RST):
    raw = stage.socket(stage.here, socket.SOCK_RAW, socket.IPPROTO_TCP)
    segment = Packets(stage.family, stage.here, stage.there).segment(flags=flags, port=CLOSED_PORT)
    for _ in range(stage.count):
        raw.sendto(segment, (stage.there.address(stage.family), 0))


def join_of_an_unknown_connection(stage):
    """A SYN of MPTCP (MP_JOIN) with a token that stands for no connection of the host."""
    try:
        listener = stage.listener(stage.here, protocol=_MPTCP)
    except OSError as error:
        raise CannotMake(f"no MPTCP: {error.strerror}") from None
    join = struct.pack("!BBBBII", 30, 12, 0x10, 1, 1, 1)
    stage.ghost.send_from_many_ports(stage.count, port=port_of(listener), flags=SYN, options=join)


def bad_segments_in_time_wait(stage):
    """Of every kind; none is answered by a reset."""
    for remote in in_time_wait(stage):
        remote.send(ACK, payload=DATA)
        remote.send(FIN | ACK, payload=DATA)
        remote.send(ACK, ahead=-10_000, beyond=1000)
        remote.send(ACK, ahead=2**30)
        remote.send(SYN | ACK, ahead=-1)
        remote.send(SYN, ahead=-10_000)
        remote.send(SYN, ahead=10_000)  # of a new connection, but nobody listens


# Received


def refused(stage):
    """Connections to a closed port of the peer."""
    for _ in range(stage.count):
        caller = stage.socket(stage.here)
        assert caller.connect_ex((stage.there.address(stage.family), CLOSED_PORT)) \
            == errno.ECONNREFUSED


def aborted_by_peer(stage):
    for _, theirs in stage.connections(stage.here, stage.there):
        abort(theirs)


def aborted_in_close_wait(stage):
    for ours, theirs in stage.connections(stage.here, stage.there):
        theirs.shutdown(socket.SHUT_WR)
        assert ours.recv(1) == b""
        wait_until_acknowledged(theirs)
        abort(theirs)


def aborted_in_fin_wait_1(stage):
    for ours, remote in stage.connections_of_ghost():
        ours.shutdown(socket.SHUT_WR)
        remote.send(RST)


def aborted_in_fin_wait_1_after_close(stage):
    for ours, remote in stage.connections_of_ghost():
        ours.close()
        remote.send(RST)


def aborted_in_fin_wait_2(stage):
    for ours, theirs in stage.connections(stage.here, stage.there):
        ours.shutdown(socket.SHUT_WR)
        assert theirs.recv(1) == b""
        theirs.sendall(DATA)  # and with it, the acknowledgement of the FIN
        ours.recv(1)
        wait_until_acknowledged(theirs)
        abort(theirs)


def aborted_in_fin_wait_2_after_close(stage):
    """The socket is one of TIME_WAIT already, with FIN_WAIT2 for its state."""
    for ours, remote in stage.connections_of_ghost():
        ours.close()
        acknowledge_fin(remote)
        remote.send(RST)


def aborted_in_closing(stage):
    for ours, remote in stage.connections_of_ghost():
        ours.shutdown(socket.SHUT_WR)
        remote.send(FIN | ACK)
        remote.send(RST, ahead=1)


def aborted_in_last_ack(stage):
    for ours, remote in stage.connections_of_ghost():
        remote.send(FIN | ACK)
        assert ours.recv(1) == b""
        ours.close()
        remote.send(RST, ahead=1)


def aborted_as_if_before_its_fin(stage):
    """The reset has the sequence number of the FIN, and is taken: some systems send that."""
    for _, remote in stage.connections_of_ghost():
        remote.send(FIN | ACK)
        remote.send(RST)


def aborted_behind_a_gap(stage):
    """The reset follows data that were acknowledged selectively, and is taken (RFC 5961, 3.2)."""
    for _, remote in stage.connections_of_ghost(options=_SACK_PERMITTED):
        remote.send(ACK, ahead=100, payload=DATA)
        remote.send(RST, ahead=100 + len(DATA))


def blind_in_window(stage):
    for _, remote in stage.connections_of_ghost():
        remote.send(RST, ahead=1)


def blind_out_of_window(stage):
    for _, remote in stage.connections_of_ghost():
        remote.send(RST, ahead=2**30)


def blind_without_ack_to_a_call(stage):
    for _, remote in stage.calls_to_ghost():
        remote.send(RST)


def blind_with_bad_ack_to_a_call(stage):
    for _, remote in stage.calls_to_ghost():
        remote.send(RST | ACK, beyond=1000)


def refused_by_ghost(stage):
    for _, remote in stage.calls_to_ghost():
        remote.send(RST | ACK)


def reset_in_time_wait(stage):
    for remote in in_time_wait(stage):
        remote.send(RST)


def reset_in_a_handshake(stage):
    for remote in half_open(stage):
        remote.send(RST)


def reset_in_a_simultaneous_open(stage):
    for _, remote in stage.calls_to_ghost():
        remote.send(SYN)
        remote.send(RST, ahead=1)


def blind_in_a_handshake(stage, ahead):
    remotes = half_open(stage)
    for remote in remotes:
        remote.send(RST, ahead=ahead)
    port = remotes[0].port
    left = stage.here.namespace.run(["ss", "-Htn", "state", "syn-recv", f"sport = {port}"])
    if left.count("\n") != stage.count:
        raise CannotMake("this kernel takes any reset in the window of a handshake")


def reset_to_a_closed_port(stage):
    stage.ghost.send_from_many_ports(stage.count, port=CLOSED_PORT, flags=RST)


def reset_to_a_listener(stage):
    port = port_of(stage.listener(stage.here))
    stage.ghost.send_from_many_ports(stage.count, port=port, flags=RST)


def reset_for_our_stray_segment(stage):
    """From a raw socket, of which TCP knows nothing: no reset answers the reset."""
    raw_socket(stage, flags=ACK)


def reset_for_a_syn_cookie(stage):
    """For a handshake that is kept in its cookie only."""
    stage.during(stage.here.namespace.setting("net.ipv4.tcp_syncookies", 2))
    for remote in half_open(stage):
        remote.send(RST)


def in_time_wait(stage):
    """Remotes of connections that the host closed first; both FINs are acknowledged."""
    listener = stage.listener(stage.here)
    pairs = stage.connections_of_ghost(listener)
    listener.close()
    for ours, remote in pairs:
        ours.close()
        remote.expected += 1
        remote.send(FIN | ACK)
        remote.sequence += 1
    return [remote for _, remote in pairs]
