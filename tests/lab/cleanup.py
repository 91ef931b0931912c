"""What must not outlive this interpreter, whatever ends it.

Context managers remove their things themselves; each thing is also registered
here, so that atexit removes what a second Ctrl-C or a bug left behind.
"""

import atexit
import signal
import sys

_registered = {}


def register(key, remove):
    """remove() is called at exit unless forget(key) was called before."""
    _registered[key] = remove


def forget(key):
    _registered.pop(key, None)


def _interrupt(number, _frame):
    raise KeyboardInterrupt(signal.Signals(number).name)


def end_signals_unwind():
    """SIGTERM and SIGHUP unwind like Ctrl-C does, so that context managers end."""
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)


@atexit.register
def _remove_what_is_left():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    for key in reversed(list(_registered)):
        remove = _registered.pop(key)
        try:
            remove()
        except Exception as error:  # the next thing must be removed all the same
            print(f"cleanup of {key}: {error}", file=sys.stderr)
