"""Programs at netfilter that somebody takes away."""

import re
import subprocess
from pathlib import Path


def detach(pid, protocol, hook):
    """A program of this process, by force, as root can: the link stays open and has no effect."""
    for path in Path(f"/proc/{pid}/fdinfo").iterdir():
        info = path.read_text()
        if re.search(rf"pf:\s+{protocol}\s+hooknum:\s+{hook}\s", info):
            number = re.search(r"link_id:\s+(\d+)", info)[1]
            subprocess.run(["bpftool", "link", "detach", "id", number], check=True)
            return
    raise AssertionError(f"no link at protocol {protocol}, hook {hook}")
