"""The limit: a subagent that does nothing but answer, bare_agent.c."""

import subprocess
from pathlib import Path

from lab.paths import ROOT
from lab.process import Process

_SOURCE = Path(__file__).with_name("bare_agent.c")
_PROGRAM = ROOT / "build" / "bare_agent"
_ROOT = "1.3.6.1.4.1.8072.9999.9999.779"
VALUE = f"{_ROOT}.1.1"


def column(number):
    return f"{_ROOT}.{number}"


def bare_agent(snmpd):
    """A Process, to be entered."""
    subprocess.run(["cc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-o", _PROGRAM,
                    _SOURCE], check=True)
    process = Process("bare agent", [_PROGRAM, snmpd.agentx.removeprefix("unix:"),
                                     *_ROOT.split(".")])
    process.wait_for_line("ready")
    return process
