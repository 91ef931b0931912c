"""A burst: the raise comes within the first second of it, and tells whose it is."""

import re
from contextlib import contextmanager

import pytest

from lab import segments, sinks
from lab.resets import ResetGenerator
from lab.segments import RST, Packets
from lab.station import Station

RAISED = "tcpResetAlarmRaised"
COUNT = 1200
PACED = {"1000 a second": 1000}


@contextmanager
def burst(name, here, there):
    """1,200 resets received: at a pace, or in one sample."""
    if name in PACED:
        with ResetGenerator(here, there, rate=PACED[name], count=COUNT) as generator:
            yield
            generator.finish(30)
        return
    packet = Packets("IPv4", there, here).tcp(flags=RST)
    segments.send([packet], there, here, COUNT)
    yield


@pytest.mark.parametrize("name", ["at once", *PACED])
def test_the_raise_of_a_burst_names_the_peer(directory, pair, name):
    here, there = pair
    place = directory / name.replace(" ", "-")
    place.mkdir()
    with Station(place, netns=here.namespace, source="bpf", notify_by=[sinks.V2C]) as station:
        station.start().daemon.wait_for_samples(5)
        with burst(name, here, there):
            raised, = station.receiver.wait_for(RAISED, count=1, timeout=8)
    assert raised.values["tcpResetEventMetricName"].strip('"') == "received"
    found = re.search(r": (\d+) % from (\S+),", raised.values["tcpResetEventSummary"])
    assert found, raised.values["tcpResetEventSummary"]
    assert found[2] == there.address("IPv4") and int(found[1]) > 50
