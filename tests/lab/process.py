"""A child process whose output is kept line by line, with the time of each."""

import os
import re
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from lab import cleanup
from lab.wait import wait_until

STOP_SECONDS = 5


@dataclass(frozen=True)
class Line:
    ns: int  # CLOCK_MONOTONIC on arrival: the same clock in every process
    text: str


class Process:
    """Started at once; ended by stop(), kill() or the end of its `with`.

    The kernel kills it when this interpreter dies (PDEATHSIG), even by kill -9.
    It is in a session of its own, so Ctrl-C in a terminal reaches only us.
    """

    alive = []  # started by this interpreter and not yet ended, oldest first

    def __init__(self, name, command, *, netns=None, env=None):
        self.name = name
        self.lines = []
        inside = netns.prefix if netns else []
        self._popen = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", *inside, *map(str, command)],
            env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", bufsize=1,
            start_new_session=True)
        self._reader = threading.Thread(target=self._read_lines, daemon=True)
        self._reader.start()
        self.alive.append(self)
        cleanup.register(self, self.kill)

    def __repr__(self):
        return f"{self.name} (pid {self.pid})"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def pid(self):
        return self._popen.pid

    @property
    def status(self):
        """Exit status; None while it runs; -n when signal n ended it."""
        return self._popen.poll()

    @property
    def running(self):
        return self.status is None

    @property
    def log(self):
        return "\n".join(line.text for line in self.lines)

    def matching(self, pattern):
        return [line for line in list(self.lines) if re.search(pattern, line.text)]

    def wait_for_line(self, pattern, timeout=5, count=1):
        """The first `count` lines that match, once there are so many."""
        return wait_until(
            lambda: len(found := self.matching(pattern)) >= count and found[:count], timeout,
            lambda: f"{count} line(s) with {pattern!r} from {self!r}, which said:\n{self.log}")

    def wait_end(self, timeout=STOP_SECONDS):
        """Waits until it has ended by itself; its exit status."""
        wait_until(lambda: not self.running, timeout, lambda: f"the end of {self!r}:\n{self.log}")
        self._ended()
        return self.status

    def send(self, number):
        self._popen.send_signal(number)

    def pause(self):
        self.send(signal.SIGSTOP)
        wait_until(lambda: state_of(self.pid) == "T", STOP_SECONDS, f"SIGSTOP of {self!r}")

    def resume(self):
        self.send(signal.SIGCONT)

    def kill(self):
        """kill -9, and its end."""
        self._popen.kill()
        self._popen.wait()
        self._ended()

    def stop(self):
        """SIGTERM, and kill -9 if that does not end it. Its exit status."""
        self._popen.terminate()
        self.resume()
        try:
            self._popen.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        self._ended()
        return self.status

    def _ended(self):
        self._reader.join(1)  # a grandchild may hold the pipe open for longer
        if self in self.alive:
            self.alive.remove(self)
        cleanup.forget(self)

    def _read_lines(self):
        with self._popen.stdout as output:
            for text in output:
                self.lines.append(Line(time.monotonic_ns(), text.rstrip("\n")))


def _stat_fields(pid):
    """Fields of /proc/<pid>/stat from the state on; none when there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def state_of(pid):
    """R, S, T, Z … or None when there is no such process."""
    return next(iter(_stat_fields(pid)), None)


def started_ns(pid):
    """When it was forked, in CLOCK_MONOTONIC, as the kernel says: to 5 ms."""
    ticks = int(_stat_fields(pid)[19]) + 0.5
    asleep_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.monotonic_ns()
    return int(ticks * 1_000_000_000 / os.sysconf("SC_CLK_TCK")) - asleep_ns


def is_gone(pid):
    """Ended, whether or not its parent has waited for it."""
    return state_of(pid) in (None, "Z", "X")


def children_of(pid):
    return [child for child in _running() if _stat_fields(child)[1:2] == [str(pid)]]


def processes_about(path):
    """Those with this path in their command line, oldest first."""
    return [pid for pid in _running() if str(path) in _command_line(pid)]


def _running():
    found = sorted(int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())
    return [pid for pid in found if not is_gone(pid)]


def _command_line(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []
