"""The one way to wait: for a condition, with a limit."""

import time

POLL_SECONDS = 0.01


def wait_until(condition, timeout, what):
    """Polls until condition() is true and returns what it returned.

    After `timeout` seconds it fails and says `what` was waited for; that may
    be a function, called only then.
    """
    deadline = time.monotonic() + timeout
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() >= deadline:
            text = what() if callable(what) else what
            raise TimeoutError(f"{timeout:g} s passed without: {text}")
        time.sleep(POLL_SECONDS)


def let_pass(seconds):
    """For a test of what time does: an outage that lasts so long, say."""
    time.sleep(seconds)
