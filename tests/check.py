"""Every test and lint, each a row of the table below: what `make check` runs.

    check.py [WORD...]   only the steps with one of these words in their name

The last line tells the counts; the exit status is 1 if anything failed.
"""

import os
import pathlib
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parent.parent
OTHER_ROOT = "1.3.6.1.4.1.99999.3.7"  # of nobody's
C_FILES = "git ls-files '*.c' '*.h' | grep ."
UNIT = 'for test in {0}/unit/*; do echo "$test"; "$test" || failed=1; done; [ -z "$failed" ]'
PYTEST = "/usr/bin/python3 -m pytest -q -p no:cacheprovider"
SANITIZED = f"RSTWATCHD=build/gcc-san/rstwatchd {PYTEST}"


def daemon_tests(*names):
    return " ".join(f"tests/agentx/test_{name}.py" for name in names)


# The kernel counts, whatever the daemon was built with: each of these runs once.
EXACT = ["exact", "causes", "causes_less", "peers", "peers_burst",
         "evidence"]
KERNEL, KERNEL_SANITIZED = ["traffic"], ["counts", "sources"]
# What the library does with what is wrong, a sanitizer sees best.
ROGUE = ["rogue_master"]
# Two dozen daemons at once, whose notifications must be there in time: nothing may run beside it.
OUTAGES = ["outages"]


def all_but(*names):
    return "tests/agentx " + " ".join(f"--ignore {each}" for each in daemon_tests(*names).split())


OTHERS = all_but(*EXACT, *KERNEL, *KERNEL_SANITIZED, *ROGUE, *OUTAGES)

# What stands in one list runs side by side, where it does not measure times under load.
STAGES = [
    [
        ("build gcc", "make CC=gcc BUILD=build/gcc all unit"),
        ("build clang", "make CC=clang BUILD=build/clang all unit"),
        ("build gcc sanitized", "make CC=gcc BUILD=build/gcc-san SANITIZED=yes all unit"),
        ("build clang sanitized", "make CC=clang BUILD=build/clang-san SANITIZED=yes all unit"),
        ("build without BPF",
         "make BPF=no BPF_CLANG=false BPFTOOL=false BUILD=build/no-bpf all unit"),
        ("build fuzzers", "make fuzzers"),
        ("build as installed", "make all && make install DESTDIR=build/installed PREFIX=/usr"),
        ("build at another root",
         f"make MIB_ROOT={OTHER_ROOT} BUILD=build/moved all && "
         "SMIPATH=mib/base smilint -c /dev/null -l 6 -s build/moved/at-root/TCP-RESET-MIB.txt 2>&1 | "
         f"{{ ! grep . ; }} && grep -q '{OTHER_ROOT}' build/moved/at-root/rstwatchd.8"),
        ("build by BSD make", "bmake CC=gcc BPF=no BUILD=build/bmake all && bmake -n install"),
        ("build for FreeBSD", "make check-freebsd"),
    ], [
        ("daemon sanitized, rogue master", f"{SANITIZED} {daemon_tests(*ROGUE)}"),
        ("lint analysis", "make analyse"),
        ("daemon sanitized, mutated PDUs", "RSTWATCHD=build/gcc-san/rstwatchd /usr/bin/python3 "
         "tests/fuzz/pdus.py --runs 10000"),
        ("daemon at another root",
         f"RSTWATCHD=build/moved/rstwatchd {PYTEST} {daemon_tests('answers')}"),
        ("unit gcc", UNIT.format("build/gcc")),
        ("unit clang", UNIT.format("build/clang")),
        ("unit gcc sanitized", UNIT.format("build/gcc-san")),
        ("unit clang sanitized", UNIT.format("build/clang-san")),
        ("unit seeds of fuzzers", "/usr/bin/python3 tests/fuzz/run.py --replay"),
        ("lint clang-format", f"{C_FILES} | xargs clang-format --dry-run -Werror"),
        ("lint cppcheck", "cppcheck --quiet --error-exitcode=1 --inline-suppr --enable=warning,"
         "performance,portability '-DSEC(name)=' -I. --suppress=missingIncludeSystem --std=c11 "
         "mib platform subagent"),
        ("lint shellcheck", "git ls-files '*.sh' .ci/run | xargs shellcheck"),
        ("lint hardening", "sh tests/lint/hardening.sh build/gcc/rstwatchd build/clang/rstwatchd "
         "build/installed/usr/sbin/*"),
        ("lint systemd unit", "/usr/bin/python3 tests/lint/unit.py"),
        ("lint FreeBSD port", "sh tests/lint/port.sh"),
        ("lint mandoc", "sh tests/lint/man.sh"),
        ("lint MIB", "sh tests/lint/mib-check.sh"),
        ("lint names", "/usr/bin/python3 tests/lint/names.py"),
        ("lint includes", "make generated && /usr/bin/python3 tests/lint/includes.py"),
    ],
    [("daemon", f"{PYTEST} {OTHERS}"), ("daemon sanitized", f"{SANITIZED} {OTHERS}")],
    [("daemon, outages", f"{PYTEST} {daemon_tests(*OUTAGES)}")],
    [("daemon sanitized, outages", f"{SANITIZED} {daemon_tests(*OUTAGES)}")],
    [("daemon, exact counts", f"{PYTEST} {daemon_tests(*EXACT)}")],
    [("daemon, real traffic", f"{PYTEST} {daemon_tests(*KERNEL)}")],
    [("daemon sanitized, real traffic", f"{SANITIZED} {daemon_tests(*KERNEL_SANITIZED)}")],
]


def counted(output):
    """(passed, failed, not run) that a runner's output tells; None where none of them ran."""
    if re.search("^not run: ", output, re.MULTILINE):  # a make within make says more before
        return 0, 0, 1
    cmocka = [int(n) for n in re.findall(r"\[  PASSED  \] (\d+) test", output)]
    if cmocka:
        return sum(cmocka), sum(int(n) for n in re.findall(r"(\d+) FAILED TEST", output)), 0
    summary = re.search(r"^=*\s*((?:\d+ \w+,? ?)+) in [\d.]+s", output, re.MULTILINE)
    if summary:
        numbers = {word: int(n) for n, word in re.findall(r"(\d+) (\w+)", summary[1])}
        return numbers.get("passed", 0), numbers.get("failed", 0) + numbers.get("error", 0) \
            + numbers.get("errors", 0), 0
    return None


def run(step):
    """Runs one step, shows its output if it failed or did not run; (passed, failed, not run)."""
    name, command = step
    begin = time.monotonic()
    result = subprocess.run(["sh", "-c", command], cwd=ROOT, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            errors="replace", env={**os.environ, "MAKEFLAGS": ""})
    passed, failed, not_run = counted(result.stdout) or (1, 0, 0)
    if result.returncode != 0 or not_run:
        print(result.stdout)
    if result.returncode != 0:
        failed = max(failed, 1)
        passed = passed if counted(result.stdout) else 0
    print(f"{name}: {told(passed, failed, not_run)}, {time.monotonic() - begin:.0f} s", flush=True)
    return passed, failed, not_run


def told(passed, failed, not_run):
    return f"{passed} passed, {failed} failed" + (f", {not_run} not run" if not_run else "")


def main(words):
    """Stage by stage."""
    counts = []
    for stage in STAGES:
        chosen = [step for step in stage if not words or any(word in step[0] for word in words)]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            counts += pool.map(run, chosen)
    passed, failed, not_run = map(sum, zip(*counts)) if counts else (0, 0, 0)
    print(told(passed, failed, not_run))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
