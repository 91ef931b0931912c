"""What asks and disturbs a daemon for a long time, and what is seen of it meanwhile."""

import os
import time

from bench import usage
from lab.process import children_of
from stress.managers import Managers

WRONG_SHOWN, LINES_SHOWN = 5, 20
SETTLED_S = 210  # before this, samples touch pages of their ring for the first time
PROCESSES = ("sampler", "agent")
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
    """Memory and open files of both processes, second by second.

    Memory is what no file backs: pages of libraries are private or not by who else runs.
    """

    def __init__(self, daemon):
        self._daemon = daemon
        self.began = time.monotonic()
        self.memory, self.files = {name: [] for name in PROCESSES}, []

    def look(self):
        now = time.monotonic() - self.began
        pids = [self._daemon.process.pid, *children_of(self._daemon.process.pid)]
        for points, pid in zip(self.memory.values(), pids):
            points.append((now, usage.memory([pid]).own))
        self.files.append(sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids))

    def of_memory(self):
        """Rows of each process."""
        rows = {}
        for name, points in self.memory.items():
            settled = [point for point in points if point[0] >= SETTLED_S]
            rows[f"{name}: memory at the end, KiB"] = points[-1][1]
            rows[f"{name}: slope, KiB a minute"] = f"{slope(settled):.1f}"
        return rows


def said_lately(station):
    """By both sides, but for SETs."""
    return [f"{process!r} said: {line.text}" for process in (station.daemon.process,
                                                             station.snmpd.process)
            for line in [line for line in list(process.lines)[-2000:]
                         if "settings changed" not in line.text][-LINES_SHOWN:]]


def play(station, seconds, meanwhile=lambda now: None, restart_every_s=20):
    """Managers ask, snmpd restarts, and each second meanwhile(seconds so far) is called.

    Returns ({row: figure}, what was wrong).
    """
    watch, agent, restarts = Watch(station.daemon), station.daemon.agent_pid, 0
    said = []
    with Managers(station.snmpd.port) as managers:
        while (now := time.monotonic() - watch.began) < seconds:
            managers.run_until(time.monotonic() + 1)
            watch.look()
            meanwhile(now)
            if managers.wrong and not said:
                said = [f"after {now:.0f} s:", *said_lately(station)]
            if now >= (restarts + 1) * restart_every_s:
                restarts += 1
                managers.interrupted()
                station.snmpd.restart()
                station.daemon.wait_ready()
    files = sorted(watch.files)
    same = station.daemon.agent_pid == agent
    return {
        "answers to pollers": managers.answered,
        "wrong": len(managers.wrong),
        "not answered, snmpd restarting": managers.unanswered,
        "SETs, each read again": managers.sets,
        "restarts of snmpd": restarts,
        "oldest sample, ms": managers.oldest_ms,
        "agent restarted": "no" if same else "yes",
        **watch.of_memory(),
        "open files, fewest and most": f"{files[0]} {files[-1]}",
    }, managers.wrong[:WRONG_SHOWN] + said + ([] if same else ["the agent was restarted"])


def show(title, columns):
    """columns: {head: (figures, wrong)}. The exit status."""
    print(ROW.format(title, *columns, *[""] * (2 - len(columns))))
    for row in next(iter(columns.values()))[0]:
        print(ROW.format(row, *(str(figures[row]) for figures, _ in columns.values()),
                         *[""] * (2 - len(columns))).rstrip())
    for _, wrong in columns.values():
        print(*wrong, sep="\n", end="\n" if wrong else "")
    return 1 if any(wrong for _, wrong in columns.values()) else 0
