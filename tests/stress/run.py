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

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from lab import cleanup, netns, paths, segments  # noqa: E402
from lab.segments import RST, Packets  # noqa: E402
from lab.station import Station  # noqa: E402
from stress import load  # noqa: E402

BUILDS = {"as built": "build/rstwatchd", "sanitized": "build/gcc-san/rstwatchd"}
FLOOD, FLOOD_EVERY_S = 200_000, 30


def stress(station, ends, seconds):
    """Until the time is over; ({row: figure}, what was wrong)."""
    here, there = ends
    packet = Packets("IPv4", there, here).tcp(flags=RST)
    floods = []

    def flood(now):
        if now >= (len(floods) + 1) * FLOOD_EVERY_S - 20:
            floods.append(segments.start("link", [packet], there, here, FLOOD))

    figures, wrong = load.play(station, seconds, flood)
    for each in floods:
        each.wait_end(60)
    station.daemon.wait_for_samples(2)
    made, received = len(floods) * FLOOD, station.snmpd.v2c.get("tcpResetReceived.0")
    if received != made:
        wrong.append(f"{received} of {made} resets were counted")
    return {**figures, "resets flooded": made, "resets counted": received}, wrong


def run(binary, seconds):
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
    return load.show(f"{options.seconds} s",
                     {name: run(binary, options.seconds) for name, binary in BUILDS.items()})


if __name__ == "__main__":
    sys.exit(main())
