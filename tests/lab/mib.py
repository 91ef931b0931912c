"""The names of TCP-RESET-MIB, as snmptranslate reads them from the module.

An OID is a string of numbers, "1.3.6"; a name is as on a command line, with
its instance: "tcpResetReceived.0", "tcpResetAlarmState.received".
"""

import re
import subprocess
from dataclasses import dataclass
from functools import lru_cache

from lab import definitions, paths
from lab.environment import private_environment

ROOT_NAME = "tcpResetMIB"
METRICS = {"received": "1", "sent": "2", "synCookies": "3"}  # TcpResetMetric


@dataclass(frozen=True)
class Object:
    name: str
    access: str  # "read-only", "read-write", "not-accessible"
    type: str    # as snmptranslate -Tp says it
    labels: tuple  # of an enumeration or BITS: (name, number) …


_ACCESS = {"-R--": "read-only", "-RW-": "read-write", "----": "not-accessible"}
_OBJECT_LINE = re.compile(r"\+-- (\S{4}) (\S+)\s+(\w+)\(\d+\)")
_LABELS_LINE = re.compile(r" Values: (.*)")


@lru_cache
def oids():
    """OID of every name that the module and what it imports define."""
    lines = _snmptranslate("-Tz").splitlines()
    return dict(line.replace('"', "").split() for line in lines)


@lru_cache
def objects():
    """Every OBJECT-TYPE with a value, by name."""
    found = []
    for line in _snmptranslate("-Tp", f"TCP-RESET-MIB::{ROOT_NAME}").splitlines():
        if match := _OBJECT_LINE.search(line):
            found.append(Object(match[3], _ACCESS[match[1]], match[2], ()))
        elif match := _LABELS_LINE.search(line):
            labels = tuple((name, int(number))
                           for name, number in re.findall(r"(\w+)\((\d+)\)", match[1]))
            last = found[-1]
            found[-1] = Object(last.name, last.access, last.type, labels)
    return {each.name: each for each in found}


def oid(name):
    """OID of a name with its instance; an OID stays as it is."""
    if name[0].isdigit():
        return name
    head, *instance = name.split(".")
    return ".".join([oids()[head], *(_number(part) for part in instance)])


@lru_cache
def _number(part):
    """Of a label in an index: a metric, which a direction is, too, or a cause."""
    causes = {each.label: each.number for each in definitions.causes()}
    return (METRICS | causes).get(part, part)


def name(numbers):
    """The inverse of oid(), as far as the module has a name; an index stays numbers."""
    parts = numbers.split(".")
    by_oid = {value: key for key, value in oids().items()}
    for length in range(len(parts), 0, -1):
        if found := by_oid.get(".".join(parts[:length])):
            return ".".join([found, *parts[length:]])
    return numbers


def label(object_name, label_name):
    """The number of a label: label("tcpResetAlarmState", "raised") is 3."""
    return dict(objects()[object_name].labels)[label_name]


def bits(object_name, octets):
    """The labels of the bits that are set in a value of type BITS."""
    return [name for name, number in objects()[object_name].labels
            if number < 8 * len(octets) and octets[number // 8] & 0x80 >> number % 8]


def root():
    return oids()[ROOT_NAME]


def sort_key(numbers):
    return tuple(int(part) for part in numbers.split("."))


def _snmptranslate(*arguments):
    with private_environment() as env:
        command = ["snmptranslate", "-M", paths.MIB_DIRECTORIES, "-m", paths.MIB_MODULES,
                   *arguments]
        result = subprocess.run(command, env=env, capture_output=True, text=True, timeout=30)
    if result.returncode != 0 or result.stderr:
        raise RuntimeError(f"{' '.join(command)}: {result.stderr.strip()}")
    return result.stdout
