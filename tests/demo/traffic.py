"""Floods of resets with silence between them, again and again."""

import time

from lab.resets import ResetGenerator

QUIET_FIRST = 2  # seconds, so that the first flood is seen from its start
FLOOD, QUIET = 20, 25
# Of two peers each: (family, a second).
RECEIVED_RATES = (("IPv4", 100), ("IPv6", 20))
SENT_RATES = (("IPv4", 20), ("IPv6", 10))


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
                ResetGenerator(source, target, family=family, rate=rate)
                for source, target, rates in ((self._here, self._there, RECEIVED_RATES),
                                              (self._there, self._here, SENT_RATES))
                for family, rate in rates]
        elif not self._is_flood():
            self._stop()

    def says(self):
        left = self._seconds_left()
        if self._is_flood():
            return (f"{total(RECEIVED_RATES)} resets a second come in, {total(SENT_RATES)} go out;"
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


def total(rates):
    return sum(rate for _, rate in rates)
