"""What the tests share. They need root: namespaces, and a daemon that drops rights."""

import os
import tempfile
from pathlib import Path

import pytest

from lab import cleanup, netns, paths
from lab.process import Process
from lab.station import Station

LOG_LINES_SHOWN = 60


def pytest_sessionstart():
    cleanup.end_signals_unwind()
    if os.geteuid() != 0:
        pytest.exit("tests/agentx: run as root; network namespaces need it", returncode=1)
    if not paths.DAEMON.exists():
        pytest.exit(f"tests/agentx: {paths.DAEMON.name} is not built; run make", returncode=1)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure shows what each running process said last."""
    report = (yield).get_result()
    if report.failed:
        for process in Process.alive:
            last = process.log.splitlines()[-LOG_LINES_SHOWN:]
            report.sections.append((f"{process!r}", "\n".join(last)))


@pytest.fixture(scope="module")
def directory():
    """For the files of one module's station. Any user may pass through it."""
    with tempfile.TemporaryDirectory(prefix="rstw-") as path:
        os.chmod(path, 0o755)
        yield Path(path)


@pytest.fixture
def new_station():
    """Makes stations for one test; they end with it."""
    stations = []
    with tempfile.TemporaryDirectory(prefix="rstw-") as path:
        os.chmod(path, 0o755)

        def make(**options):
            directory = Path(path) / str(len(stations))
            directory.mkdir()
            stations.append(Station(directory, **options))
            return stations[-1]

        yield make
        for station in reversed(stations):
            station.stop()


@pytest.fixture(scope="module")
def pair():
    """Two namespaces joined by a cable: (here, where the daemon is; there, its peer)."""
    with netns.pair() as ends:
        yield ends
