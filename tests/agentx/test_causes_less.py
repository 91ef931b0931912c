"""What is known of the causes where the kernel gives no reasons, or nothing but counters.

Kernels before 6.10 are imitated: the source bpf takes no notice of the reasons.
There the rows still make up the totals. Derived rows are those that the kernel's
own counters can give, and stand up to a second behind.
"""

from contextlib import ExitStack
from functools import partial

import pytest

from lab import causes
from lab.order import one_cpu
from lab.rows import Reading, growth
from lab.segments import ACK, SYN
from lab.stage import Stage
from lab.station import Station
from lab.wait import wait_until

COUNT = 100
DERIVED = 2  # tcpResetCauseMethod
DERIVED_ROWS = {"procfs": {("received", "noListener"), ("received", "aborted"),
                           ("received", "handshakeAborted"), ("sent", "aborted"),
                           ("sent", "memory"), ("sent", "unexplained")}}
DERIVED_ROWS["nftables"] = DERIVED_ROWS["procfs"] | {("received", "unexplained")}

NO_REASONS = "bpf:no-reasons"
SOURCES = [NO_REASONS, *DERIVED_ROWS]

# {case: (what makes it, direction, cause without reasons, derived cause)}; None: the kernel
# counts nothing. Where the source counts these, too, they are the rest, unexplained.
CASES = {
    "SYN to a closed port": (
        partial(causes.segment_to_a_closed_port, flags=SYN), "sent", "noListener", "unexplained"),
    "ACK to a closed port": (
        partial(causes.segment_to_a_closed_port, flags=ACK), "sent", "unexplained", "unexplained"),
    "ACK to a listener": (causes.ack_to_a_listener, "sent", "unexplained", "unexplained"),
    "bad ACK to a call": (causes.bad_ack_to_a_call, "sent", "halfOpen", "unexplained"),
    "linger": (causes.linger, "sent", "aborted", "aborted"),
    "close with unread data": (causes.close_with_unread_data, "sent", "aborted", "aborted"),
    "no wait after shutdown": (causes.no_wait_after_shutdown, "sent", "unexplained", "aborted"),
    "too many orphans": (causes.too_many_orphans, "sent", "unexplained", "memory"),
    "rejected": (causes.rejected, "sent", "firewall", None),
    "refused": (causes.refused, "received", "noListener", "noListener"),
    "aborted by peer": (causes.aborted_by_peer, "received", "aborted", "aborted"),
    "reset in a handshake": (
        causes.reset_in_a_handshake, "received", "handshakeAborted", "handshakeAborted"),
    "reset to a closed port": (causes.reset_to_a_closed_port, "received", "unmatched", None),
}


@pytest.fixture(scope="module")
def stations(directory, pair):
    here, _ = pair
    with ExitStack() as stack:
        stations = {}
        for source in SOURCES:
            path = directory / source
            path.mkdir()
            station = Station(path, netns=here.namespace, source=source, notify_by=[])
            stations[source] = stack.enter_context(station).start()
        yield stations


@pytest.mark.parametrize("case, direction, measured, derived",
                         [pytest.param(*case, id=name) for name, case in CASES.items()])
def test_each_source_tells_what_it_can(stations, pair, case, direction, measured, derived):
    causes_told = {NO_REASONS: measured, "nftables": derived or "unexplained", "procfs": derived}
    expected = {source: {(direction, cause): COUNT} if cause else {}
                for source, cause in causes_told.items()}
    before = readings(stations)

    def grown():
        now = readings(stations)
        return {source: growth(before[source].rows, now[source].rows) for source in now}

    with Stage(*pair, "IPv4", COUNT) as stage, one_cpu():
        try:
            case(stage)
        except causes.CannotMake as reason:
            pytest.skip(str(reason))
        wait_until(lambda: grown() == expected, 8, lambda: f"{expected}; grown {grown()}")
    for station in stations.values():
        station.daemon.wait_for_samples(2)
    assert grown() == expected


def readings(stations):
    return {source: Reading.of(station.manager) for source, station in stations.items()}


def test_rows_without_reasons_make_up_the_totals(stations):
    reading = Reading.of(stations[NO_REASONS].manager)
    reading.check()
    assert sum(reading.rows.values()) > 0


@pytest.mark.parametrize("source", DERIVED_ROWS)
def test_derived_rows_are_those_of_counters_and_say_so(stations, source):
    assert set(Reading.of(stations[source].manager).rows) == DERIVED_ROWS[source]
    methods = stations[source].manager.walk("tcpResetCauseMethod")
    assert {method for _, _, method in methods} == {DERIVED}
