"""`make run`: a monitored host in small, to look at.

Starts a private snmpd, the daemon and snmptrapd, makes real TCP resets between
two network namespaces, and shows what an operator's tools would show, read
over SNMP. Ctrl-C ends all of it. With RUN_SECONDS=<n> it ends by itself, with
status 0 only if an alarm's raise and its clear have arrived at snmptrapd.
"""

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab import cleanup, paths  # noqa: E402

from plain import PlainLines  # noqa: E402
from reading import Poller  # noqa: E402
from stage import stage  # noqa: E402
from terminal import Terminal, is_usable  # noqa: E402
from view import View  # noqa: E402

POLL_SECONDS = 1


def main():
    cleanup.end_signals_unwind()
    if problem := why_not():
        print(f"make run: {problem}", file=sys.stderr)
        return 1
    seconds, notifications = run_seconds(), []
    try:
        with suppress(KeyboardInterrupt), stage() as scene:
            play(scene, notifications, seconds)
    except (RuntimeError, TimeoutError) as error:
        print(f"make run: {error}", file=sys.stderr)
        return 1
    complete = report(notifications)
    return 0 if complete or seconds is None else 1


def why_not():
    if os.geteuid() != 0:
        return "needs root, to make network namespaces"
    if not paths.DAEMON.exists():
        return f"{paths.DAEMON.relative_to(paths.ROOT)} is not there; run make"
    return None


def run_seconds():
    """None: until Ctrl-C."""
    text = os.environ.get("RUN_SECONDS", "")
    return float(text) if text else None


def play(scene, notifications, seconds):
    """Shows the scene for that long; notifications are kept in the list."""
    poller = Poller(scene.station)
    begun = time.monotonic()
    with show(scene) as display:
        while seconds is None or time.monotonic() < begun + seconds:
            scene.traffic.step()
            reading = poller.poll()
            notifications[:] = reading.notifications
            display.show(reading, scene.traffic.says(), time.monotonic() - begun)
            rest_until(begun, POLL_SECONDS)


def show(scene):
    view = View(scene)
    return Terminal(view) if is_usable(sys.stdout) else PlainLines(view)


def rest_until(begun, period):
    """The next whole period after `begun`: a poller's own clock, nothing is waited for."""
    passed = time.monotonic() - begun
    time.sleep(period - passed % period)


def report(notifications):
    """What came, on the screen that stays; whether it was all that should come."""
    for each in notifications:
        print(f"{each.name}: {each.summary}")
    missing = {"raise", "clear"} - {each.word for each in notifications}
    if missing:
        print(f"make run: snmptrapd got no {' and no '.join(sorted(missing, reverse=True))}",
              file=sys.stderr)
    return not missing


sys.exit(main())
