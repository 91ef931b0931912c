"""`make bench`: what the daemon costs, beside its peers, in one page of tables.

Everything is private and measured in the same run: two snmpds, the daemon at
each with one sample interval, the packaged lldpd at the first, and the packaged
node_exporter. Fails nothing for being slow. The numbers go to build/bench.csv as
well.
"""

import os
import platform
import re
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab import cleanup, mib, netns, paths, segments  # noqa: E402
from lab.daemon import Daemon  # noqa: E402
from lab.resets import ResetGenerator  # noqa: E402
from lab.segments import RST, Packets  # noqa: E402
from lab.snmpd import Snmpd  # noqa: E402
from lab.wait import wait_until  # noqa: E402

import load  # noqa: E402
import bare  # noqa: E402
from error import measure_error  # noqa: E402
from growth import measure_growth  # noqa: E402
from hooks import measure_packets, measure_programs  # noqa: E402
from latency import measure_latency  # noqa: E402
from lldpd import FIRST_GROUP, MESSAGE_TX_INTERVAL, Lldpd  # noqa: E402
from netdata import measure_netdata  # noqa: E402
from node_exporter import NodeExporter  # noqa: E402
from reading import measure_reading  # noqa: E402
from pictures import draw_peers  # noqa: E402
from report import Report, number, range_of  # noqa: E402
from syscalls import counted  # noqa: E402
from usage import cpu, memory, spread  # noqa: E402

FAST_MS, SLOW_MS = 100, 1000

# GET and GETBULK: rounds in which everything takes its turn.
ROUNDS = 11
REQUESTS = {1: 4000, 16: 12000}  # in flight: requests of one turn, some 0.4 s
TCP_ACTIVE_OPENS = "1.3.6.1.2.1.6.5.0"  # of snmpd's own tcp group

# System calls: this many GETs while that many seconds are traced.
TRACED_GETS = 200
TRACED_SECONDS = 3
TRACED_SAMPLES = TRACED_SECONDS * 1000 / FAST_MS
STORE_FILE = "rstwatch.db"

FLOODS, FLOOD = 5, 1_000_000

# Idle: slices of that length until the ring of samples is full at the short interval.
SLICE_SECONDS = 10
MIN_SLICES = 4
RING_FULL_SECONDS = 206


def main():
    cleanup.end_signals_unwind()
    if problem := why_not():
        print(f"make bench: {problem}", file=sys.stderr)
        return 1
    load.build()
    report = Report()
    kernel = re.match(r"\d+\.\d+", platform.release())[0]
    print(f"{os.cpu_count()} cores, {platform.system()} {kernel}; about 20 minutes")
    with private_directory() as directory:
        measure_packets(report, directory)
    measure_programs(report)
    with private_directory() as directory:
        measure_latency(report, directory)
    with private_directory() as directory:
        measure_netdata(report, directory)
    with private_directory() as directory:
        measure_error(report, directory)
    with private_directory() as directory:
        measure_reading(report, directory)
    with private_directory() as directory:
        measure_growth(report, directory)
    with scene() as now:
        measure_requests(now, report)
        trace_calls(now, report)
        measure_idle(now, report)
        measure_memory(now, report)
        measure_flood(now, report)
    report.write(paths.ROOT / "build" / "bench.csv")
    draw_peers(paths.ROOT / "build" / "bench.csv")
    return 0


def why_not():
    if os.geteuid() != 0:
        return "needs root, to make network namespaces and to trace"
    if not paths.DAEMON.exists():
        return f"{paths.DAEMON} is not there; run make"
    return None


# ---- What is measured ----

@contextmanager
def private_directory():
    with tempfile.TemporaryDirectory(prefix="rstw-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        yield directory


@contextmanager
def scene():
    """Two masters, the daemon at each with one interval, lldpd at the first; an event is there."""
    with ExitStack() as stack:
        directory = stack.enter_context(private_directory())
        here, there = stack.enter_context(netns.pair())
        begun = time.monotonic()
        snmpd, daemon = start(stack, directory / str(FAST_MS), here, FAST_MS, "bpf")
        # One at a time may count in a namespace; procfs only reads.
        slow_snmpd, slow_daemon = start(stack, directory / str(SLOW_MS), here, SLOW_MS, "procfs")
        lldpd = stack.enter_context(Lldpd(snmpd, here.namespace))
        node_exporter = stack.enter_context(NodeExporter(here.namespace))
        responder = stack.enter_context(bare.bare_agent(snmpd))
        make_event(snmpd, here, there)
        yield SimpleNamespace(directory=directory, begun=begun, snmpd=snmpd, daemon=daemon,
                              slow_snmpd=slow_snmpd, slow_daemon=slow_daemon, lldpd=lldpd,
                              node_exporter=node_exporter, ends=(here, there), responder=responder)


def start(stack, directory, here, interval_ms, source):
    directory.mkdir()
    snmpd = stack.enter_context(Snmpd(directory / "snmpd"))
    daemon = stack.enter_context(Daemon(directory / "daemon", snmpd, netns=here.namespace, source=source,
                                        configuration=f"sample-interval = {interval_ms}\n"))
    return snmpd, daemon


def make_event(snmpd, here, there):
    """The lowest threshold and one reset."""
    snmpd.write.set(("tcpResetAlarmRisingThreshold.received", "u", 1),
                    ("tcpResetAlarmFallingThreshold.received", "u", 1))
    with ResetGenerator(here, there, count=1) as resets:
        resets.finish(5)
    wait_until(lambda: snmpd.v2c.get("tcpResetEventNewest.0") > 0, 5, "an event")


# ---- GET and GETBULK ----

def measure_requests(now, report):
    agent, lldpd_worker = now.daemon.agent_pid, now.lldpd.pids[1]
    alarm = [mib.oid(f"tcpResetAlarm{column}") for column in (
        "Name", "Enabled", "RisingThreshold", "State", "Value", "Summary")]
    kinds = [  # label, OIDs, repetitions, process that answers snmpd
        ("tcpResetReceived.0", [mib.oid("tcpResetReceived.0")], 0, agent),
        ("tcpResetAlarmSummary.received", [mib.oid("tcpResetAlarmSummary.received")], 0, agent),
        ("bare responder, the limit", [bare.VALUE], 0, now.responder.pid),
        ("snmpd: tcpActiveOpens.0", [TCP_ACTIVE_OPENS], 0, None),
        ("lldpd: lldpMessageTxInterval.0", [MESSAGE_TX_INTERVAL], 0, lldpd_worker),
        ("GETBULK, 1 column, 18 rows", [mib.oid("tcpResetCounters")], 18, agent),
        ("bare responder, the same", [bare.column(1)], 18, now.responder.pid),
        ("lldpd: GETBULK, 18 objects", [FIRST_GROUP], 18, lldpd_worker),
        ("GETBULK, 6 columns, 3 rows", alarm, 3, agent),
        ("bare responder, the same 6", list(map(bare.column, range(1, 7))), 3, now.responder.pid),
    ]
    turns = {}
    for _ in range(ROUNDS):
        for label, oids, repetitions, subagent in kinds:
            for in_flight, count in REQUESTS.items():
                count //= 8 if repetitions else 1
                turn = take_turn(now, oids, repetitions, subagent, in_flight, count)
                turns.setdefault((label, in_flight), []).append(turn)
    for in_flight in REQUESTS:
        report.table(f"requests, {in_flight} in flight",
                     f"Requests answered in a second, {in_flight} in flight, {ROUNDS} interleaved "
                     "runs; CPU of each process in us a request",
                     {"median": "1/s", "min..max": "1/s", "values/s": "1/s", "snmpd": "us",
                      "subagent": "us", "generator": "us"},
                     [request_row(label, turns[label, in_flight]) for label, *_ in kinds])


def take_turn(now, oids, repetitions, subagent, in_flight, count):
    pids = [[now.snmpd.process.pid], [subagent] if subagent else []]
    before = [cpu(each) for each in pids]
    run = load.run(now.snmpd.port, oids, count=count, in_flight=in_flight,
                   repetitions=repetitions)
    used = [(cpu(each) - start).ns / 1000 / count for each, start in zip(pids, before)]
    return SimpleNamespace(rate=run.requests / run.seconds, values=run.values,
                           us=[*used, run.own_cpu * 1e6 / count])


def request_row(label, turns):
    rate = spread([turn.rate for turn in turns])
    us = [spread(each).median for each in zip(*(turn.us for turn in turns))]
    return (label, number(rate.median), range_of(rate), number(rate.median * turns[0].values),
            *(number(each, 1) if each else "-" for each in us))


# ---- System calls ----

def trace_calls(now, report):
    sampler, agent, lldpd = now.daemon.process.pid, now.daemon.agent_pid, now.lldpd.pids[1]
    event = now.snmpd.v2c.get("tcpResetEventNewest.0")
    names = ["tcpResetReceived.0", "tcpResetAlarmSummary.received", f"tcpResetEventTime.{event}"]
    gets = {**{name.removeprefix("tcpReset"): (mib.oid(name), agent) for name in names},
            "lldpd": (MESSAGE_TX_INTERVAL, lldpd)}
    idle = {pid: trace(now, pid) for pid in (sampler, agent, lldpd)}
    columns = {
        "sampler": per(idle[sampler].by_label, TRACED_SAMPLES),
        "agent": per(idle[agent].by_label, TRACED_SAMPLES),
        **{head: calls_of_a_get(now, oid, pid, idle[pid]) for head, (oid, pid) in gets.items()},
    }
    calls = sorted({call for column in columns.values() for call in column},
                   key=lambda call: [-column.get(call, 0) for column in columns.values()][::-1])
    rows = [(call, *(column.get(call, 0) for column in columns.values())) for call in calls]
    report.table("system calls",
                 f"System calls of a sample ({FAST_MS} ms), and what a GET adds to the subagent's "
                 f"({TRACED_GETS} of each)", dict.fromkeys(columns, "calls"),
                 [(call, *(number(value, 2) for value in values)) for call, *values in rows
                  if any(value >= 0.005 for value in values)],
                 [f"GETs: {', '.join(names)}; lldpd's: lldpMessageTxInterval.0",
                  "lldpd's pipes are libnetsnmp's, which hands itself the request"])


def trace(now, pid, meanwhile=lambda: None):
    """The calls of a process in TRACED_SECONDS."""
    for _ in range(3):
        with counted(pid, now.directory / "strace") as calls:
            end = time.monotonic() + TRACED_SECONDS
            meanwhile()
            time.sleep(max(0, end - time.monotonic()))
        # Once a minute the alarms are saved, asked or not: again, if that was now.
        if not any(STORE_FILE in label for label in calls.by_label):
            break
    return calls


def calls_of_a_get(now, oid, pid, idle):
    """The calls while GETs are answered, less those of the samples meanwhile."""
    busy = trace(now, pid, lambda: load.run(now.snmpd.port, [oid], count=TRACED_GETS, in_flight=1))
    # A sample is one read of one pipe: of the one that is read when idle.
    wakes = [key for key in idle.by_file if key[0] == "read pipe"]
    samples = busy.by_file[wakes[0]] if wakes else 0
    of_a_sample = per(idle.by_label, TRACED_SAMPLES)
    return {call: max(0, (count - of_a_sample.get(call, 0) * samples) / TRACED_GETS)
            for call, count in busy.by_label.items()}


def per(counts, divisor):
    return {call: count / divisor for call, count in counts.items()}


# ---- Idle ----

def measure_idle(now, report):
    parts = {}
    for interval_ms, snmpd, daemon in ((FAST_MS, now.snmpd, now.daemon),
                                       (SLOW_MS, now.slow_snmpd, now.slow_daemon)):
        sampler, agent = daemon.process.pid, daemon.agent_pid
        parts[f"{interval_ms} ms: sampler"] = [sampler], interval_ms
        parts[f"{interval_ms} ms: agent"] = [agent], interval_ms
        parts[f"{interval_ms} ms: both"] = [sampler, agent], interval_ms
        parts[f"{interval_ms} ms: its snmpd"] = [snmpd.process.pid], None
    parts["lldpd (both processes)"] = now.lldpd.pids, None
    parts[f"node_exporter, a scrape every {SLICE_SECONDS} s"] = now.node_exporter.pids, None
    slices = idle_slices(now, {label: pids for label, (pids, _) in parts.items()})
    report.table("idle CPU",
                 f"CPU when idle, % of a core; {len(slices)} slices of {SLICE_SECONDS} s; "
                 f"aim: both < 0.2 at {FAST_MS} ms",
                 {"median": "% of a core", "min..max": "% of a core", "runs/s": "1/s",
                  "us a sample": "us"},
                 [idle_row(label, [each[label] for each in slices], interval_ms)
                  for label, (_, interval_ms) in parts.items()],
                 ["runs: times a process was put on a core; 100 ms: its snmpd has lldpd as well",
                  "the kernel makes the sampler's texts of snmp and netstat in "
                  f"{kernel_read_us():.0f} us, asked in a tight loop"])


def idle_slices(now, parts):
    """CPU of each part in every slice, all in the same seconds: [{label: (seconds, Cpu)}]."""
    slices = []
    while len(slices) < MIN_SLICES or time.monotonic() < now.begun + RING_FULL_SECONDS:
        before = {label: (time.monotonic(), cpu(pids)) for label, pids in parts.items()}
        now.node_exporter.scrape()
        time.sleep(SLICE_SECONDS)
        slices.append({label: (time.monotonic() - before[label][0], cpu(pids) - before[label][1])
                       for label, pids in parts.items()})
    return slices


def idle_row(label, slices, interval_ms):
    percent = spread([used.ns / seconds / 1e7 for seconds, used in slices])
    runs = spread([used.runs / seconds for seconds, used in slices])
    a_sample = number(percent.median * 1e4 * interval_ms / 1000, 1) if interval_ms else "-"
    return label, number(percent.median, 3), range_of(percent, 3), number(runs.median, 1), a_sample


def kernel_read_us():
    """What the kernel takes for the sampler's two texts, from this process, warm."""
    files = [os.open(f"/proc/self/net/{name}", os.O_RDONLY) for name in ("snmp", "netstat")]
    times = []
    for _ in range(2000):
        begin = time.perf_counter_ns()
        for file in files:
            os.pread(file, 32768, 0)
        times.append((time.perf_counter_ns() - begin) / 1000)
    for file in files:
        os.close(file)
    return spread(times).median


# ---- Flood ----

def measure_flood(now, report):
    """The segments cost whoever receives them; this is what the two processes make of it."""
    here, there = now.ends
    packet = Packets("IPv4", there, here).tcp(flags=RST)
    parts = {"sampler": [now.daemon.process.pid], "agent": [now.daemon.agent_pid],
             "its snmpd": [now.snmpd.process.pid], "lldpd (both processes)": now.lldpd.pids,
             "node_exporter, a scrape a flood": now.node_exporter.pids}
    rates, used = [], {label: [] for label in parts}
    for _ in range(FLOODS):
        begun, before = time.monotonic(), {label: cpu(pids) for label, pids in parts.items()}
        flood = segments.start("link", [packet], there, here, FLOOD)
        now.node_exporter.scrape()
        flood.wait_end(60)
        seconds = time.monotonic() - begun
        rates.append(FLOOD / seconds)
        for label, pids in parts.items():
            used[label].append((cpu(pids) - before[label]).ns / seconds / 1e7)
    report.table("flood", f"CPU under {FLOODS} floods of {FLOOD:,} resets, "
                 f"{spread(rates).median:,.0f} a second, % of a core",
                 {"median": "% of a core", "min..max": "% of a core"},
                 [(label, number(spread(each).median, 3), range_of(spread(each), 3))
                  for label, each in used.items()])


# ---- Memory ----

def measure_memory(now, report):
    parts = {
        f"{FAST_MS} ms: sampler": [now.daemon.process.pid],
        f"{FAST_MS} ms: agent": [now.daemon.agent_pid],
        f"{FAST_MS} ms: both": [now.daemon.process.pid, now.daemon.agent_pid],
        "its snmpd": [now.snmpd.process.pid],
        "lldpd (both processes)": now.lldpd.pids,
        "node_exporter": now.node_exporter.pids,
    }
    report.table("memory",
                 f"Memory in KiB, {time.monotonic() - now.begun:.0f} s after the start; aim: both "
                 "private < 8,192",
                 dict.fromkeys(["private", "PSS", "of it backed by no file"], "KiB"),
                 [(label, *map(number, memory(pids))) for label, pids in parts.items()])


if __name__ == "__main__":
    sys.exit(main())
