"""Where things stand in the checkout."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DAEMON = ROOT / (os.environ.get("RSTWATCHD") or "build/rstwatchd")  # another: with sanitizers
RSTSAMPLE = DAEMON.with_name("rstsample")
MIB_DIRECTORIES = f"{ROOT / 'mib' / 'base'}:{ROOT / 'mib'}"
MIB_MODULES = "TCP-RESET-MIB:SNMPv2-MIB"
