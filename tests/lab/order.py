"""What keeps packets between namespaces in the order in which they were made."""

import os
from contextlib import contextmanager


@contextmanager
def one_cpu():
    """What this thread, or a process that it starts meanwhile, sends does not overtake itself.

    The kernel has a queue of received packets for each CPU: after a move to another
    CPU, the next packet may come before the last one.
    """
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
