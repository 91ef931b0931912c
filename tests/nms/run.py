"""Monitoring systems with a real host beside them: what `make nms-test` runs.

    run.py [NAME...]   only these; each imports what mib/nms has for it, sees resets and an alarm
"""

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lab import cleanup, netns  # noqa: E402
from lab.station import Station  # noqa: E402
from nms import (  # noqa: E402
    clients, fleet, librenms, nagios, opennms, prometheus, telegraf, zabbix)

SYSTEMS = {"clients": clients.play, "prometheus": prometheus.play, "zabbix": zabbix.play,
           "nagios": nagios.play, "fleet": fleet.play,
           "telegraf": telegraf.play, "librenms": librenms.play, "opennms": opennms.play}


def main(names):
    cleanup.end_signals_unwind()
    for name in names or SYSTEMS:
        with tempfile.TemporaryDirectory(prefix="rstw-") as path, netns.pair() as ends:
            os.chmod(path, 0o755)
            directory = Path(path) / name
            directory.mkdir()
            with Station(Path(path), netns=ends[0].namespace, source="bpf") as station:
                SYSTEMS[name](directory, station, ends)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
