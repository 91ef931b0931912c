"""What reading a source ten times a second costs the sampler."""

import time
from contextlib import ExitStack

from lab import netns
from lab.daemon import Daemon
from lab.snmpd import Snmpd

from bootstrap import interval
from report import interval_of, number, range_of
from usage import cpu, spread

SOURCES = ["procfs", "nftables", "bpf"]
TICKS_PER_SECOND = 10
ROUNDS = 15
SLICE_SECONDS = 2
SETTLE_SECONDS = 0.3  # after a pause: caches, and a first tick that comes late


def measure_reading(report, directory):
    notes = [f"one source runs at a time, for {SLICE_SECONDS} s; without its agent process",
             "95 %: bootstrap interval of the median"]
    with ExitStack() as stack:
        samplers = {}
        for source in SOURCES:
            try:
                samplers[source] = start(stack, directory / source, source)
            except RuntimeError as error:
                notes.append(f"not measured: {source}: {str(error).splitlines()[-1]}")
        slices = {source: [] for source in samplers}
        for _ in range(ROUNDS):
            for source, sampler in samplers.items():
                slices[source].append(us_a_tick(sampler))
    report.table("reading",
                 f"CPU of the sampler at {TICKS_PER_SECOND} ticks a second, by source; {ROUNDS} "
                 "interleaved runs",
                 {"of a core": "%", "us a tick": "us", "min..max": "us", "95 %": "us"},
                 [row(source, us) for source, us in slices.items()], notes)


def start(stack, directory, source):
    """A sampler that is paused, in a network namespace of its own: one can count in each."""
    directory.mkdir()
    namespace = stack.enter_context(netns.Namespace())
    snmpd = stack.enter_context(Snmpd(directory / "snmpd"))
    daemon = stack.enter_context(Daemon(
        directory / "daemon", snmpd, netns=namespace, source=source,
        configuration=f"sample-interval = {1000 // TICKS_PER_SECOND}\n"))
    daemon.process.pause()
    return daemon.process


def us_a_tick(sampler):
    """While it runs for a slice."""
    sampler.resume()
    time.sleep(SETTLE_SECONDS)
    begin, before = time.monotonic(), cpu([sampler.pid])
    time.sleep(SLICE_SECONDS)
    used, seconds = cpu([sampler.pid]) - before, time.monotonic() - begin
    sampler.pause()
    return used.ns / 1000 / seconds / TICKS_PER_SECOND


def row(source, us):
    values = spread(us)
    return (source, number(values.median * TICKS_PER_SECOND / 1e4, 3), number(values.median, 1),
            range_of(values, 1), interval_of(interval(us), 1))
