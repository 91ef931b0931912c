"""Floods of resets with silence between them, again and again."""

import time

from lab.resets import ResetGenerator

QUIET_FIRST = 2  # seconds, so that the first flood is seen from its start
FLOOD, QUIET = 20, 25
RECEIVED_RATE, SENT_RATE = 120, 30


class Traffic:
    """step() is called about once a second and starts or ends what is due."""

    def __init__(self, here, there):
        self._here, self._there = here, there
        self._begun = time.monotonic() + QUIET_FIRST
        self._generators = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stop()

    def step(self):
        if self._is_flood() and not self._generators:
            self._generators = [
                ResetGenerator(self._here, self._there, rate=RECEIVED_RATE),
                ResetGenerator(self._there, self._here, rate=SENT_RATE)]
        elif not self._is_flood():
            self._stop()

    def says(self):
        left = self._seconds_left()
        if self._is_flood():
            return (f"{RECEIVED_RATE} resets a second come in, {SENT_RATE} go out;"
                    f" {left:.0f} s more")
        return f"none; the next flood begins in {left:.0f} s"

    def _passed(self):
        return (time.monotonic() - self._begun) % (FLOOD + QUIET)

    def _is_flood(self):
        return time.monotonic() >= self._begun and self._passed() < FLOOD

    def _seconds_left(self):
        if time.monotonic() < self._begun:
            return self._begun - time.monotonic()
        return FLOOD - self._passed() if self._is_flood() else FLOOD + QUIET - self._passed()

    def _stop(self):
        for generator in self._generators:
            generator.stop()
        self._generators = []
