"""A private snmptrapd: the operator's receiver of notifications."""

from dataclasses import dataclass

from lab import sinks
from lab.environment import snmp_environment
from lab.ports import free_udp_port
from lab.process import Process
from lab.snmp import TEXT_OPTIONS
from lab.wait import wait_until

# version, community or user, enterprise, generic and specific trap number, varbinds
_FORMAT = r"@trap\t%s\t%u\t%N\t%w\t%q\t%V\t%v\n"
_MARK = "@trap\t"
_VERSIONS = {"0": "v1", "1": "v2c", "3": "v3"}
_SPECIFIC = "6"


@dataclass(frozen=True)
class Notification:
    ns: int         # CLOCK_MONOTONIC on arrival
    version: str
    sink: str       # lab.sinks: the way it came
    name: str       # "tcpResetAlarmRaised"
    varbinds: tuple  # (name with instance, value) …, as Client.text() gives them

    @property
    def values(self):
        """The varbinds by the name of their object, without the instance."""
        return {name.split(".")[0]: value for name, value in self.varbinds}


class Snmptrapd:
    def __init__(self, directory, *, address="127.0.0.1", netns=None):
        directory.mkdir()
        self.port = free_udp_port()
        self.target = f"{address}:{self.port}"
        self.process = None
        self._env = snmp_environment(directory)
        self._netns = netns
        self._configuration = directory / "snmptrapd.conf"

    def stop(self):
        if self.process:
            self.process.stop()

    def start(self, engine_id):
        """engine_id: of the snmpd whose v3 notifications it shall believe."""
        lines = sinks.snmptrapd_lines(engine_id)
        self._configuration.write_text("\n".join(lines) + "\n")
        self.process = Process("snmptrapd", [
            "snmptrapd", "-f", "-n", "-X", "-c", self._configuration,
            "-Lf", "/dev/stdout", *TEXT_OPTIONS, "-F", _FORMAT, f"udp:{self.target}",
        ], env=self._env, netns=self._netns)
        self.process.wait_for_line(r"^NET-SNMP version")
        return self

    def received(self, *names, sink=None, metric=None):
        """Notifications so far with one of these names, oldest first."""
        found = [_parse(line) for line in list(self.process.lines) if line.text.startswith(_MARK)]
        return [each for each in found
                if (not names or each.name in names) and sink in (None, each.sink)
                and metric in (None, each.values.get("tcpResetEventMetricName"))]

    def wait_for(self, *names, timeout, count=1, **which):
        """The first `count` notifications that received() would return."""
        return wait_until(
            lambda: len(found := self.received(*names, **which)) >= count and found[:count],
            timeout, lambda: f"{count} x {names} {which} at snmptrapd:\n{self.process.log}")


def _parse(line):
    _, version, sink, enterprise, generic, specific, *texts = line.text.split("\t")
    varbinds = [tuple(text.split(" = ", 1)) for text in texts if " = " in text]
    if version == "0":
        name = _v1_name(enterprise, generic, specific)
    else:
        name = dict(varbinds)["snmpTrapOID.0"]
        varbinds = [each for each in varbinds if each[0] not in _HEADERS]
    return Notification(line.ns, _VERSIONS[version], sink, name, tuple(varbinds))


_HEADERS = ("sysUpTimeInstance", "sysUpTime.0", "snmpTrapOID.0")


def _v1_name(enterprise, generic, specific):
    """snmptrapd gives the name that RFC 3584 makes of enterprise.0.specific, if it has one."""
    if generic == _SPECIFIC and not specific.startswith("."):
        return specific
    return f"{enterprise} {generic} {specific}"
