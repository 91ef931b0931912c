"""Real resets between two namespaces are counted, each one once, by every source."""

from contextlib import ExitStack

import pytest

from lab.aborts import abort
from lab.observer import observing
from lab.resets import ResetGenerator
from lab.snmp import Missing
from lab.station import Station
from lab.wait import wait_until

CONNECTIONS = 700
ABORTS = 100
RESETS_BEFORE = 5  # the daemon starts
SOURCES = ["bpf", "nftables", "procfs"]
RECEIVED_AND_SENT = ("tcpResetReceived.0", "tcpResetSent.0")


@pytest.fixture(scope="module")
def stations(directory, pair):
    """By source, all at once: none is in another's way."""
    here, there = pair
    ResetGenerator(here, there, count=RESETS_BEFORE).finish(timeout=10)
    with ExitStack() as stack:
        stations = {}
        for source in SOURCES:
            (directory / source).mkdir()
            station = Station(directory / source, netns=here.namespace, source=source,
                              notify_by=[])
            stations[source] = stack.enter_context(station).start()
        yield stations


@pytest.fixture(params=SOURCES)
def station(stations, request):
    return stations[request.param]


@pytest.fixture(scope="module")
def observer(pair):
    here, _ = pair
    with observing(here.namespace) as observer:
        yield observer


def counts(station):
    """After the next two samples, so that all that has happened is in them."""
    station.daemon.wait_for_samples(2)
    return station.manager.values(*RECEIVED_AND_SENT)


def test_resets_before_the_start_are_not_counted(station):
    assert counts(station) == [0, 0]


def growth(before, after):
    return [new - old for old, new in zip(before, after)]


@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
def test_700_connections_to_a_closed_port_are_700_resets(station, observer, pair, family):
    here, there = pair
    before, observed_before = counts(station), observer.count(family)

    refused_here = ResetGenerator(here, there, count=CONNECTIONS, family=family)
    refused_there = ResetGenerator(there, here, count=CONNECTIONS, family=family)
    refused_here.finish(timeout=20)
    refused_there.finish(timeout=20)

    assert growth(before, counts(station)) == [CONNECTIONS, CONNECTIONS]
    observed = observer.count(family)
    assert observed.received - observed_before.received == CONNECTIONS
    assert observed.sent - observed_before.sent == CONNECTIONS


def test_aborts_by_the_peer_are_received(station, observer, pair):
    here, there = pair
    before, observed_before = counts(station), observer.count("IPv4")

    abort(there, here, ABORTS)

    assert growth(before, counts(station)) == [ABORTS, 0]
    assert observer.count("IPv4").received - observed_before.received == ABORTS


def test_own_aborts_are_sent_and_not_received(station, observer, pair):
    here, there = pair
    before, observed_before = counts(station), observer.count("IPv4")

    abort(here, there, ABORTS)

    assert growth(before, counts(station)) == [0, ABORTS]
    assert observer.count("IPv4").sent - observed_before.sent == ABORTS


@pytest.mark.parametrize("name", ["tcpResetReceivedIpv4", "tcpResetReceivedIpv6",
                                  "tcpResetSentIpv4", "tcpResetSentIpv6"])
def test_what_procfs_cannot_know_has_no_instance(stations, name):
    assert stations["procfs"].manager.get(f"{name}.0") is Missing.noSuchInstance


def test_the_kernels_own_counters_are_answered(station, pair):
    here, _ = pair
    text = here.namespace.run(["cat", "/proc/net/snmp"]).splitlines()
    names, values = (line.split() for line in text if line.startswith("Tcp:"))
    kernel = dict(zip(names, values))
    expected = [int(kernel["AttemptFails"]), int(kernel["EstabResets"])]
    # Beside an exact count they are read once a second.
    wait_until(lambda: expected == station.manager.values("tcpResetAttemptFails.0",
                                                          "tcpResetEstabResets.0"), 3,
               lambda: f"AttemptFails and EstabResets of {expected}")


def test_resets_of_another_namespace_are_not_counted(station, pair):
    _, there = pair
    before = counts(station)
    ResetGenerator(there, there, count=50).finish(timeout=10)
    assert growth(before, counts(station)) == [0, 0]


def test_the_state_of_syn_cookies_follows_the_kernel(station, pair):
    here, _ = pair
    for setting, state in (0, 1), (2, 3), (1, 2):
        here.namespace.sysctl("net.ipv4.tcp_syncookies", setting)
        wait_until(lambda: station.manager.get("tcpResetSynCookieState.0") == state, 3,
                   f"SYN-cookie state {state} after tcp_syncookies = {setting}")
