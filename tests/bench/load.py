"""Requests to an agent as fast as it answers: snmpget_rate.c."""

import subprocess
from pathlib import Path
from typing import NamedTuple

from lab.paths import ROOT

_SOURCE = Path(__file__).with_name("snmpget_rate.c")
_PROGRAM = ROOT / "build" / "snmpget_rate"


class Run(NamedTuple):
    seconds: float
    own_cpu: float  # seconds of CPU of the load generator itself
    requests: int
    values: int     # in an answer


def build():
    subprocess.run(["cc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-o", _PROGRAM,
                    _SOURCE], check=True)


def run(port, oids, *, count, in_flight, repetitions=0):
    """GET of these OIDs; with repetitions GETBULK."""
    command = [_PROGRAM, *map(str, (port, count, in_flight, repetitions)), *oids]
    result = subprocess.run(command, capture_output=True, text=True, timeout=30)
    if result.returncode != 0:
        raise RuntimeError(f"{oids}: {result.stderr.strip()}")
    seconds, own_cpu, values = result.stdout.split()
    return Run(float(seconds), float(own_cpu), count, int(values))
