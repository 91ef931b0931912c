"""What /proc says that processes use: CPU, runs on a CPU, memory."""

import re
from pathlib import Path
from statistics import median
from typing import NamedTuple


class Cpu(NamedTuple):
    """Since the process began. User and system together; the kernel counts in ns."""

    ns: int
    runs: int  # times it was put on a CPU: its wake-ups, mostly

    def __sub__(self, before):
        return Cpu(self.ns - before.ns, self.runs - before.runs)


def cpu(pids):
    """Sum over the threads of processes; those that ended meanwhile are missing."""
    rows = [task.read_text().split()
            for pid in pids for task in Path(f"/proc/{pid}/task").glob("*/schedstat")]
    return Cpu(sum(int(row[0]) for row in rows), sum(int(row[2]) for row in rows))


class Memory(NamedTuple):
    """KiB, of several processes together."""

    private: int  # pages that one of them has for itself
    pss: int      # every page divided by the number of its users
    own: int      # the part of pss that no file backs: heap, stack, written data, shared memory


def memory(pids):
    texts = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids]
    found = [{key: int(kib) for key, kib in re.findall(r"^(\w+): +(\d+) kB", text, re.MULTILINE)}
             for text in texts]
    return Memory(*(sum(each[key] for each in found for key in keys) for keys in (
        ("Private_Clean", "Private_Dirty"), ("Pss",), ("Pss_Anon", "Pss_Shmem"))))


class Spread(NamedTuple):
    """Repeated measurements of one thing."""

    median: float
    minimum: float
    maximum: float


def spread(values):
    return Spread(median(values), min(values), max(values))
