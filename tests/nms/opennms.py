"""mib/nms/opennms: what is collected asked of a host, real traps looked up among the events, and
the graphs drawn by RRDtool with what the host answered. No OpenNMS runs.
"""

import re
import shlex
import subprocess
import time
from xml.etree import ElementTree

from lab import mib, paths
from lab.resets import ResetGenerator
from lab.snmp import Missing

FILES = paths.ROOT / "mib/nms/opennms"
EVENTS = "{http://xmlns.opennms.org/xsd/eventconf}"
COLLECTION = "{http://xmlns.opennms.org/xsd/config/datacollection}"
RAISED, CLEARED = "tcpResetAlarmRaised", "tcpResetAlarmCleared"
DATA_SOURCES = {"counter": "COUNTER", "gauge": "GAUGE", "integer": "GAUGE"}
STEP = 1  # s
RATE = 100  # resets a second: above the threshold


class Event:
    """One of the events' file."""

    def __init__(self, element):
        self._element = element
        mask = {each.findtext(EVENTS + "mename"): each.findtext(EVENTS + "mevalue")
                for each in element.iter(EVENTS + "maskelement")}
        assert mask["generic"] == "6", mask
        # RFC 3584, 3.1: the enterprise of a notification whose last number but one is 0.
        self.oid = f"{mask['id']}.0.{mask['specific']}".removeprefix(".")
        self.uei = self._text("uei")
        assert self.uei.endswith(self._text("event-label").split(": ")[1])

    def log(self, notification):
        return self._filled(self._text("logmsg"), notification)

    def key(self, which, notification):
        return self._filled(self._element.find(EVENTS + "alarm-data").get(which), notification)

    def _text(self, name):
        return self._element.findtext(EVENTS + name)

    def _filled(self, text, notification):
        text = text.replace("%uei%", self.uei)
        return re.sub(r"%parm\[#(\d+)\]%",
                      lambda match: notification.varbinds[int(match[1]) - 1][1], text)


def check_events(station, ends):
    """Each notification has its event; what is raised is cleared by the same key."""
    events = {event.oid: event for event in map(Event, ElementTree.parse(
        FILES / "TCP-RESET-MIB.events.xml").iter(EVENTS + "event"))}
    names = {oid: name for name, oid in mib.oids().items() if oid.startswith(f"{mib.root()}.0.")}
    assert events.keys() == names.keys()
    with ResetGenerator(*ends, rate=RATE):
        raised, = station.receiver.wait_for(RAISED, timeout=30, sink="sink-v2c", metric="received")
    cleared, = station.receiver.wait_for(CLEARED, timeout=60, sink="sink-v2c", metric="received")
    of = {name: events[oid] for oid, name in names.items()}
    assert of[RAISED].key("reduction-key", raised) == of[CLEARED].key("clear-key", cleared)
    return [of[each.name].log(each) for each in (raised, cleared)]


def collected(manager):
    """{alias: (type, [value of each instance])}."""
    found = {}
    for each in ElementTree.parse(FILES / "TCP-RESET-MIB.xml").iter(COLLECTION + "mibObj"):
        oid = each.get("oid").removeprefix(".")
        values = [manager.get(f"{oid}.0")] if each.get("instance") == "0" \
            else [each.value for each in manager.walk(oid)]
        assert values and not isinstance(values[0], Missing), each.attrib
        assert len(each.get("alias")) <= 19, each.attrib
        found[each.get("alias")] = each.get("type"), values
    return found


def record(directory, readings):
    """A file for each alias, as OpenNMS keeps them."""
    begin = int(time.time()) - len(readings) * STEP
    for alias, (kind, _) in readings[0].items():
        if kind not in DATA_SOURCES:
            continue
        file = directory / f"{alias}.rrd"
        subprocess.run(["rrdtool", "create", file, "--start", str(begin - 1), "--step", str(STEP),
                        f"DS:{alias}:{DATA_SOURCES[kind]}:{2 * STEP}:0:U",
                        *(f"RRA:{how}:0.5:1:1000" for how in ("AVERAGE", "MAX"))], check=True)
        subprocess.run(["rrdtool", "update", file,
                        *(f"{begin + number * STEP}:{reading[alias][1][0]}"
                          for number, reading in enumerate(readings))], check=True)
    return begin


def draw(directory, readings):
    """Names of the graphs."""
    begin = record(directory, readings)
    text = (FILES / "tcp-reset-graph.properties").read_text().replace("\\\n", "")
    properties = dict(line.split("=", 1) for line in text.splitlines()
                      if line and not line.startswith("#"))
    names = properties["reports"].replace(" ", "").split(",")
    for name in names:
        command = properties[f"report.{name}.command"].replace("\\\\", "\\")
        for number, column in enumerate(properties[f"report.{name}.columns"].split(","), 1):
            command = command.replace(f"{{rrd{number}}}", str(directory / f"{column}.rrd"))
        if value := properties.get(f"report.{name}.propertiesValues"):
            assert readings[0][value][0] == "string", value
            command = command.replace(f"{{{value}}}", "received")
        picture = directory / f"{name}.png"
        subprocess.run(["rrdtool", "graph", picture, "--start", str(begin), "--end",
                        str(begin + len(readings) * STEP), *shlex.split(command)],
                       check=True, stdout=subprocess.DEVNULL)
        assert picture.stat().st_size > 0
    return names


def play(directory, station, ends):
    station.start()
    readings = [collected(station.manager)]
    lines = check_events(station, ends)
    readings.append(collected(station.manager))
    names = draw(directory, readings)
    print(f"opennms: {len(readings[0])} objects are there, RRDtool drew {', '.join(names)}; of traps "
          "(no OpenNMS ran):", *lines, sep="\n    ")
