"""Commands for another shell: what the operator can do with the running daemon."""

import os

from lab import paths
from lab.snmp import COMMUNITY_READ, COMMUNITY_WRITE, PASSPHRASES, USER


def commands(port):
    """Lines to copy, as they are, into a shell in the directory of `make run`."""
    target = f"127.0.0.1:{port}"
    read = f"-v2c -c {COMMUNITY_READ} {target}"
    base, own = (os.path.relpath(part) for part in paths.MIB_DIRECTORIES.split(":"))
    return [
        f"export MIBDIRS={base}:{own} MIBS=TCP-RESET-MIB",
        f"snmpget {read} tcpResetReceivedAvg10s.0",
        f"snmpwalk {read} tcpResetEventSummary",
        f"snmpset -v2c -c {COMMUNITY_WRITE} {target} \\",
        "    tcpResetAlarmRisingThreshold.received u 15000",
        f"snmpwalk -v3 -u {USER} -l authPriv -a SHA -A {PASSPHRASES['auth']} \\",
        f"    -x AES -X {PASSPHRASES['priv']} {target} tcpResetMIB",
    ]
