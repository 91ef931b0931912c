"""Random and mutated PDUs: AgentX straight to the daemon, SNMP through a real snmpd.

    pdus.py --runs N [--seed N]   N of each; a table: sent, answered, refused, sessions, findings

The daemon is $RSTWATCHD, one with sanitizers best. Of answers to requests that are whole it is
asked more: that of a GETNEXT has a larger name than its request; and falling thresholds are not
above rising ones after any SETs. Exit status 1 if anything was found.
"""

import argparse
import os
import pathlib
import random
import socket
import struct
import sys
import tempfile
from types import SimpleNamespace

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from lab import agentx, ber, cleanup, mib  # noqa: E402
from lab.agentx import (  # noqa: E402
    CLEANUPSET, COMMITSET, GET, GETBULK, GETNEXT, TESTSET, UNDOSET, Closed)
from lab.daemon import Daemon  # noqa: E402
from lab.snmp import COMMUNITY_WRITE  # noqa: E402
from lab.snmpd import Snmpd  # noqa: E402

ROOT = mib.sort_key(mib.root())
ALARM_ENTRY = ROOT + (1, 5, 1, 1)
BATCH = 200  # PDUs between two looks at whether all is well
ROW = "{:24} {:>9} {:>9} {:>9} {:>9}  {}"


class Finding(Exception):
    """Something that must not be."""


def holds(condition, what):
    if not condition:
        raise Finding(what)


# Names


def some_name(chance):
    """In, near to and far from the module."""
    arcs = list(ROOT)
    for _ in range(chance.randint(0, 8)):
        arcs.append(chance.choice((0, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8, chance.randint(0, 40),
                                   2 ** 31 - 1, 2 ** 32 - 1, chance.getrandbits(32))))
    if chance.random() < 0.1:
        arcs = arcs[:chance.randint(2, len(arcs))]
    return tuple(arcs)


def mutate(chance, data, first=0):
    """Some of its bytes are others, or are not there."""
    data = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        data[chance.randrange(first, len(data))] = chance.choice((0, 1, 0x7f, 0x80, 0xff,
                                                                  chance.getrandbits(8)))
    return bytes(data)


# AgentX


def agentx_read(chance):
    kind = chance.choice((GET, GETNEXT, GETBULK))
    payload = b""
    if kind == GETBULK:
        payload = struct.pack(">HH", chance.randint(0, 3), chance.randint(0, 20))
    for _ in range(chance.randint(1, 4)):
        payload += agentx.oid(some_name(chance), chance.random() < 0.2) + agentx.oid(())
    return [agentx.pdu(kind, payload, packet=chance.getrandbits(16))]


def agentx_set(chance):
    """All of its phases: while one is not ended the library lets everything else wait."""
    value = struct.pack(">I", chance.choice((0, 1, 500, 5000, chance.getrandbits(32))))
    payload = agentx.varbind(chance.choice((2, 66, 66)),
                             ALARM_ENTRY + (chance.randint(2, 10), chance.randint(0, 4)), value)
    return [agentx.pdu(kind, payload if kind == TESTSET else b"",
                       transaction=chance.getrandbits(16))
            for kind in (TESTSET, chance.choice((COMMITSET, UNDOSET)), CLEANUPSET)]


def agentx_requests(chance):
    """One, or those of a SET; of each second something is other than it should be."""
    requests = agentx_set(chance) if chance.random() < 0.2 else agentx_read(chance)
    if chance.random() < 0.5:
        # The header's length stays, else all that follows is noise.
        requests[0] = mutate(chance, requests[0], first=agentx.HEADER_SIZE)
    return requests


def agentx_session(link, chance, count):
    """Sends so many, or until the daemon has had enough of it; (sent, answered)."""
    sent = answered = 0
    more = 1
    try:
        link.open()
        while sent < count and more > 0:
            batch = sum((agentx_requests(chance) for _ in range(BATCH)), [])
            link.send_while_it_takes(b"".join(batch), 1)
            sent += len(batch)
            more = link.count_responses(0.05)
            answered += more
    except (Closed, OSError):
        pass
    return sent, answered


def fuzz_agentx(directory, runs, seed):
    chance = random.Random(seed)
    with agentx.Master(directory / "agentx") as master:
        daemon = Daemon(directory / "daemon", SimpleNamespace(agentx=master.agentx))
        daemon.start_unready()
        sent = answered = sessions = 0
        agent = None
        try:
            while sent < runs:
                with master.accept() as link:
                    agent = agent or daemon.agent_pid
                    more, got = agentx_session(link, chance, min(20 * BATCH, runs - sent))
                sent, answered, sessions = sent + more, answered + got, sessions + 1
                holds(daemon.process.running and daemon.agent_pid == agent,
                      f"seed {seed}: the daemon ended:\n{daemon.process.log[-3000:]}")
        finally:
            daemon.stop()
    return sent, answered, "-", sessions


# SNMP


def snmp_request(chance, number):
    """A message, and what it asks for if it is whole."""
    version = chance.choice((0, 1, 1, 1))
    kind = chance.choice((ber.GET, ber.GETNEXT, ber.GETNEXT, ber.GETBULK if version else ber.GET,
                          ber.SET))
    names = [some_name(chance) for _ in range(chance.randint(1, 3))]
    values = [ber.NULL] * len(names)
    if kind == ber.SET:
        names = [ALARM_ENTRY + (chance.randint(2, 10), chance.randint(0, 4)) for _ in names]
        values = [chance.choice((ber.gauge, ber.gauge, ber.integer, ber.octets_of))(
            chance.choice((0, 1, 2, 500, 5000, chance.getrandbits(32)))) for _ in names]
    extra = (chance.randint(0, 2), chance.randint(0, 10)) if kind == ber.GETBULK else (0, 0)
    message = ber.message(version, COMMUNITY_WRITE, kind, number, extra, list(zip(names, values)))
    if chance.random() < 0.5:
        return mutate(chance, message), None
    return message, (kind, names)


class Manager:
    """Sends datagrams to snmpd and looks at what comes back."""

    def __init__(self, port):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect(("127.0.0.1", port))
        self.answered = self.refused = 0
        self._asked = {}

    def close(self):
        self._socket.close()

    def send(self, number, message, asked):
        if asked:
            self._asked[number] = asked
        self._socket.send(message)

    def settle(self, number, seconds=5):
        """Reads until the answer to this one, the last that was sent."""
        self._socket.settimeout(seconds)
        while self._take(self._socket.recv(65536)) != number:
            pass
        self._asked.clear()

    def drain(self):
        """What was under way is not waited for."""
        self._asked.clear()

    def _take(self, data):
        try:
            answer = ber.answer(data)
        except ber.Malformed as error:
            raise Finding(f"snmpd's answer is malformed: {error}: {data.hex()}") from error
        self.answered += 1
        self.refused += answer.error != 0
        kind, names = self._asked.get(answer.number, (None, None))
        if kind == ber.GETNEXT and answer.error == 0:
            for asked, (name, tag, _) in zip(names, answer.varbinds):
                holds(name > asked or tag == ber.END_OF_VIEW, f"{name} after {asked}")
        return answer.number


def are_in_order(station):
    """Falling is not above rising, in any row."""
    for metric in ("received", "sent", "synCookies"):
        names = [f"tcpResetAlarm{which}Threshold.{metric}" for which in ("Rising", "Falling")]
        rising, falling = station.v2c.values(*names)
        holds(falling <= rising, f"{metric}: falling {falling} above rising {rising}")


def start_again(snmpd, daemon, manager):
    """snmpd 5.9.3 waits for ever, and answers nobody, when a SET has a value of a type that AgentX
    does not know: it cannot pass it on. An agent that said nothing it would give up after 6 s."""
    try:
        manager.settle(0, 15)
    except TimeoutError:
        snmpd.kill()
        snmpd.start()
        daemon.wait_ready()
        manager.drain()
        return
    raise Finding("the agent did not answer")


def fuzz_snmp(directory, runs, seed):
    chance = random.Random(seed)
    snmpd = Snmpd(directory / "snmpd")
    daemon = Daemon(directory / "snmp-daemon", snmpd)
    sent = stuck = 0
    with snmpd, daemon:
        agent, manager = daemon.agent_pid, Manager(snmpd.port)
        last = ber.message(1, COMMUNITY_WRITE, ber.GET, 0, (0, 0),
                           [((1, 3, 6, 1, 2, 1, 1, 3, 0), ber.NULL)])
        try:
            while sent < runs:
                for _ in range(BATCH // 4):
                    number = chance.getrandbits(30) + 1  # no other request is changed into it
                    manager.send(number, *snmp_request(chance, number))
                sent += BATCH // 4
                manager.send(0, last, None)
                try:
                    manager.settle(0)
                except TimeoutError:
                    holds(snmpd.process.running, f"seed {seed}, {sent} sent: snmpd ended: "
                          f"{snmpd.process.status}\n{snmpd.process.log[-2000:]}")
                    start_again(snmpd, daemon, manager)
                    stuck += 1
                holds(daemon.process.running and daemon.agent_pid == agent,
                      f"seed {seed}: the daemon ended:\n{daemon.process.log[-3000:]}")
            are_in_order(snmpd)
            holds(len(daemon.process.matching("connected to the AgentX master")) == 1 + stuck,
                  f"seed {seed}: snmpd gave up the agent:\n{daemon.process.log[-3000:]}")
        finally:
            manager.close()
    return sent, manager.answered, manager.refused, 1 + stuck


def run(name, fuzz, directory, runs, seed):
    try:
        print(ROW.format(name, *fuzz(directory, runs, seed), "nothing"), flush=True)
        return True
    except Finding as finding:
        print(f"{name}: {finding}")
        return False


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, required=True)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    options = parser.parse_args()
    cleanup.end_signals_unwind()
    print(f"seed {options.seed}, daemon {os.environ.get('RSTWATCHD', 'build/rstwatchd')}")
    print(ROW.format("", "sent", "answered", "refused", "sessions", "found"))
    with tempfile.TemporaryDirectory(prefix="rstw-") as directory:
        os.chmod(directory, 0o755)
        good = [run(name, fuzz, pathlib.Path(directory), options.runs, options.seed)
                for name, fuzz in (("AgentX to the daemon", fuzz_agentx),
                                   ("SNMP through snmpd", fuzz_snmp))]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
