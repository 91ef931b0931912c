"""The counters by cause, as a daemon answers for them."""

from collections import Counter
from dataclasses import dataclass

from lab import definitions, mib
from lab.snmp import Missing

DIRECTIONS = {"received": 1, "sent": 2}
LABELS = {int(cause.number): cause.label for cause in definitions.causes()}
ROWS = [(direction, number) for direction in DIRECTIONS for number in LABELS]
TOTALS = {"received": "tcpResetReceived.0", "sent": "tcpResetSent.0"}


@dataclass(frozen=True)
class Reading:
    """One answer of the daemon."""

    rows: Counter  # by (direction, cause)
    totals: Counter  # by direction

    @classmethod
    def of(cls, manager):
        names = [mib.oid(f"tcpResetCauseCount.{DIRECTIONS[direction]}.{number}")
                 for direction, number in ROWS]
        *rows, received_total, sent_total = manager.values(*names, *TOTALS.values())
        return cls(Counter({(direction, LABELS[number]): value
                            for (direction, number), value in zip(ROWS, rows)
                            if not isinstance(value, Missing)}),
                   Counter(received=received_total, sent=sent_total))

    def check(self):
        assert by_direction(self.rows) == self.totals


def by_direction(rows):
    totals = Counter(received=0, sent=0)
    for (direction, _), value in rows.items():
        totals[direction] += value
    return totals


def growth(before, after):
    """Without what stayed as it was; what became less is negative."""
    return {key: after[key] - before[key] for key in after if after[key] != before[key]}
