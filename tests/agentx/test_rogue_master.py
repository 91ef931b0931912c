"""A master agent that breaks the protocol in every way: the daemon survives it, stays small, comes
back, answers the next one rightly, and has missed no sample meanwhile."""

import os
import random
import struct
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from lab import agentx, mib, replay
from lab.agentx import (ADD_CAPS, CLEANUPSET, COMMITSET, GET, GETBULK, GETNEXT, HEADER_SIZE, OPEN,
                        REGISTER, RESPONSE, TESTSET, UNDOSET, Closed, octets, oid, pdu)
from lab.daemon import Daemon
from lab.process import children_of
from lab.wait import let_pass

ROOT = mib.sort_key(mib.root())
RECEIVED = ROOT + (1, 2, 1, 0)
RISING = ROOT + (1, 5, 1, 1, 4, 1)
RATE = 10  # resets a second of the source: one a sample
GROWTH_MAX = 16 << 20  # bytes of memory, over all that a test does
FLOOD = 20000  # requests
ENDLESS = 64 << 20  # bytes
RETRIES_MAX = 6  # a second: one each 0.25 s, and what falls on its ends
FAR_BELOW = 0.15  # seconds in which it reads nothing more
NULL = oid(())
COUNTER64 = 70
TOO_BIG, UNSUPPORTED_CONTEXT, DUPLICATE_REGISTRATION = 1, 262, 263
PARSE_ERROR, PROCESSING_ERROR = 266, 268

# Ways to misbehave: each takes a new connection and does its worst with it.


def close_at_once(link):
    link.close()


def close_at(kind):
    def misbehave(link):
        while (got := link.read()).kind != kind:
            link.answer(got)
        link.close()
    return misbehave


def answer_nothing_from(kind):
    """The library waits for an answer, and for a second and a third time."""
    def misbehave(link):
        while (got := link.read()).kind != kind:
            link.answer(got)
        let_pass(FAR_BELOW)
    return misbehave


def answer_with_error(kind, error):
    def misbehave(link):
        while (got := link.read()).kind != kind:
            link.answer(got)
        link.answer(got, error=error)
        let_pass(FAR_BELOW)
    return misbehave


def ask_before_answering(kind, data):
    """Requests, one of which has the number of the answer that is due."""
    def misbehave(link):
        while (got := link.read()).kind != kind:
            link.answer(got)
        link.send(data(got.packet))
        link.answer(got)
        let_pass(FAR_BELOW)
    return misbehave


def answer_with(**fields):
    """The response to Open with one field of its header wrong."""
    def misbehave(link):
        link.answer(link.read_until(OPEN), **fields)
        let_pass(FAR_BELOW)
    return misbehave


def cut_answer(size):
    def misbehave(link):
        got = link.read_until(OPEN)
        whole = pdu(RESPONSE, struct.pack(">IHH", 1, 0, 0), packet=got.packet)
        link.send(whole[:size])
        link.close()
    return misbehave


def opened(misbehave):
    """What begins when all is registered."""
    def after_opening(link):
        link.open()
        try:
            misbehave(link)
        except Closed:
            pass
    return after_opening


def send(data):
    @opened
    def misbehave(link):
        link.send_while_it_takes(data, FAR_BELOW)
        let_pass(FAR_BELOW / 3)
    return misbehave


RISING_7000 = agentx.varbind(agentx.GAUGE, RISING, struct.pack(">I", 7000))
RANGE = oid(RECEIVED) + NULL


def phases(*kinds):
    """Of a SET, in an order that no master has."""
    return b"".join(pdu(kind, RISING_7000 if kind == TESTSET else b"", transaction=5, packet=n)
                    for n, kind in enumerate(kinds, 1))


def unfinished(count):
    """SETs that are begun and never ended."""
    return b"".join(pdu(TESTSET, RISING_7000 * 100, transaction=n, packet=n)
                    for n in range(count))


def slowly(data):
    @opened
    def misbehave(link):
        for n in range(len(data)):
            link.send(data[n:n + 1])
        assert link.read_until(RESPONSE).varbinds()[0][1] == RECEIVED
    return misbehave


def noise(seed):
    return random.Random(seed).randbytes(20000)


def mutated(seed, count=400):
    """Good requests with some bytes changed; their lengths, too."""
    chance = random.Random(seed)
    good = [pdu(GET, RANGE * 3), pdu(GETNEXT, oid(ROOT) + oid(ROOT + (2,))),
            pdu(GETBULK, struct.pack(">HH", 1, 9) + RANGE * 3), pdu(TESTSET, RISING_7000),
            phases(TESTSET, COMMITSET, CLEANUPSET)]
    data = bytearray()
    for _ in range(count):
        one = bytearray(chance.choice(good))
        for _ in range(chance.randint(1, 4)):
            one[chance.randrange(HEADER_SIZE, len(one))] = chance.choice((0, 1, 127, 255))
        data += one
    return bytes(data)


MISBEHAVIOUR = {
    "close at once": close_at_once,
    "close at Open": close_at(OPEN),
    "close at AddAgentCaps": close_at(ADD_CAPS),
    "close when opened": opened(lambda link: link.close()),
    "no answer to Open": answer_nothing_from(OPEN),
    "no answer to Register": answer_nothing_from(REGISTER),
    "openFailed": answer_with_error(OPEN, 256),
    "error without a meaning": answer_with_error(OPEN, 65535),
    "duplicateRegistration": answer_with_error(REGISTER, 263),
    "requestDenied": answer_with_error(REGISTER, 267),
    "parseError for AddAgentCaps": answer_with_error(ADD_CAPS, 266),
    **{f"{name} with the number of the due answer to {due}":
       ask_before_answering(kind, lambda packet, request=request, payload=payload:
                            pdu(request, payload, packet=packet))
       for due, kind in (("Open", OPEN), ("Register", REGISTER))
       for name, request, payload in (("a GET", GET, RANGE), ("a TestSet", TESTSET, RISING_7000),
                                      ("a CommitSet", COMMITSET, b""))},
    "phases of a SET before the answer to Register": ask_before_answering(
        REGISTER, lambda _: phases(TESTSET, UNDOSET, TESTSET, COMMITSET, COMMITSET, CLEANUPSET)),
    "requests without end instead of the answer to Register": ask_before_answering(
        REGISTER, lambda _: pdu(GET, RANGE) * 5000),
    "version 2": answer_with(version=2),
    "another session": answer_with(session=0xffffffff),
    "another packet": answer_with(packet=0xffffffff),
    "length 0": answer_with(length=0),
    "length 3": answer_with(length=3),
    "length 7": answer_with(length=7),
    "length 0x7fffffff": answer_with(length=0x7fffffff),
    "length 0xffffffff": answer_with(length=0xffffffff),
    "length 4 too long": answer_with(length=12),
    **{f"answer cut at {size}": cut_answer(size) for size in (1, 4, 19, 20, 21, 27)},
    **{f"PDU type {kind}": send(pdu(kind, RANGE) * 3) for kind in (0, 2, 4, 13, 14, 19, 127, 255)},
    "requests for another session": send(pdu(GET, RANGE, session=0xdead) * 3),
    "a range without its end": send(pdu(GET, oid(RECEIVED))),
    "an OID of 255 arcs that are not there": send(pdu(GET, b"\xff\x04\x00\x00" + bytes(8))),
    "an OID of 200 arcs": send(pdu(GET, oid(ROOT + (1,) * 190) + NULL)),
    "10,000 ranges": send(pdu(GETNEXT, (oid(ROOT) + NULL) * 10000)),
    "GETBULK of 65,535": send(pdu(GETBULK, struct.pack(">HH", 0, 65535) + oid(ROOT) + NULL)),
    "GETBULK of -1 non-repeaters": send(pdu(GETBULK, struct.pack(">hh", -1, -1) + RANGE)),
    "a context of 60,000 zeros": send(
        pdu(GETNEXT, octets(bytes(60000)) + RANGE, flags=0x18) * 20),
    "phases of two SETs at once": send(
        b"".join(pdu(kind, RISING_7000 if kind == TESTSET else b"", transaction=n % 2, packet=n)
                 for n, kind in enumerate([TESTSET, TESTSET, COMMITSET, COMMITSET, UNDOSET,
                                           UNDOSET, CLEANUPSET, CLEANUPSET] * 20))),
    "10,000 SETs unfinished": send(unfinished(10000)),
    "a context that is longer than its PDU": send(
        pdu(GET, struct.pack(">I", 0x7fffffff) + RANGE, flags=0x18)),
    "a value that is longer than its PDU": send(
        pdu(TESTSET, agentx.varbind(agentx.OCTETS, RISING, struct.pack(">I", 0xfffffff0)))),
    "a value without a type": send(pdu(TESTSET, agentx.varbind(99, RISING))),
    "CommitSet without TestSet": send(phases(COMMITSET)),
    "UndoSet and CleanupSet without TestSet": send(phases(UNDOSET, CLEANUPSET)),
    "TestSet twice": send(phases(TESTSET, TESTSET, COMMITSET, COMMITSET)),
    "CommitSet after CleanupSet": send(phases(TESTSET, CLEANUPSET, COMMITSET, UNDOSET)),
    "close after TestSet": send(phases(TESTSET)),
    "close after CommitSet": send(phases(TESTSET, COMMITSET)),
    "the other byte order": send(agentx.little_endian(pdu(agentx.PING)) * 3),
    "endless GETNEXT, its answers not read": send(
        pdu(GETNEXT, oid(ROOT) + NULL, packet=1) * FLOOD),
    "a request byte by byte": slowly(pdu(GET, RANGE)),
    "a PDU without end": send(
        agentx.header(GET, b"", length=0x7fffff00) + bytes(ENDLESS)),
    "noise": send(noise(1)),
    "mutated requests": send(mutated(2)),
}


# The daemon


@pytest.fixture(scope="module")
def master(directory):
    with agentx.Master(directory / "agentx") as master:
        yield master


@pytest.fixture(scope="module")
def daemon(directory, master):
    """One for all of them."""
    source = replay.write(directory / "source.replay",
                          *replay.steady("tcpResetReceived", RATE, seconds=600))
    with_master = SimpleNamespace(agentx=master.agentx)
    # What is freed a sanitizer keeps for a while: little, or memory would seem to grow.
    daemon = Daemon(directory / "daemon", with_master, source=source,
                    env={**os.environ, "ASAN_OPTIONS": "quarantine_size_mb=1"})
    daemon.start_unready()
    yield daemon
    daemon.stop()


def memory(pid):
    """Bytes that are not shared with other programs."""
    return sum(int(line.split()[1]) << 10 for line in
               Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
               if line.startswith("Private_"))


def usage(daemon):
    """Of both processes: memory and open files."""
    pids = [daemon.process.pid, *children_of(daemon.process.pid)]
    return sum(map(memory, pids)), sum(len(list(Path(f"/proc/{pid}/fd").iterdir()))
                                       for pid in pids)


def answer_rightly(master):
    """Behaves, until it has an answer: (resets received, moment)."""
    deadline = time.monotonic() + 10
    while True:
        try:
            with master.accept() as link:
                link.open()
                kind, arcs, value = link.get(RECEIVED)
                assert arcs == RECEIVED
                assert kind == 70
                return value, time.monotonic()
        except (Closed, BrokenPipeError, TimeoutError):
            assert time.monotonic() < deadline


@pytest.mark.parametrize("misbehave", MISBEHAVIOUR.values(), ids=MISBEHAVIOUR.keys())
def test_it_survives(daemon, master, misbehave):
    before, began = answer_rightly(master)
    agent, used = daemon.agent_pid, usage(daemon)
    with master.accept() as link:
        try:
            misbehave(link)
        except (Closed, BrokenPipeError):
            pass  # it has seen enough of this master
    after, ended = answer_rightly(master)
    assert daemon.process.running
    assert daemon.agent_pid == agent
    assert abs((after - before) - RATE * (ended - began)) <= 3
    now = usage(daemon)
    assert now[0] <= used[0] + GROWTH_MAX
    assert now[1] <= used[1] + 1


def test_a_request_that_comes_while_it_registers_is_answered_when_it_is_open(daemon, master):
    answer_rightly(master)
    with master.accept() as link:
        link.answer(link.read_until(OPEN))
        registering = link.read_until(REGISTER)
        link.send(pdu(GET, RANGE, packet=77))
        link.answer(registering)
        link.answer(link.read_until(ADD_CAPS))
        got = link.read_until(RESPONSE)
        assert got.packet == 77
        assert got.varbinds()[0][1] == RECEIVED


def test_a_refused_registration_ends_the_connection(daemon, master):
    """The library would go on, connected and without objects."""
    answer_rightly(master)
    with master.accept() as link:
        link.answer(link.read_until(OPEN))
        link.answer(link.read_until(REGISTER), error=DUPLICATE_REGISTRATION)
        with pytest.raises(Closed):
            link.read()
    answer_rightly(master)
    daemon.process.wait_for_line("no AgentX master .*duplicateRegistration")


@pytest.mark.parametrize("kind", [GET, GETNEXT, GETBULK, TESTSET])
def test_a_request_that_is_too_long_is_answered_so(daemon, master, kind):
    answer_rightly(master)
    with master.accept() as link:
        link.open()
        before = struct.pack(">HH", 0, 1) if kind == GETBULK else b""
        one = RISING_7000 if kind == TESTSET else RANGE
        got = link.ask(kind, before + one * (70000 // len(one)), packet=55)
        assert got.packet == 55
        assert got.error == TOO_BIG
        assert link.get(RECEIVED)[1] == RECEIVED


@pytest.mark.parametrize("kind, payload", [
    (TESTSET, agentx.varbind(99, RISING)), (GET, oid(RECEIVED)), (GETBULK, b""),
    (GETNEXT, b"\xff\x04\x00\x00" + bytes(8))],
    ids=["a type that is none", "a range without its end", "no numbers", "arcs that are not there"])
def test_what_cannot_be_taken_apart_is_answered_so(daemon, master, kind, payload):
    """The library drops it, upon which snmpd would end the session; what comes after it is served."""
    answer_rightly(master)
    with master.accept() as link:
        link.open()
        link.send(pdu(kind, payload, packet=55) + pdu(GET, RANGE, packet=56))
        refused, served = link.read_until(RESPONSE), link.read_until(RESPONSE)
        assert (refused.packet, refused.error, refused.varbinds()) == (55, PARSE_ERROR, [])
        assert (served.packet, served.error, served.varbinds()[0][1]) == (56, 0, RECEIVED)


def test_a_context_is_not_supported(daemon, master):
    answer_rightly(master)
    with master.accept() as link:
        link.open()
        got = link.ask(GET, octets(b"other") + RANGE, flags=0x18, packet=5)
        assert (got.error, got.varbinds()) == (UNSUPPORTED_CONTEXT, [])


def test_getbulk(daemon, master):
    """RFC 2741, 7.2.3.3: the first range once, the others row by row."""
    answer_rightly(master)
    received, sent = ROOT + (1, 2, 1), ROOT + (1, 2, 2)
    alarms, after = ROOT + (1, 5, 1, 1, 4), ROOT + (1, 5, 1, 1, 5)
    with master.accept() as link:
        link.open()
        got = link.ask(GETBULK, struct.pack(">HH", 1, 5) + oid(received) + oid(sent) +
                       oid(alarms) + oid(after) + oid(ROOT + (2,)) + oid(ROOT + (1,)))
        names = [(kind, arcs) for kind, arcs, _ in got.varbinds()]
    rows = [alarms + (n,) for n in (1, 2, 3)]
    assert names[0] == (COUNTER64, received + (0,))
    assert [arcs for _, arcs in names[1::2]] == rows + rows[-1:]
    assert [kind for kind, _ in names[1::2]] == [agentx.GAUGE] * 3 + [agentx.END_OF_VIEW]
    assert names[2::2] == [(agentx.END_OF_VIEW, ROOT + (2,))] * 4


def begin_set(link, value, transaction):
    return link.ask(TESTSET, agentx.varbind(agentx.GAUGE, RISING, struct.pack(">I", value)),
                    transaction=transaction).error


def test_phases_of_a_set(daemon, master):
    """RFC 2741, 7.2.4; what is out of turn is a processingError and changes nothing."""
    answer_rightly(master)
    with master.accept() as link:
        link.open()
        before = link.get(RISING)[2]

        def phase(kind, transaction):
            return link.ask(kind, b"", transaction=transaction).error

        assert phase(COMMITSET, 1) == PROCESSING_ERROR
        assert begin_set(link, before + 100, 1) == 0
        assert phase(UNDOSET, 1) == PROCESSING_ERROR
        assert phase(COMMITSET, 2) == PROCESSING_ERROR
        assert link.get(RISING)[2] == before
        assert phase(COMMITSET, 1) == 0
        assert phase(COMMITSET, 1) == PROCESSING_ERROR
        assert link.get(RISING)[2] == before + 100
        assert phase(UNDOSET, 2) == PROCESSING_ERROR
        assert phase(UNDOSET, 1) == 0
        assert phase(UNDOSET, 1) == PROCESSING_ERROR
        assert link.get(RISING)[2] == before
        assert begin_set(link, before + 200, 3) == 0
        link.send(pdu(CLEANUPSET, transaction=3))
        assert phase(COMMITSET, 3) == PROCESSING_ERROR
        assert begin_set(link, before + 300, 4) == 0
        assert begin_set(link, before + 400, 5) == 0
        assert phase(COMMITSET, 4) == PROCESSING_ERROR
        assert phase(COMMITSET, 5) == 0
        link.send(pdu(CLEANUPSET, transaction=5))
        assert phase(UNDOSET, 5) == PROCESSING_ERROR
        assert link.get(RISING)[2] == before + 400
        assert begin_set(link, before, 6) == 0
    with master.accept() as link:  # another session has other SETs
        link.open()
        assert link.ask(COMMITSET, b"", transaction=6).error == PROCESSING_ERROR
        assert begin_set(link, before, 7) == 0
        assert link.ask(COMMITSET, b"", transaction=7).error == 0
        assert link.get(RISING)[2] == before


def test_a_master_that_reads_nothing_is_given_up(daemon, master):
    """It must not keep the agent from its samples."""
    answer_rightly(master)
    with master.accept() as link:
        link.open()
        link.send_while_it_takes(pdu(GETNEXT, (oid(ROOT) + NULL) * 100) * FLOOD, 1)
        assert master.accept()  # connects anew


def test_it_tries_no_more_often_where_each_connection_is_closed_at_once(daemon, master):
    """Each failure leaves an alarm of the library's, which tries again."""
    answer_rightly(master)
    end = time.monotonic() + 5
    accepted = []
    while (now := time.monotonic()) < end:
        master.accept().close()
        accepted.append(now)
    assert sum(moment > end - 1 for moment in accepted) <= RETRIES_MAX
    answer_rightly(master)
