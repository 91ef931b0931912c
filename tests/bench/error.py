"""The number itself: the 10 s average beside what tcpdump has seen, and beside the counters that
are taken for it where nothing else is known (snmpd's TCP-MIB, Netdata, node_exporter).

Each profile is a burst of three kinds of resets at rates at random: refused connections, ones that
the peer aborts, and segments that belong to none. All of it falls into one window.
"""

import random
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import NamedTuple

from lab import netns, segments
from lab.daemon import Daemon
from lab.process import Process
from lab.resets import ResetGenerator
from lab.segments import RST, Packets
from lab.snmpd import Snmpd
from lab.wait import wait_until
from report import number

PROFILES, SIDE_BY_SIDE = 24, 4
SECONDS = 3
RATES = {"refused": 200, "aborted": 60, "unmatched": 600}  # at most, a second
PORT = 7777
PROGRAM = Path(__file__).with_name("abort_generator.py")


class Seen(NamedTuple):
    wire: int
    average: float  # resets of 10 s
    attempt_fails: int
    estab_resets: int


def measure_error(report, directory):
    seed = random.randrange(10**9)
    chance = random.Random(seed)
    shares = [[{kind: chance.randint(0, rate) for kind, rate in RATES.items()}
               for _ in range(PROFILES // SIDE_BY_SIDE)] for _ in range(SIDE_BY_SIDE)]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        found = [seen for part in pool.map(lambda each: play(directory / str(each[0]), each[1]),
                                           enumerate(shares)) for seen in part]
    report.table("error", f"Resets received in a window of 10 s, {PROFILES} profiles of refused, "
                 f"aborted and unmatched ones at random rates (seed {seed}), beside tcpdump",
                 {"counted": "", "on the wire": "", "right": "", "median error": "%", "largest": "%"},
                 [row(found, "rstwatchd, tcpResetReceivedAvg10s", lambda seen: seen.average),
                  row(found, "AttemptFails", lambda seen: seen.attempt_fails),
                  row(found, "AttemptFails + EstabResets",
                      lambda seen: seen.attempt_fails + seen.estab_resets)])


def row(found, label, count):
    errors = [100 * abs(count(seen) - seen.wire) / seen.wire for seen in found]
    return (label, number(sum(map(count, found))), number(sum(seen.wire for seen in found)),
            (f"{errors.count(0)} of {len(errors)}", errors.count(0)), number(median(errors), 1),
            number(max(errors), 1))


def play(directory, profiles):
    directory.mkdir()
    with netns.pair() as (here, there), ExitStack() as stack:
        snmpd = stack.enter_context(Snmpd(directory / "snmpd"))
        daemon = stack.enter_context(Daemon(directory / "daemon", snmpd, netns=here.namespace,
                                            source="bpf"))
        stack.enter_context(Process("aborting server", [
            sys.executable, PROGRAM, "serve", there.address("IPv4"), PORT],
            netns=there.namespace)).wait_for_line("ready")
        return [one(here, there, snmpd, daemon, rates) for rates in profiles]


def one(here, there, snmpd, daemon, rates):
    wait_until(lambda: snmpd.v2c.get("tcpResetReceivedAvg10s.0") == 0, 30, "an empty window")
    before = kernel(here)
    packet = Packets("IPv4", there, here).tcp(flags=RST)
    with Process("tcpdump", ["tcpdump", "-l", "-n", "-i", "veth0", "-Q", "in",
                             "tcp[tcpflags] & tcp-rst != 0"], netns=here.namespace) as dump:
        dump.wait_for_line("listening on")
        running = [segments.start("link", [packet], there, here, SECONDS * rates["unmatched"])]
        if rates["refused"]:
            running.append(ResetGenerator(here, there, rate=rates["refused"],
                                          count=SECONDS * rates["refused"]))
        if rates["aborted"]:
            running.append(Process("calls", [
                sys.executable, PROGRAM, "call", there.address("IPv4"), PORT, rates["aborted"],
                SECONDS * rates["aborted"]], netns=here.namespace))
        for each in running:
            each.wait_end(30)
        daemon.wait_for_samples(2)
        average = snmpd.v2c.get("tcpResetReceivedAvg10s.0") / 10
        dump.send(2)
        dump.wait_end()
        wire = len(dump.matching("Flags .R"))
    after = kernel(here)
    return Seen(wire, average, *(now - was for now, was in zip(after, before)))


def kernel(end):
    """AttemptFails and EstabResets."""
    names, values = (line.split()[1:] for line in end.namespace.run(
        ["cat", "/proc/net/snmp"]).splitlines() if line.startswith("Tcp:"))
    table = dict(zip(names, map(int, values)))
    return table["AttemptFails"], table["EstabResets"]
