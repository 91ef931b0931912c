"""Real aborts of established connections: one side closes with a linger time of 0.

Each one makes the aborting side send a reset and the other side receive it.
"""

import sys
from pathlib import Path

from lab.netns import End
from lab.process import Process

_PROGRAM = Path(__file__).with_name("abort_generator.py")
_PORT = 7007


def abort(source: End, target: End, count):
    """`source` connects to `target` and aborts, count times; returns when all are over."""
    with Process("accepting", [sys.executable, _PROGRAM, "accept", target.ipv4, _PORT, count],
                 netns=target.namespace) as accepting:
        accepting.wait_for_line("^ready$")
        with Process("aborting", [sys.executable, _PROGRAM, "abort", target.ipv4, _PORT, count],
                     netns=source.namespace) as aborting:
            assert aborting.wait_end(20) == 0, aborting.log
        assert accepting.wait_end(20) == 0, accepting.log
