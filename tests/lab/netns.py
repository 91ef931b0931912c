"""Network namespaces of our own: rstw-<pid>-<number>, pid of this interpreter."""

import ctypes
import itertools
import os
import subprocess
from contextlib import contextmanager
from pathlib import Path

from lab import cleanup
from lab.wait import wait_until

_numbers = itertools.count(1)
_DIRECTORY = Path("/run/netns")
_libc = ctypes.CDLL(None, use_errno=True)


class Namespace:
    """One network namespace with its loopback up."""

    def __init__(self):
        self.name = f"rstw-{os.getpid()}-{next(_numbers)}"
        self.prefix = ["nsenter", f"--net={_DIRECTORY / self.name}", "--"]
        _ip("netns", "add", self.name)
        cleanup.register(self, self.remove)
        self.ip("link", "set", "lo", "up")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()

    def run(self, command, **options):
        """Runs a command inside to its end; its standard output."""
        return _run([*self.prefix, *map(str, command)], **options)

    @contextmanager
    def inside(self):
        """Sockets that this thread opens meanwhile are of the namespace, as long as they live."""
        with open("/proc/thread-self/ns/net", "rb") as outside, \
                open(_DIRECTORY / self.name, "rb") as inside:
            _enter(inside)
            try:
                yield
            finally:
                _enter(outside)

    def ip(self, *arguments):
        return _ip("-n", self.name, *arguments)

    def sysctl(self, name, value):
        self.run(["sh", "-c", f"echo {value} > /proc/sys/{name.replace('.', '/')}"])

    @contextmanager
    def setting(self, name, value):
        """A sysctl that has this value for a while."""
        path = f"/proc/sys/{name.replace('.', '/')}"
        before = self.run(["cat", path]).strip()
        self.sysctl(name, value)
        try:
            yield
        finally:
            self.sysctl(name, before)

    def remove(self):
        cleanup.forget(self)
        _ip("netns", "delete", self.name)


class End:
    """One end of a pair: its namespace and its addresses."""

    def __init__(self, namespace, number):
        self.namespace = namespace
        self.ipv4 = f"192.0.2.{number}"
        self.ipv6 = f"2001:db8::{number}"

    def address(self, family):
        return {"IPv4": self.ipv4, "IPv6": self.ipv6}[family]

    def set_up(self):
        self.namespace.ip("address", "add", f"{self.ipv4}/24", "dev", "veth0")
        self.namespace.ip("address", "add", f"{self.ipv6}/64", "dev", "veth0", "nodad")
        self.namespace.ip("link", "set", "veth0", "up")

    def is_up(self):
        state = self.namespace.ip("-oneline", "link", "show", "veth0")
        addresses = self.namespace.ip("-oneline", "address", "show", "dev", "veth0")
        return "LOWER_UP" in state and "tentative" not in addresses


@contextmanager
def pair():
    """Two namespaces joined by a veth pair, with IPv4 and IPv6 addresses."""
    remove_those_of_dead_processes()
    with Namespace() as here, Namespace() as there:
        ends = End(here, 1), End(there, 2)
        _ip("link", "add", "veth0", "netns", here.name,
            "type", "veth", "peer", "name", "veth0", "netns", there.name)
        for end in ends:
            end.set_up()
        wait_until(lambda: all(end.is_up() for end in ends), 5, "a veth pair that is up")
        yield ends


def remove_those_of_dead_processes():
    """What an earlier run left behind when it was killed with kill -9."""
    for path in _DIRECTORY.glob("rstw-*-*"):
        pid = path.name.split("-")[1]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            _ip("netns", "delete", path.name)


def _enter(namespace):
    if _libc.setns(namespace.fileno(), 0) != 0:
        raise OSError(ctypes.get_errno(), f"setns to {namespace.name}")


def _ip(*arguments):
    return _run(["ip", *arguments])


def _run(command, **options):
    result = subprocess.run(command, capture_output=True, text=True, timeout=30, **options)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {result.stderr.strip() or result.stdout.strip()}")
    return result.stdout
