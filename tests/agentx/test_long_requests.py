"""Requests that are long, or have long answers: libnetsnmp drops an AgentX PDU of more than 64 KiB
without a word on either side, and snmpd then ends the session of the subagent."""

import socket

import pytest

from lab import ber, mib, replay
from lab.snmp import COMMUNITY_READ
from lab.station import Station

VERSION_2C = 1
COUNTER64 = 0x46
NO_ERROR, TOO_BIG, GENERAL_ERROR = 0, 1, 5
RECEIVED = mib.sort_key(mib.root()) + (1, 2, 1, 0)


@pytest.fixture(scope="module")
def station(directory):
    source = replay.write(directory / "source.replay",
                          *replay.steady("tcpResetReceived", 10, seconds=600))
    with Station(directory, source=source) as station:
        yield station.start()


def ask(station, count):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as manager:
        manager.settimeout(15)
        manager.sendto(ber.message(VERSION_2C, COMMUNITY_READ, ber.GET, count, (0, 0),
                                   [(RECEIVED, ber.NULL)] * count),
                       ("127.0.0.1", station.snmpd.port))
        return ber.answer(manager.recv(65536))


# Objects: as many as fit; an answer that does not fit; a request that does not either.
@pytest.mark.parametrize("count, errors", [
    (1000, {NO_ERROR}), (1300, {TOO_BIG, GENERAL_ERROR}), (2000, {TOO_BIG, GENERAL_ERROR})])
def test_it_is_answered_and_the_session_lasts(station, count, errors):
    answer = ask(station, count)
    assert answer.error in errors
    assert len(answer.varbinds) == count
    assert ask(station, 1).varbinds[0][1] == COUNTER64
    assert len(station.daemon.process.matching("AgentX master")) == 1  # has connected once
