"""What became of the crossings: the row of a scenario and the table of all."""

import threading
from collections import defaultdict
from dataclasses import dataclass, field

from lab.snmptrapd import Notification

from soak.reference import NS, SAMPLE_NS
from soak.site import KINDS, NOTIFICATIONS, is_of

PER_SECOND = 10  # notifications leave at most at this rate: rstwatchd(8)
# After an outage the daemon connects again, after a crash it starts; on a busy machine.
LATE_NS = NS
NEAR_NS = NS // 2  # what arrived this long before an outage may have been acknowledged or not

HEADER = ("scenario", "crossings", "events", "trap", "inform", "lost", "doubled", "by a kill",
          "false", "late (s)", "seconds")


@dataclass
class Row:
    """By event number: `received` counts each number once, at each receiver."""
    scenario: str = ""
    crossings: int = 0
    events: int = 0
    received: list = field(default_factory=lambda: [0, 0])
    lost: int = 0
    doubled: int = 0         # where it must not be
    doubled_by_kill: int = 0  # between a notification and its acknowledgement
    false: int = 0           # events without a crossing
    late_ns: int = 0         # the greatest delay beyond outage and one sample
    seconds: float = 0
    faults: list = field(default_factory=list)
    notes: list = field(default_factory=list)

    def __iadd__(self, other):
        for name in ("crossings", "events", "lost", "doubled", "doubled_by_kill", "false"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.received = [a + b for a, b in zip(self.received, other.received)]
        self.late_ns = max(self.late_ns, other.late_ns)
        self.faults += other.faults
        return self

    def cells(self):
        return (self.scenario, self.crossings, self.events, *self.received, self.lost,
                self.doubled, self.doubled_by_kill, self.false, f"{self.late_ns / NS:.2f}",
                f"{self.seconds:.0f}")


def total(rows):
    sum_ = Row()
    for row in rows:
        sum_ += row
    return sum_


def judge(site, crossings=None, *, faults=(), late_ns=(LATE_NS, LATE_NS)):
    """The Row of one site; crossings: those of real resets. late_ns: at each receiver."""
    events = site.events()
    crossings = site.crossings(events) if crossings is None else crossings
    row = Row(crossings=len(crossings), events=len(events), faults=list(faults))
    pairs, false = match(events, crossings)
    row.false = len(false)
    row.faults += [f"false: {event}" for event in false]
    missing = set(crossings) - {crossing for crossing, _ in pairs}
    row.lost += len(missing)
    row.faults += [f"no event: {crossing}" for crossing in sorted(missing)]
    if any(b.number != a.number + 1 for a, b in zip(events, events[1:])):
        row.faults.append(f"event numbers: {[event.number for event in events]}")
    due = dict(zip((event.number for _, event in pairs), dues(site, pairs)))
    for n, receiver in enumerate(site.receivers):
        judge_receiver(row, n, receiver.received(*NOTIFICATIONS), events, due, site.outages,
                       late_ns[n])
    if row.late_ns > NEAR_NS:
        row.notes.append(f"the latest: {row.late_ns / NS:.2f} s")
    for fault in row.faults + row.notes:
        print(f"  {site.directory.name}: {fault}", flush=True)
    return row


def match(events, crossings):
    """([(crossing, its event)], events that have none)."""
    left, pairs = list(events), []
    for crossing in crossings:
        if event := next((each for each in left if is_of(each, crossing)), None):
            left.remove(event)
            pairs.append((crossing, event))
    return sorted(pairs, key=lambda pair: pair[1].number), left


def dues(site, pairs):
    """When each notification must have left: a sample after its crossing, after the outage that
    this is in, and at the pace at which they leave (a sample wakes the agent)."""
    found = []
    for crossing, _ in pairs:
        ns = crossing.ns + SAMPLE_NS
        for outage in sorted(site.outages, key=lambda each: each.begun_ns):
            if outage.begun_ns - NEAR_NS <= ns < outage.ended_ns:
                ns = outage.ended_ns
        if len(found) >= PER_SECOND:
            ns = max(ns, found[-PER_SECOND] + NS + SAMPLE_NS)
        found.append(ns)
    return found


def judge_receiver(row, n, notifications, events, due, outages, late_ns):
    where = ("trap", "inform")[n]
    copies = defaultdict(list)
    for each in notifications:
        copies[number_of(each)].append(each)
    first = {number: each[0] for number, each in copies.items()}
    row.received[n] += len(first)
    for event in events:
        if event.number not in first:
            row.lost += 1
            row.faults.append(f"{where}: lost {event}")
        elif content(first[event.number]) != (event.metric, event.kind):
            row.faults.append(f"{where}: {first[event.number]} is not {event}")
    for number, found in copies.items():
        excused = sum(may_double(each, outages) for each in found[:-1])
        row.doubled_by_kill += excused
        if extra := len(found) - 1 - excused:
            row.doubled += extra
            row.faults.append(f"{where}: {len(found)} copies of event {number}")
    if unknown := set(first) - {event.number for event in events}:
        row.faults.append(f"{where}: no such events: {sorted(unknown)}")
    if n == 0 and list(first) != sorted(first):
        row.faults.append(f"{where}: out of order: {list(first)}")
    for number, due_ns in due.items():
        if number in first:
            delay_ns = first[number].ns - due_ns
            row.late_ns = max(row.late_ns, delay_ns)
            if delay_ns > late_ns:
                row.faults.append(f"{where}: event {number} is {delay_ns / NS:.2f} s late")
    same = {(number_of(each), content(each)) for each in notifications}
    if len(same) != len(first):
        row.faults.append(f"{where}: a number used twice: {sorted(same)}")


def may_double(notification: Notification, outages):
    """Whether it may not have been acknowledged, so that another copy is due."""
    return any(outage.may_double and
               outage.begun_ns - NEAR_NS <= notification.ns <= outage.ended_ns + NS
               for outage in outages)


def number_of(notification):
    return int(notification.values["tcpResetEventNumber"])


def content(notification):
    return (notification.values["tcpResetEventMetricName"],
            KINDS[NOTIFICATIONS.index(notification.name) + 1])


def table(rows):
    lines = [HEADER, *(tuple(map(str, row.cells())) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join("  ".join(cell.ljust(width) if n == 0 else cell.rjust(width)
                               for n, (cell, width) in enumerate(zip(line, widths)))
                     for line in lines)


def side_by_side(function, items):
    """What function(item) returns for each, each in a thread of its own.

    A process dies with the thread that started it (PDEATHSIG), so a function also ends with
    what it starts. Threads do not keep a Ctrl-C waiting.
    """
    results = {}

    def run(n, item):
        try:
            results[n] = function(item)
        except BaseException as error:  # for the thread that waits
            results[n] = error

    threads = [threading.Thread(target=run, args=each, daemon=True) for each in enumerate(items)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results.values():
        if isinstance(result, BaseException):
            raise result
    return [results[n] for n in range(len(threads))]
