"""Where things stand in the checkout."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DAEMON = ROOT / (os.environ.get("RSTWATCHD") or "build/rstwatchd")  # another: with sanitizers
RSTSAMPLE = DAEMON.with_name("rstsample")
_AT_ROOT = DAEMON.parent / "at-root"  # the module with the root that this build has
MIB_DIRECTORIES = f"{ROOT / 'mib' / 'base'}:{_AT_ROOT if _AT_ROOT.exists() else ROOT / 'mib'}"
MIB_MODULES = "TCP-RESET-MIB:SNMPv2-MIB"
