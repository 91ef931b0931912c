"""Much at once: what `make stress` runs.

    run.py [--seconds N]   the daemon as built and with sanitizers, N seconds each (300)

100 pollers of 10 varbinds, 100 SETs a second, floods of 200,000 resets, and snmpd restarted, all
at once. The table: answers, and those that were wrong; how old a sample ever was; memory and open
files of both processes, and their slope. Exit status 1 if an answer was wrong.
"""

import argparse
import os
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from bench import usage  # noqa: E402
from lab import cleanup, netns, paths, segments  # noqa: E402
from lab.process import children_of  # noqa: E402
from lab.segments import RST, Packets  # noqa: E402
from lab.station import Station  # noqa: E402
from stress.managers import Managers  # noqa: E402

BUILDS = {"as built": "build/rstwatchd", "sanitized": "build/gcc-san/rstwatchd"}
FLOOD, FLOOD_EVERY_S = 200_000, 30
RESTART_EVERY_S = 20
SETTLED_S = 150  # before this, the floods touch pages of the ring for the first time
ROW = "{:34} {:>14} {:>14}"


def slope(points):
    """Of (seconds, value) by least squares, a minute."""
    count = len(points)
    if count < 2:
        return 0.0
    mean_x, mean_y = (sum(point[n] for point in points) / count for n in (0, 1))
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return 60 * sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0


class Watch:
    """Memory and open files of both processes, second by second."""

    def __init__(self, daemon):
        self._daemon = daemon
        self.began = time.monotonic()
        self.memory, self.files = [], []

    def look(self):
        now = time.monotonic() - self.began
        pids = [self._daemon.process.pid, *children_of(self._daemon.process.pid)]
        self.memory.append((now, usage.memory(pids).private))
        self.files.append(sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids))

    def settled(self):
        return [point for point in self.memory if point[0] >= SETTLED_S]


def stress(station, ends, seconds):
    """Until the time is over; ({row: figure}, whether every answer was right)."""
    here, there = ends
    packet = Packets("IPv4", there, here).tcp(flags=RST)
    watch, agent = Watch(station.daemon), station.daemon.agent_pid
    floods, restarts = [], 0
    with Managers(station.snmpd.port) as managers:
        while (now := time.monotonic() - watch.began) < seconds:
            managers.run_until(time.monotonic() + 1)
            watch.look()
            if now >= (len(floods) + 1) * FLOOD_EVERY_S - 20:
                floods.append(segments.start("link", [packet], there, here, FLOOD))
            if now >= (restarts + 1) * RESTART_EVERY_S:
                restarts += 1
                managers.interrupted()
                station.snmpd.restart()
                station.daemon.wait_ready()
        for flood in floods:
            flood.wait_end(60)
    station.daemon.wait_for_samples(2)
    received = station.snmpd.v2c.get("tcpResetReceived.0")
    same = station.daemon.agent_pid == agent
    files = sorted(watch.files)
    good = not managers.wrong and same and received == len(floods) * FLOOD
    return {
        "answers to pollers": managers.answered,
        "wrong": len(managers.wrong),
        "not answered, snmpd restarting": managers.unanswered,
        "SETs, each read again": managers.sets,
        "restarts of snmpd": restarts,
        "resets flooded": len(floods) * FLOOD,
        "resets counted": received,
        "oldest sample, ms": managers.oldest_ms,
        "agent restarted": "no" if same else "yes",
        "memory at the end, KiB": watch.memory[-1][1],
        "slope, KiB a minute": f"{slope(watch.settled()):.1f}",
        "open files, fewest and most": f"{files[0]} {files[-1]}",
    }, good, managers.wrong[:5]


def run(name, binary, seconds):
    paths.DAEMON = paths.ROOT / binary
    with tempfile.TemporaryDirectory(prefix="rstw-") as directory, netns.pair() as ends:
        os.chmod(directory, 0o755)
        with Station(pathlib.Path(directory), netns=ends[0].namespace, source="bpf",
                     notify_by=[]) as station:
            station.start()
            return stress(station, ends, seconds)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=300)
    options = parser.parse_args()
    cleanup.end_signals_unwind()
    # What is freed is kept for a while, by default up to 256 MB: no slope would be seen.
    os.environ["ASAN_OPTIONS"] = "quarantine_size_mb=4"
    columns = [run(name, binary, options.seconds) for name, binary in BUILDS.items()]
    print(ROW.format(f"{options.seconds} s", *BUILDS))
    for row in columns[0][0]:
        print(ROW.format(row, *(str(figures[row]) for figures, _, _ in columns)))
    for _, _, wrong in columns:
        print(*wrong, sep="\n", end="\n" if wrong else "")
    return 0 if all(good for _, good, _ in columns) else 1


if __name__ == "__main__":
    sys.exit(main())
