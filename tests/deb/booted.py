"""A tree whose systemd runs, in namespaces of its own: what the unit file is for."""

import subprocess
from pathlib import Path

from lab import cleanup
from lab.process import Process, children_of
from lab.wait import wait_until

BOOT = Path(__file__).with_name("boot.sh")
PATH = "PATH=/usr/sbin:/usr/bin:/sbin:/bin"
UNIT = "rstwatchd.service"


class Booted:
    def __init__(self, tree, groups):
        """groups: a directory for control groups, which is made and goes."""
        self._tree, self._groups = tree, groups
        self._process = None

    def __enter__(self):
        self._groups.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "cgroup2", "groups", self._groups], check=True)
        cleanup.register(self, self._end)
        self._process = Process("systemd", ["sh", BOOT, self._tree, self._groups / "rstwatch-boot"])
        wait_until(lambda: self.run("systemctl", "is-system-running") in ("running", "degraded"), 60,
                   lambda: f"a system that runs:\n{self._process.log}")
        return self

    def __exit__(self, *_):
        self._end()
        cleanup.forget(self)

    @property
    def pid(self):
        """Of its first process, here; None before there is one."""
        first, = children_of(self._process.pid) or [None]
        return first

    def run(self, *command):
        """What it prints; whether it is content is seen by that."""
        if not self.pid:
            return ""
        return subprocess.run(
            ["nsenter", "-t", str(self.pid), "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w",
             "env", "-i", PATH, *command], text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT).stdout.strip()

    def show(self, property_name):
        """Of the daemon's unit."""
        return self.run("systemctl", "show", "--property", property_name, "--value", UNIT)

    def journal(self):
        return self.run("journalctl", "--unit", UNIT, "--output", "cat", "--no-pager")

    def _end(self):
        if self._process:
            self._process.stop()
        for group in sorted(self._groups.glob("rstwatch-boot/**/"), reverse=True):
            wait_until(lambda group=group: _removed(group), 10, f"the end of all in {group}")
        subprocess.run(["umount", self._groups], check=True)


def _removed(group):
    try:
        group.rmdir()
    except OSError:
        return False
    return True
