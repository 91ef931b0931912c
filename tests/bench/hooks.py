"""What counting costs a packet: the BPF programs alone, and every source end to end."""

import subprocess
from contextlib import ExitStack, contextmanager, nullcontext

from lab import netns
from lab.daemon import Daemon
from lab.paths import DAEMON, ROOT
from lab.process import Process
from lab.snmpd import Snmpd

from bootstrap import interval
from report import interval_of, number, range_of
from usage import spread

BUILD = ROOT / "build"
PROTOCOLS = ["udp", "tcp"]
NO_HOOK = "no hook"
RUNS = 31  # in each everything takes its turn


# ---- The programs alone ----

def measure_programs(report):
    if "source bpf not in this build" in output_of(DAEMON, "--version"):
        return
    try:
        lines = output_of(BUILD / "count_cost").splitlines()
    except RuntimeError as error:
        print(f"\nThe BPF programs alone: not measured: {error}")
        return
    rows, empty = [], None
    for program, packet, *numbers in map(str.split, lines):
        ns = [int(each) for each in numbers]
        if program == "empty":
            empty = ns
        rows.append((f"{program}, {packet}", *cells(ns), *cells_over(ns, empty)))
    report.table("BPF programs",
                 f"The BPF programs alone, by BPF_PROG_TEST_RUN: ns a packet; {len(empty)} "
                 "interleaved runs", columns("the empty program"), rows)


# ---- End to end ----

def measure_packets(report, directory):
    notes = ["a packet: 1000 bytes over a veth pair, from send() to recv(); one hook is in its way",
             "95 %: bootstrap interval of the median; over: of the differences in each run"]
    with ExitStack() as stack:
        ends = stack.enter_context(netns.pair())
        snmpd = stack.enter_context(Snmpd(directory / "snmpd"))
        hooks = those_that_work(hooks_of(ends[0].namespace, snmpd, directory), notes)
        runs = interleaved_runs(hooks, ends)
    report.table("packets",
                 f"A packet from one network namespace to another: CPU ns; {RUNS} interleaved runs",
                 columns(NO_HOOK),
                 [(f"{protocol}, {name}", *cells(ns), *cells_over(ns, runs[protocol, NO_HOOK]))
                  for protocol in PROTOCOLS for name in hooks for ns in [runs[protocol, name]]],
                 notes)


def interleaved_runs(hooks, ends):
    """{(protocol, hook): ns a packet in each run}."""
    runs = {(protocol, name): [] for protocol in PROTOCOLS for name in hooks}
    for _ in range(RUNS):
        for name, hook in hooks.items():
            with hook():
                for protocol in PROTOCOLS:
                    runs[protocol, name].append(packet_cost(protocol, ends))
    return runs


def hooks_of(namespace, snmpd, directory):
    """What may be in a packet's way, each a function that gives a context with it."""
    @contextmanager
    def empty():
        with Process("empty_hook", [BUILD / "empty_hook"], netns=namespace) as process:
            process.wait_for_line("attached")
            yield

    @contextmanager
    def counted_by(source):
        with Daemon(directory / source, snmpd, netns=namespace, source=source) as daemon:
            daemon.process.pause()  # its hooks stay
            yield

    return {NO_HOOK: nullcontext, "empty BPF program": empty,
            "-s bpf": lambda: counted_by("bpf"), "-s nftables": lambda: counted_by("nftables")}


def those_that_work(hooks, notes):
    """Not every kernel has them all, nor every build."""
    working = {}
    for name, hook in hooks.items():
        try:
            with hook():
                working[name] = hook
        except (RuntimeError, TimeoutError) as error:
            notes.append(f"not measured: {name}: {str(error).splitlines()[-1]}")
    return working


def packet_cost(protocol, ends):
    places = [part for end in ends for part in (f"/run/netns/{end.namespace.name}", end.ipv4)]
    return float(output_of(BUILD / "packet_cost", protocol, *places))


def output_of(*command):
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if result.returncode != 0:
        raise RuntimeError(result.stderr.strip())
    return result.stdout


# ---- Cells ----

def columns(base):
    return dict.fromkeys(["median", "min..max", "95 %", f"over {base}", "over, 95 %"], "ns")


def cells(ns):
    values = spread(ns)
    return number(values.median), range_of(values), interval_of(interval(ns))


def cells_over(ns, base):
    if ns is base:
        return "-", "-"
    over = [one - other for one, other in zip(ns, base)]
    return number(spread(over).median), interval_of(interval(over))
