"""The scenarios by name, in full and cut short."""

import shutil
import tempfile
import time
import traceback
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from lab import cleanup

from soak import real, replayed, storage
from soak.tally import Row

ALL = {
    "snmpd restarted": real.snmpd_restarts,
    "agent killed": real.agent_kills,
    "daemon killed": replayed.daemon_kills,
    "snmpd paused": replayed.pauses,
    "receiver drops": replayed.lossy_receiver,
    "clock and counters": replayed.clock_steps,
    "directory unusable": storage.directories,
    "disk nearly full": storage.nearly_full,
    "database damaged": storage.damaged_files,
    "crash and damage": storage.crashed_files,
}

SHORT = {
    "snmpd restarted": partial(real.snmpd_restarts, pairs=4, restarts=3, sources=["bpf"]),
    "agent killed": partial(real.agent_kills, kills=8, stations=2, apart_s=5),
    "daemon killed": partial(replayed.daemon_kills, kills=4, stations=2, life_s=10),
    "snmpd paused": partial(replayed.pauses, seconds=(1, 5)),
    "receiver drops": partial(replayed.lossy_receiver, crossings=12),
    "clock and counters": partial(replayed.clock_steps, rounds=1),
    "directory unusable": storage.directories,
    "disk nearly full": partial(storage.nearly_full, pages=(1, 4)),
    "database damaged": partial(storage.damaged_files, cuts=12, flips=6, stations=2),
    "crash and damage": partial(storage.crashed_files, cuts=4, flips=2, stations=2),
}


@contextmanager
def place():
    """A directory. Ctrl-C leaves it to lab.cleanup: threads may have mounted something in it."""
    directory = Path(tempfile.mkdtemp(prefix="rstw-"))
    directory.chmod(0o755)  # any user may pass through it
    cleanup.register(directory, lambda: shutil.rmtree(directory))
    yield directory
    cleanup.forget(directory)
    shutil.rmtree(directory)


def played(name, play, seed):
    """Its Row; a scenario that breaks off is a fault, too."""
    begun = time.monotonic()
    with place() as directory:
        try:
            row = play(directory, seed)
        except Exception:
            row = Row(faults=[traceback.format_exc()])
    row.scenario, row.seconds = name, time.monotonic() - begun
    return row
