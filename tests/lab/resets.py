"""Real TCP resets: connections to closed ports, at an exact rate.

Each one makes the connecting side receive a reset and the other side send one.
"""

import sys
from pathlib import Path

from lab.netns import End
from lab.process import Process

CLOSED_PORT = 9
AS_FAST_AS_POSSIBLE = 0
ENDLESS = 0

_PROGRAM = Path(__file__).with_name("reset_generator.py")


class ResetGenerator(Process):
    """Connects from `source` to a closed port of `target`, two ends of a pair."""

    def __init__(self, source: End, target: End, *, rate=AS_FAST_AS_POSSIBLE, count=ENDLESS,
                 family="IPv4", wave=()):
        """wave: (resets in a burst, seconds from one to the next)."""
        super().__init__(f"resets to {target.address(family)}", [
            sys.executable, _PROGRAM, target.address(family), CLOSED_PORT, rate, count,
            *wave],
            netns=source.namespace)

    @property
    def times(self):
        """CLOCK_MONOTONIC ns at which the connecting side had each reset so far."""
        return [int(line.text) for line in list(self.lines) if line.text.isdigit()]

    def wait_count(self, count, timeout):
        """The time of the reset number `count`, once it has been made."""
        self.wait_for_line(r"^\d+$", timeout, count)
        return self.times[count - 1]

    def finish(self, timeout):
        """Waits until all resets are made; their times."""
        status = self.wait_end(timeout)
        assert status == 0, self.log
        return self.times
