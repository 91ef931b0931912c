"""What the daemon must say, reckoned from when the resets were made.

Growth is [(ns, resets)], the times CLOCK_MONOTONIC. A raise/clear pair of one
burst takes the 10 s of the window; many crossings come of bursts every 4 s:
the window then holds two of them and three in turn, and crosses a limit between
the two every 2 s. Two alarms at two stations make 200 raises and their clears
in 200 s, three alarms (their waves shifted) at more stations many more.
"""

from typing import NamedTuple

from lab import replay

NS = 1_000_000_000
WINDOW_NS = 10 * NS
SAMPLE_NS = NS // 10

PERIOD_S = 4
COUNTERS = {"received": "tcpResetReceived", "sent": "tcpResetSent",
            "synCookies": "tcpResetSynCookiesSent"}
SHIFT_MS = {"received": 300, "sent": 1000, "synCookies": 1600}
BURST = 100  # in one sample of a replay


class Crossing(NamedTuple):
    ns: int
    metric: str
    kind: str  # "raised" or "cleared"


class Limits(NamedTuple):
    """In resets of 10 s."""
    rising: int
    falling: int


REPLAY_LIMITS = Limits(250, 250)


def configuration(limits):
    return "".join(f"alarm {metric} {{ rising = {limits.rising / 10} falling = "
                   f"{limits.falling / 10} baseline-factor = 0 }}\n" for metric in COUNTERS)


def wave(seconds, metrics=tuple(COUNTERS)):
    """{metric: [(ms, resets)]} of a replay."""
    return {metric: [(ms, BURST) for ms in range(SHIFT_MS[metric], int(seconds * 1000),
                                                 PERIOD_S * 1000)] for metric in metrics}


def write_replay(path, growth):
    """The argument of -s. Negative growth is a counter that goes backwards."""
    changes = sorted((ms, COUNTERS[metric], count)
                     for metric, steps in growth.items() for ms, count in steps)
    totals, moments = dict.fromkeys(COUNTERS.values(), 10_000), {}
    moments[0] = dict(totals)
    for ms, counter, count in changes:
        totals[counter] += count
        moments[ms] = dict(totals)
    return replay.write(path, *moments.items())


def at(begun_ns, steps):
    """Growth of a replay that began then."""
    return [(begun_ns + ms * 1_000_000, count) for ms, count in steps if count > 0]


def levels(growth):
    """[(ns, resets of the 10 s before)], each time this changes."""
    level, found = 0, []
    for ns, change in sorted([*growth, *((ns + WINDOW_NS, -count) for ns, count in growth)]):
        level += change
        found.append((ns, level))
    return found


def crossings(metric, growth, limits, *, since_ns=0, raised=False, happened=lambda _: True):
    """Of a daemon that sees this from since_ns on. It clears only what it has seen for 10 s.

    What did not happen (the daemon may have died before) changes no state.
    """
    for ns, level in levels([*growth, (since_ns, 0)]):
        over = level <= limits.falling and ns >= since_ns + WINDOW_NS if raised \
            else level > limits.rising
        if over and happened(crossing := Crossing(ns, metric, "cleared" if raised else "raised")):
            raised = not raised
            yield crossing


def level_between(growth, begun_ns, ended_ns):
    """The least and the most that a sample taken between these times can have seen.

    The far end of the window lies between two samples, and what grew there is shared out; the
    clock of a reset is read right after it.
    """
    begun_ns, ended_ns = begun_ns - SAMPLE_NS // 2, ended_ns + SAMPLE_NS // 2
    far_ns = WINDOW_NS - SAMPLE_NS, WINDOW_NS + SAMPLE_NS
    sure = sum(n for ns, n in growth if ended_ns - far_ns[0] < ns <= begun_ns)
    most = sum(n for ns, n in growth if begun_ns - far_ns[1] < ns <= ended_ns)
    return sure, most
