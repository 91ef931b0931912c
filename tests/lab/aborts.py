"""Real aborts of established connections: one side closes with a linger time of 0.

Each one makes the aborting side send a reset and the other side receive it.
"""

import sys
from pathlib import Path

from lab.netns import End
from lab.order import one_cpu
from lab.process import Process

_PROGRAM = Path(__file__).with_name("abort_generator.py")
_PORT = 7007


def abort(source: End, target: End, count):
    """`source` connects to `target` and aborts, count times; returns when all are over."""
    with one_cpu(), _process("accept", target, target, count) as accepting:
        accepting.wait_for_line("^ready$")
        with _process("abort", source, target, count) as aborting:
            assert aborting.wait_end(20) == 0, aborting.log
        assert accepting.wait_end(20) == 0, accepting.log


def _process(role, end, target, count):
    return Process(f"{role}ing", [sys.executable, _PROGRAM, role, target.ipv4, _PORT, count],
                   netns=end.namespace)
