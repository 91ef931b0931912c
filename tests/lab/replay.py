"""Replay files: what the daemon shall believe the kernel said, and when.

A moment is a time in ms and what counters and other keys are from then on;
what a moment does not name stays as it was, and is QUIET before the first.
Peers do not stay: they are of their moment only.
"""

QUIET = {"tcpResetReceived": 0, "tcpResetSent": 0, "tcpResetSynCookiesSent": 0,
         "syn_cookie_state": "onOverflow"}


def write(path, *moments):
    """moments: (ms, {key: value}) …. Returns the argument of -s."""
    known, lines = dict(QUIET), {0: QUIET}
    for ms, changes in moments:
        lines[ms] = {**known, **changes}
        known = {key: value for key, value in lines[ms].items() if not _is_of_peers(key)}
    path.write_text("".join(_line(ms, keys) for ms, keys in lines.items()))
    return f"replay:{path}"


def _line(ms, keys):
    words = [f"{key}={value}" for key, values in keys.items()
             for value in (values if isinstance(values, list) else [values])]
    return " ".join([f"time_ms={ms}", *words]) + "\n"


def _is_of_peers(key):
    return key.endswith((".peer", ".others"))


def peers(direction, *peers, others=0):
    """Keys of a moment: whose resets they are that came since the moment before; each peer
    is (address, local port, label of a cause, count)."""
    return {f"{direction}.peer": [",".join(map(str, each)) for each in peers],
            f"{direction}.others": others}


def steady(counter, rate, start_ms=100, seconds=60, step_ms=100):
    """Moments in which one counter grows by `rate` a second."""
    return [(start_ms + ms, {counter: rate * (ms + step_ms) // 1000})
            for ms in range(0, seconds * 1000, step_ms)]
