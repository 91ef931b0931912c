"""A day, ten times as fast: what `make day` runs.

    day.py [--seconds N]         N seconds of it (8640, a whole day)
           [--restart-every N]   seconds between restarts of snmpd (20)

A replay file has the day: few resets, and every 1,000 s of it a minute of many, so that an
alarm is raised and cleared again. Meanwhile the load of `make stress`. Each alarm must be told
once, and be in the log; the rest of the table is that of `make stress`.
"""

import argparse
import os
import pathlib
import random
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from lab import cleanup, replay, sinks  # noqa: E402
from lab.station import Station  # noqa: E402
from lab.wait import wait_until  # noqa: E402
from stress import load  # noqa: E402

SPEED = 10
DAY_S = 86_400 // SPEED
PERIOD_S, BURST_S = 1000 // SPEED, 60 // SPEED  # the baseline forgets after 70 s
BURST, REST = 500, 4  # resets a second: above the threshold, and below that at which it clears
LAST_QUIET_S = 25  # in which the last alarm clears
PER_FAMILY = [f"tcpReset{way}{family}" for way in ("Received", "Sent") for family in ("Ipv4", "Ipv6")]
RAISED, CLEARED = "tcpResetAlarmRaised", "tcpResetAlarmCleared"


def write_day(path, seconds):
    """Returns the argument of -s and the number of bursts."""
    count, bursts, moments = 0, 0, {}  # count: since when
    for second in range(1, seconds + LAST_QUIET_S):
        bursting = second % PERIOD_S >= PERIOD_S - BURST_S - LAST_QUIET_S \
            and second % PERIOD_S < PERIOD_S - LAST_QUIET_S and second < seconds
        bursts += bursting and second % PERIOD_S == PERIOD_S - BURST_S - LAST_QUIET_S
        for tenth in range(10):
            count += BURST // 10 if bursting else random.random() < REST / 10
            moments.setdefault(count, second * 1000 + tenth * 100)
    return replay.write(path, (0, dict.fromkeys(PER_FAMILY, 0)), *(
        (ms, dict.fromkeys(("tcpResetReceived", "tcpResetReceivedIpv4"), count))
        for count, ms in moments.items())), bursts


def check_alarms(station, bursts):
    """What is wrong with them."""
    wrong = []
    told = {name: len(station.receiver.received(name, sink=sinks.V2C)) for name in (RAISED, CLEARED)}
    if told != {RAISED: bursts, CLEARED: bursts}:
        wrong.append(f"{bursts} bursts; told: {told}")
    if (newest := station.manager.get("tcpResetEventNewest.0")) != 2 * bursts:
        wrong.append(f"{bursts} bursts; {newest} events")
    return wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=DAY_S)
    parser.add_argument("--restart-every", type=int, default=20)
    options = parser.parse_args()
    seconds = options.seconds
    cleanup.end_signals_unwind()
    with tempfile.TemporaryDirectory(prefix="rstw-") as name:
        os.chmod(name, 0o755)
        directory = pathlib.Path(name)
        source, bursts = write_day(directory / "day", seconds)
        with Station(directory, source=source, notify_by=[sinks.V2C]) as station:
            station.start()
            figures, wrong = load.play(station, seconds + LAST_QUIET_S,
                                       restart_every_s=options.restart_every)
            wait_until(lambda: station.manager.get("tcpResetEventsPending.0") == 0, 10,
                       "all events told")
            wrong += check_alarms(station, bursts)
    return load.show(f"{seconds} s, a day is {DAY_S}",
                     {"as built": ({**figures, "alarms raised and cleared": bursts}, wrong)})


if __name__ == "__main__":
    sys.exit(main())
