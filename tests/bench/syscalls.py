"""Which system calls a process makes, and on what kind of descriptor, counted by strace."""

import re
from collections import Counter
from contextlib import contextmanager

from lab.process import Process

# 12 read(5<pipe:[6789]>, … or pread64(3</proc/7/net/snmp>, …
_CALL = re.compile(r"^(?:\d+ +)?(?P<name>\w+)\((?:(?P<file>\d+)<(?P<what>[^>]*)>)?")


class Calls:
    """Filled when the block of counted() has ended."""

    def __init__(self):
        self.by_label = Counter()  # "read pipe", "sendto socket", "pread64 netstat", "pselect6"
        self.by_file = Counter()   # the same with the descriptor: ("read pipe", "5")


@contextmanager
def counted(pid, log):
    """Counts the calls of a process while the block runs; `log` is a path to write to."""
    calls = Calls()
    strace = Process("strace", ["strace", "-f", "-y", "--signal=none", "-o", log, "-p", pid])
    with strace:
        strace.wait_for_line("attached")
        yield calls
    for line in log.read_text(errors="replace").splitlines():
        call = _CALL.match(line)
        # Attaching makes the call that it interrupts begin again.
        if not call or call["name"] == "restart_syscall":
            continue
        label = " ".join(filter(None, (call["name"], _kind(call["what"]))))
        calls.by_label[label] += 1
        calls.by_file[label, call["file"]] += 1


def _kind(what):
    """ "pipe", "socket", or the name of a file."""
    if not what:
        return None
    return what.rsplit("/", 1)[-1] if what.startswith("/") else what.partition(":")[0].lower()
