"""Replay files: what the daemon shall believe the kernel said, and when.

A moment is a time in ms and what counters and other keys are from then on;
what a moment does not name stays as it was, and is QUIET before the first.
"""

QUIET = {"tcpResetReceived": 0, "tcpResetSent": 0, "tcpResetSynCookiesSent": 0,
         "syn_cookie_state": "onOverflow"}


def write(path, *moments):
    """moments: (ms, {key: value}) …. Returns the argument of -s."""
    known, lines = dict(QUIET), {0: QUIET}
    for ms, changes in moments:
        known = {**known, **changes}
        lines[ms] = known
    path.write_text("".join(_line(ms, keys) for ms, keys in lines.items()))
    return f"replay:{path}"


def _line(ms, keys):
    return " ".join([f"time_ms={ms}", *(f"{key}={value}" for key, value in keys.items())]) + "\n"


def steady(counter, rate, start_ms=100, seconds=60, step_ms=100):
    """Moments in which one counter grows by `rate` a second."""
    return [(start_ms + ms, {counter: rate * (ms + step_ms) // 1000})
            for ms in range(0, seconds * 1000, step_ms)]
