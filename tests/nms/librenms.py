"""mib/nms/librenms: each sensor asked of a host, and real traps given to the handler's PHP.

No LibreNMS runs: librenms_trap.php stands in for the classes that the handler uses.
"""

import re

import yaml

from lab import mib, paths, sinks
from lab.resets import ResetGenerator
from lab.wait import wait_until
from nms.trapd import NAMES, Trapd

FILES = paths.ROOT / "mib/nms/librenms"
STAND_IN = paths.ROOT / "tests/nms/librenms_trap.php"
INDEX = "{{ $index }}"
OBJECT = r"TCP-RESET-MIB::(\w+)"
RATE = 100  # resets a second: above the threshold


def check_sensor(manager, sensor):
    """Its number is that of its name, each of its rows has a value, and each state is one of them."""
    name, = re.findall(OBJECT, sensor.get("value", sensor["oid"]))
    number = sensor["num_oid"].removesuffix(f".{INDEX}").removeprefix(".")
    assert number == mib.oid(name), sensor
    rows = manager.walk(name)
    assert rows, sensor
    for other in re.findall(OBJECT, sensor["descr"]):
        assert len(manager.walk(other)) == len(rows), sensor
    if "states" in sensor:
        labels = {state["descr"]: state["value"] for state in sensor["states"]}
        assert labels == dict(mib.objects()[name].labels), sensor


def play(directory, station, ends):
    log = directory / "events"
    trapd = Trapd(directory, "librenms",
                  f"/bin/sh -c '/usr/bin/php {STAND_IN} {FILES / 'TcpResetEvent.php'} >>{log}'",
                  output=NAMES)
    station.snmpd.notify(trapd, [sinks.V2C])
    station.start()
    sensors = [sensor for kind in yaml.safe_load((FILES / "linux.yaml").read_text())
               ["modules"]["sensors"].values() for sensor in kind["data"]]
    for sensor in sensors:
        check_sensor(station.manager, sensor)
    with trapd.start():
        with ResetGenerator(*ends, rate=RATE):
            wait_until(lambda: log.exists() and "Error: " in log.read_text(), 30, "the alarm")
        wait_until(lambda: "Ok: " in log.read_text(), 60, "its end")
    print(f"librenms: {len(sensors)} sensors are there; of traps, by the handler (no LibreNMS ran):",
          *log.read_text().splitlines(), sep="\n    ")
