"""The systemd unit: how exposed it is, and that it lets the daemon make its system calls.

No systemd need run. Exit status 1, and a line for each fault.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
UNIT = ROOT / "platform/Linux/rstwatchd.service"
CALLS = ROOT / "platform/Linux/system_calls.def"
EXPOSURE_MAX = "20"  # tenths

# SQLite calls these as root only, and the unit's user is not.
ROOTS_ONLY = {"fchown", "fchown32"}


def run(*command):
    return subprocess.run(command, capture_output=True, text=True)


def members(name):
    """The system calls of a group, its groups' included."""
    if not name.startswith("@"):
        return {name}
    lines = run("systemd-analyze", "syscall-filter", name).stdout.splitlines()[1:]
    words = (line.strip() for line in lines)
    return set().union(*(members(word) for word in words if word and word[0] != "#"))


def allowed(text):
    """What SystemCallFilter= lines leave, each in its turn."""
    calls = set()
    for line in re.findall(r"^SystemCallFilter=(.+)$", text, re.MULTILINE):
        named = set().union(*map(members, line.lstrip("~").split()))
        calls = calls - named if line.startswith("~") else calls | named
    return calls


def known():
    """Those that this kind of machine has: the others no filter can name."""
    return members("@known")


def faults():
    security = run("systemd-analyze", "security", "--offline=true", "--no-pager",
                   f"--threshold={EXPOSURE_MAX}", UNIT)
    if security.returncode != 0:
        yield security.stdout.splitlines()[-1] if security.stdout else security.stderr
    for line in run("systemd-analyze", "verify", UNIT).stderr.splitlines():
        # What is not installed here is no fault of the unit.
        if "is not executable" not in line and "Command 'man " not in line:
            yield line
    named = set(re.findall(r"^CALL(?:_WITH)?\((\w+)", CALLS.read_text(), re.MULTILINE))
    for call in sorted(named & known() - allowed(UNIT.read_text()) - ROOTS_ONLY):
        yield f"{UNIT.name}: does not let the daemon call {call}()"


def main():
    found = list(faults())
    print(*found, sep="\n", end="\n" if found else "")
    print(f"unit: {len(found)} faults")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
