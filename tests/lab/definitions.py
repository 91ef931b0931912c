"""The rows of the project's .def files, from which the C code is made as well."""

import re
from typing import NamedTuple

from lab.paths import ROOT


class Counter(NamedTuple):
    id: str
    group: str
    arc: str
    name: str
    linux_source: str
    freebsd_source: str
    unit: str
    meaning: str


class Setting(NamedTuple):
    id: str
    column: str
    name: str
    key: str
    kind: str
    minimum: str
    maximum: str
    default: str


class Cause(NamedTuple):
    id: str
    number: str
    label: str
    received: str  # "" where no reset of the direction has it
    sent: str


def causes():
    return _rows("mib/causes.def", "CAUSE", Cause)


def counters():
    return _rows("mib/counters.def", "COUNTER", Counter)


def settings():
    return _rows("subagent/settings.def", "SETTING", Setting)


def _rows(path, macro, row):
    text = re.sub(r"/\*.*?\*/", "", (ROOT / path).read_text(), flags=re.DOTALL)
    calls = re.findall(rf"^{macro}\((.*?)\)$", text, re.DOTALL | re.MULTILINE)
    return [row(*(quoted or bare for quoted, bare in re.findall(r'"([^"]*)"|(\w[\w()]*)', call)))
            for call in calls]
