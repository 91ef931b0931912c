"""What stands on the stage: namespaces, snmpd, snmptrapd, the daemon, traffic."""

import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab import netns, sinks
from lab.ports import first_free_udp_port
from lab.station import Station

from traffic import Traffic

SNMPD_PORT = 16161

# Fixed limits, so that each flood raises: by default a flood that comes again and
# again would raise the limits, since it becomes what is usual here.
CONFIGURATION = "".join(f"alarm {metric} {{ baseline-factor = 0 }}\n"
                        for metric in ("received", "sent", "synCookies"))


@dataclass(frozen=True)
class Scene:
    station: Station
    traffic: Traffic


@contextmanager
def stage():
    with tempfile.TemporaryDirectory(prefix="rstw-") as path, netns.pair() as (here, there):
        os.chmod(path, 0o755)
        with Station(Path(path), netns=here.namespace, source="auto", configuration=CONFIGURATION,
                     port=first_free_udp_port(SNMPD_PORT), notify_by=[sinks.V2C]) as station:
            station.start()
            with Traffic(here, there) as traffic:
                yield Scene(station, traffic)
