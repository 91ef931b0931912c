"""The environment of a net-snmp program that shares no file with any other."""

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

# Long hex strings stay on one line, and no MIB is loaded unless -m says so.
_SNMP_CONF = "hexOutputLength 0\nmibs :\n"


def snmp_environment(directory):
    """Persistent files and configuration in `directory`, which must exist."""
    directory = Path(directory)
    persistent, configuration = directory / "persistent", directory / "configuration"
    configuration.mkdir(exist_ok=True)
    # net-snmp would make it, and say so on standard error.
    (persistent / "cert_indexes").mkdir(parents=True, exist_ok=True)
    (configuration / "snmp.conf").write_text(_SNMP_CONF)
    inherited = {key: value for key, value in os.environ.items()
                 if key not in ("MIBDIRS", "MIBFILES")}
    # UTC and C: dates and messages are the same everywhere.
    return {**inherited, "MIBS": "", "SNMP_PERSISTENT_DIR": str(persistent),
            "SNMPCONFPATH": f"{configuration}:{persistent}", "TZ": "UTC", "LC_ALL": "C.UTF-8"}


@contextmanager
def private_environment():
    """The same, in a directory of its own."""
    with tempfile.TemporaryDirectory(prefix="rstw-") as directory:
        yield snmp_environment(directory)
