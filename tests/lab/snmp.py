"""What a manager can do: net-snmp's command-line tools, with typed answers.

    client.get("tcpResetReceived.0")                   700
    client.set(("tcpResetAlarmEnabled.sent", "i", 2))  None, or raises Refused
"""

import re
import subprocess
from enum import Enum
from typing import NamedTuple

from lab import mib, paths
from lab.environment import snmp_environment

COMMUNITY_READ = "public"
COMMUNITY_WRITE = "private"
USER = "operator"
PASSPHRASES = {"auth": "authentication-1", "priv": "encryption-2"}

V1 = ["-v", "1", "-c", COMMUNITY_READ]
V2C = ["-v", "2c", "-c", COMMUNITY_READ]
V2C_WRITE = ["-v", "2c", "-c", COMMUNITY_WRITE]
V3 = ["-v", "3", "-l", "authPriv", "-u", USER, "-a", "SHA", "-A", PASSPHRASES["auth"],
      "-x", "AES", "-X", PASSPHRASES["priv"]]

OIDS_PER_PDU = 20


class Missing(Enum):
    """In place of a value."""

    noSuchInstance = "No Such Instance currently exists at this OID"
    noSuchObject = "No Such Object available on this agent at this OID"
    endOfMibView = "No more variables left in this MIB View (It is past the end of the MIB tree)"


class Varbind(NamedTuple):
    oid: str
    type: str  # "Counter64", "Gauge32", "OCTET STRING" …; None where the value is missing
    value: object  # int, bytes, an OID, or Missing


class Refused(Exception):
    """The agent answered with an error: status "wrongValue", name of the object."""

    def __init__(self, status, name):
        super().__init__(f"{status} at {name}")
        self.status = status
        self.name = name


class NoAnswer(Exception):
    """Nothing came back in time."""


class Client:
    """One manager: an address, a version with its credentials, files of its own."""

    def __init__(self, directory, address, credentials, netns=None):
        directory.mkdir(parents=True, exist_ok=True)
        self.address = address
        self.credentials = credentials
        self._env = snmp_environment(directory)
        self._prefix = netns.prefix if netns else []

    def varbinds(self, *names):
        """GET, in as many requests as needed."""
        found = []
        for start in range(0, len(names), OIDS_PER_PDU):
            found += self._request("snmpget", ["-Cf"], names[start:start + OIDS_PER_PDU])
        return found

    def get(self, name, **options):
        """The value of one object."""
        return self._request("snmpget", ["-Cf"], [name], **options)[0].value

    def values(self, *names):
        """Values of one GET, which all come from one snapshot."""
        return [each.value for each in self._request("snmpget", ["-Cf"], names)]

    def next(self, *names):
        """The varbind after each of the names, by GETNEXT."""
        found = []
        for start in range(0, len(names), OIDS_PER_PDU):
            found += self._request("snmpgetnext", ["-Cf"], names[start:start + OIDS_PER_PDU])
        return found

    def bulk(self, *names, repetitions, non_repeaters=0):
        options = [f"-Cn{non_repeaters}", f"-Cr{repetitions}"]
        return self._request("snmpbulkget", options, names)

    def walk(self, name=mib.ROOT_NAME):
        """By GETNEXT; snmpwalk itself ends with an error if the order is wrong."""
        found = self._request("snmpwalk", ["-CI"], [name])
        return [each for each in found if not isinstance(each.value, Missing)]

    def set(self, *assignments):
        """Each (name, type letter of snmpset, value), all in one request."""
        arguments = [part for name, kind, value in assignments
                     for part in (mib.oid(name), kind, str(value))]
        self._run("snmpset", [], arguments)

    def text(self, *names):
        """GET with the project's MIBs: (name, value) as people see them."""
        output = self._run("snmpget", [*TEXT_OPTIONS, "-Cf"], [mib.oid(name) for name in names])
        return [tuple(line.split(" = ", 1)) for line in output.splitlines()]

    def _request(self, tool, options, names, **limits):
        arguments = [mib.oid(name) for name in names]
        return parse(self._run(tool, [*NUMERIC_OPTIONS, *options], arguments, **limits))

    def _run(self, tool, options, arguments, timeout=2, retries=2):
        command = [*self._prefix, tool, *self.credentials, "-t", str(timeout), "-r", str(retries),
                   *options, self.address, *arguments]
        result = subprocess.run(command, env=self._env, capture_output=True, text=True, timeout=60)
        if result.returncode != 0:
            raise error_of(result.stderr or result.stdout)
        return result.stdout


NUMERIC_OPTIONS = ["-m", "", "-On", "-Oe", "-Ox"]
# As "short name = value", without units.
TEXT_OPTIONS = ["-M", paths.MIB_DIRECTORIES, "-m", paths.MIB_MODULES, "-OQsU"]


def error_of(message):
    status = re.search(r"Reason: \(?(\w+)", message)
    failed = re.search(r"Failed object: \.?(\S+)", message)
    if status:
        numbers = failed and failed[1].replace("iso", "1", 1)
        return Refused(status[1], numbers and mib.name(numbers))
    if "Timeout" in message:
        return NoAnswer(message.strip())
    return RuntimeError(message.strip())


def parse(output):
    return [_varbind(*line.lstrip(".").split(" = ", 1))
            for line in output.splitlines() if " = " in line]


def _varbind(oid, text):
    for missing in Missing:
        if text == missing.value:
            return Varbind(oid, None, missing)
    if text == '""':
        return Varbind(oid, "OCTET STRING", b"")
    kind, value = text.split(": ", 1) if ": " in text else (text.rstrip(":"), "")
    if kind == "Hex-STRING":
        return Varbind(oid, "OCTET STRING", bytes.fromhex(value))
    if kind == "OID":
        return Varbind(oid, "OBJECT IDENTIFIER", value.lstrip("."))
    if kind == "Timeticks":
        return Varbind(oid, kind, int(re.match(r"\((\d+)\)", value)[1]))
    if kind in ("INTEGER", "Gauge32", "Counter32", "Counter64"):
        return Varbind(oid, kind, int(value))
    return Varbind(oid, kind, value)
