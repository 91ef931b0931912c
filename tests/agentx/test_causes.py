"""Every reset is counted under its cause, and under no other.

Each case of lab.causes makes COUNT resets of one kind. The counters by cause must
grow by these alone, their sums must be the totals of the same answer, and a chain
of nft's own counters must have seen as many.

No case has the row sent.timeWait: Linux answers nothing that comes to a socket in
TIME_WAIT by a reset, as test_time_wait_answers_by_no_reset sees.
"""

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

import pytest

from lab import causes, definitions, segments
from lab.causes import CLOSED_PORT, DATA
from lab.observer import observing
from lab.order import one_cpu
from lab.rows import DIRECTIONS, Reading, by_direction, growth
from lab.segments import ACK, FIN, SYN, Packets
from lab.stage import Stage, port_of
from lab.station import Station
from lab.wait import wait_until

COUNT = 100
FLOOD = 100_000  # from each of two processes
FAMILIES = ["IPv4", "IPv6"]


def received(cause, count=COUNT):
    return Counter({("received", cause): count})


def sent(cause, count=COUNT):
    return Counter({("sent", cause): count})


def both(cause):
    return received(cause) + sent(cause)


# {case: (what makes it, the resets that it makes by direction and cause)}

SENT = {
    "SYN to a closed port": (
        partial(causes.segment_to_a_closed_port, flags=SYN), "noListener"),
    "ACK to a closed port": (
        partial(causes.segment_to_a_closed_port, flags=ACK), "halfOpen"),
    "data to a closed port": (
        partial(causes.segment_to_a_closed_port, flags=ACK, payload=DATA), "halfOpen"),
    "FIN to a closed port": (
        partial(causes.segment_to_a_closed_port, flags=FIN | ACK), "halfOpen"),
    "SYN-ACK to a closed port": (
        partial(causes.segment_to_a_closed_port, flags=SYN | ACK), "halfOpen"),
    "ACK for a lost connection": (
        partial(causes.segment_for_a_lost_connection, flags=ACK), "halfOpen"),
    "data for a lost connection": (
        partial(causes.segment_for_a_lost_connection, flags=ACK, payload=DATA), "halfOpen"),
    "data for a lost connection of a listener": (
        partial(causes.segment_for_a_lost_connection, flags=ACK, payload=DATA, listening=True),
        "halfOpen"),
    "handshake with a listener that closed": (
        causes.handshake_with_a_listener_that_closed, "halfOpen"),
    "ACK to a listener": (causes.ack_to_a_listener, "halfOpen"),
    "bad ACK in a handshake": (causes.bad_ack_in_a_handshake, "halfOpen"),
    "SYN-ACK in a handshake": (causes.syn_ack_in_a_handshake, "halfOpen"),
    "bad ACK to a call": (causes.bad_ack_to_a_call, "halfOpen"),
    "bad SYN-ACK to a call": (causes.bad_syn_ack_to_a_call, "halfOpen"),
    "old time stamp to a call": (causes.old_time_stamp_to_a_call, "halfOpen"),
    "bad ACK in a simultaneous open": (causes.bad_ack_in_a_simultaneous_open, "halfOpen"),
    "join of an unknown connection": (causes.join_of_an_unknown_connection, "halfOpen"),
    "keepalive timeout": (causes.keepalive_timeout, "halfOpen"),
    "linger": (causes.linger, "aborted"),
    "disconnect": (causes.disconnect, "aborted"),
    "disconnect with unsent data": (causes.disconnect_with_unsent_data, "aborted"),
    "kill": (causes.kill, "aborted"),
    "close a listener with unaccepted connections": (
        causes.close_a_listener_with_unaccepted_connections, "aborted"),
    "close with unread data": (causes.close_with_unread_data, "aborted"),
    "data after close": (causes.data_after_close, "aborted"),
    "data after close to a whole socket": (causes.data_after_close_to_a_whole_socket, "aborted"),
    "data that crosses the close": (causes.data_that_crosses_the_close, "aborted"),
    "no wait after close": (causes.no_wait_after_close, "aborted"),
    "no wait after shutdown": (causes.no_wait_after_shutdown, "aborted"),
    "bad SYN cookie": (causes.bad_syn_cookie, "queueFull"),
    "accept queue full": (causes.accept_queue_full, "queueFull"),
    "too many orphans": (causes.too_many_orphans, "memory"),
    "rejected": (causes.rejected, "firewall"),
    "raw socket": (causes.raw_socket, "firewall"),
}
RECEIVED = {
    "refused": (causes.refused, "noListener"),
    "refused, by hand": (causes.refused_by_ghost, "noListener"),
    "aborted by peer": (causes.aborted_by_peer, "aborted"),
    "aborted in CLOSE_WAIT": (causes.aborted_in_close_wait, "aborted"),
    "aborted in FIN_WAIT1": (causes.aborted_in_fin_wait_1, "aborted"),
    "aborted in FIN_WAIT1 after close": (causes.aborted_in_fin_wait_1_after_close, "aborted"),
    "aborted in FIN_WAIT2": (causes.aborted_in_fin_wait_2, "aborted"),
    "aborted in FIN_WAIT2 after close": (causes.aborted_in_fin_wait_2_after_close, "aborted"),
    "aborted in CLOSING": (causes.aborted_in_closing, "aborted"),
    "aborted in LAST_ACK": (causes.aborted_in_last_ack, "aborted"),
    "aborted as if before its FIN": (causes.aborted_as_if_before_its_fin, "aborted"),
    "aborted behind a gap": (causes.aborted_behind_a_gap, "aborted"),
    "blind in window": (causes.blind_in_window, "blind"),
    "blind out of window": (causes.blind_out_of_window, "blind"),
    "blind without ACK to a call": (causes.blind_without_ack_to_a_call, "blind"),
    "blind with bad ACK to a call": (causes.blind_with_bad_ack_to_a_call, "blind"),
    "reset in TIME_WAIT": (causes.reset_in_time_wait, "timeWait"),
    "reset in a handshake": (causes.reset_in_a_handshake, "handshakeAborted"),
    "reset in a simultaneous open": (causes.reset_in_a_simultaneous_open, "handshakeAborted"),
    "blind in a handshake, in window": (partial(causes.blind_in_a_handshake, ahead=1), "blind"),
    "blind in a handshake, out of window": (
        partial(causes.blind_in_a_handshake, ahead=2**30), "blind"),
    "reset to a closed port": (causes.reset_to_a_closed_port, "unmatched"),
    "reset to a listener": (causes.reset_to_a_listener, "unmatched"),
    "reset for our stray segment": (causes.reset_for_our_stray_segment, "unmatched"),
    "reset for a SYN cookie": (causes.reset_for_a_syn_cookie, "unmatched"),
}
ON_LOOPBACK = {
    "refused": (causes.refused, "noListener"),
    "aborted": (causes.linger, "aborted"),
    "closed with unread data": (causes.close_with_unread_data, "aborted"),
    "closed before it was accepted": (
        causes.close_a_listener_with_unaccepted_connections, "aborted"),
}
# What comes in is told by the socket that early demultiplexing finds.
WITHOUT_EARLY_DEMUX = {
    "refused": causes.refused,
    "aborted by peer": causes.aborted_by_peer,
    "blind out of window": causes.blind_out_of_window,
    "reset to a closed port": causes.reset_to_a_closed_port,
}


def cases(table):
    return [pytest.param(*(case if isinstance(case, tuple) else [case]), id=name)
            for name, case in table.items()]


@dataclass
class Scene:
    here: object
    there: object
    station: Station
    observer: object

    def reading(self):
        return Reading.of(self.station.manager)

    def reading_of_all(self):
        """That of all resets which were made before."""
        self.station.daemon.wait_for_samples(2)
        return self.reading()

    def observed(self):
        counts = [self.observer.count(family) for family in FAMILIES]
        return Counter({direction: sum(getattr(count, direction) for count in counts)
                        for direction in DIRECTIONS})

    def wait_until_observed(self, before, expected):
        wait_until(lambda: growth(before, self.observed()) == expected, 10,
                   lambda: f"{expected}; observed {growth(before, self.observed())}")

    def play(self, case, family, expected):
        """The case makes these resets, and the end of its sockets makes no other."""
        observed, before = self.observed(), self.reading()
        made = {direction: count for direction, count in by_direction(expected).items() if count}
        try:
            with Stage(self.here, self.there, family, COUNT) as stage, one_cpu():
                case(stage)
                self.wait_until_observed(observed, made)
        except causes.CannotMake as reason:
            pytest.skip(str(reason))
        after = self.reading_of_all()
        assert growth(before.rows, after.rows) == expected
        assert growth(observed, self.observed()) == made
        after.check()


@pytest.fixture(scope="module")
def scene(directory, pair):
    here, there = pair
    with ExitStack() as stack:
        station = Station(directory, netns=here.namespace, source="bpf", notify_by=[])
        stack.enter_context(station).start()
        yield Scene(here, there, station, stack.enter_context(observing(here.namespace)))


@pytest.fixture(params=FAMILIES)
def family(request):
    return request.param


@pytest.mark.parametrize("case, cause", cases(SENT))
def test_sent(scene, family, case, cause):
    scene.play(case, family, sent(cause))


@pytest.mark.parametrize("case, cause", cases(RECEIVED))
def test_received(scene, family, case, cause):
    scene.play(case, family, received(cause))


@pytest.mark.parametrize("case, cause", cases(ON_LOOPBACK))
def test_on_loopback(scene, family, case, cause):
    scene.play(lambda stage: case(stage.on_loopback()), family, both(cause))


@pytest.mark.parametrize("case", cases(WITHOUT_EARLY_DEMUX))
def test_without_early_demux_what_comes_in_is_unexplained(scene, family, case):
    with scene.here.namespace.setting("net.ipv4.tcp_early_demux", 0):
        scene.play(case, family, received("unexplained"))


def test_time_wait_answers_by_no_reset(scene, family):
    scene.play(causes.bad_segments_in_time_wait, family, Counter())


def test_every_cause_has_a_case():
    """But sent.timeWait, which Linux has no way to make, and sent.unexplained."""
    played = {(direction, cause) for direction, table in (("sent", SENT), ("received", RECEIVED))
              for _, cause in table.values()} | {("received", "unexplained")}
    assert played == {(direction, cause.label) for cause in definitions.causes()
                      for direction in DIRECTIONS if getattr(cause, direction)} \
        - {("sent", "timeWait"), ("sent", "unexplained")}


# At full speed


def test_a_flood_of_mixed_causes(scene, family):
    """Two processes, one for each CPU; at every moment the rows make up the totals."""
    before, observed = scene.reading_of_all(), scene.observed()
    with Stage(scene.here, scene.there, family, 1) as stage:
        [(ours, remote)] = stage.connections_of_ghost()
        listener = stage.listener(scene.here)
        peer = Packets(family, scene.there, scene.here)
        blind = Packets(family, stage.ghost, scene.here).tcp(
            port=remote.port, source_port=remote.own_port, sequence=remote.sequence + 2**30)
        refused = peer.tcp(port=CLOSED_PORT, flags=SYN)
        stray = peer.tcp(port=port_of(listener), flags=ACK)
        mixes = [[peer.tcp(port=CLOSED_PORT), blind], [refused, stray]]
        senders = [segments.start("link", mix, scene.there, scene.here, FLOOD // len(mix))
                   for mix in mixes]
        polls = [before]
        while any(sender.running for sender in senders):
            polls.append(scene.reading())
        for sender in senders:
            assert sender.wait_end(60) == 0, sender.log
        expected = received("unmatched", FLOOD // 2) + received("blind", FLOOD // 2) \
            + sent("noListener", FLOOD // 2) + sent("halfOpen", FLOOD // 2)
        scene.wait_until_observed(observed, dict(by_direction(expected)))
        polls.append(scene.reading_of_all())
        assert ours.getpeername()  # the connection has outlived what was aimed at it
    for poll, following in zip(polls, polls[1:]):
        following.check()
        assert all(change > 0 for change in growth(poll.rows, following.rows).values())
    assert growth(before.rows, polls[-1].rows) == expected
