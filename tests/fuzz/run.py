"""libFuzzer over every parser: what `make fuzz` runs, and `make check` in short.

    run.py --runs N    each target N times, two side by side; a table: runs, coverage, speed, findings
    run.py --replay    each target once over its seeds

The targets are built (make fuzzers). Seeds are tests/fuzz/corpus/TARGET; what is found on the
way goes to build/fuzz/corpus/TARGET, a finding to build/fuzz/TARGET-crash-…. Exit status 1 if
anything was found.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build/fuzz"
SEEDS = pathlib.Path(__file__).with_name("corpus")
TARGETS = sorted(path.stem for path in pathlib.Path(__file__).parent.glob("*.c"))
LENGTH_MAX = 4096  # bytes of an input
ROW = "{:14} {:>12} {:>9} {:>9} {:>10}  {}"


def fuzzer(target, *arguments):
    """Runs one; what it said."""
    return subprocess.run([BUILD / target, f"-artifact_prefix={BUILD}/{target}-",
                           f"-max_len={LENGTH_MAX}", *arguments], text=True, errors="replace",
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def newest(pattern, text):
    found = re.findall(pattern, text)
    return found[-1] if found else "-"


def fuzz(target, runs):
    """Prints its row; whether nothing was found."""
    kept = BUILD / "corpus" / target
    kept.mkdir(parents=True, exist_ok=True)
    result = fuzzer(target, f"-runs={runs}", "-print_final_stats=1", kept, SEEDS / target)
    found = re.findall(r"does not hold: .*|ERROR: .*|SUMMARY: .*|runtime error: .*", result.stdout)
    print(ROW.format(target, newest(r"stat::number_of_executed_units: (\d+)", result.stdout),
                     newest(r"cov: (\d+)", result.stdout), newest(r"ft: (\d+)", result.stdout),
                     newest(r"stat::average_exec_per_sec: +(\d+)", result.stdout),
                     "nothing" if result.returncode == 0 else (found or ["failed"])[0]),
          flush=True)
    return result.returncode == 0


def replay(target):
    """Each seed once; whether it went through."""
    seeds = sorted((SEEDS / target).iterdir())
    result = fuzzer(target, *seeds)
    if result.returncode != 0:
        print(result.stdout)
    print(f"{target}: {len(seeds)} seeds, status {result.returncode}", flush=True)
    return result.returncode == 0


def main():
    parser = argparse.ArgumentParser()
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--runs", type=int)
    what.add_argument("--replay", action="store_true")
    parser.add_argument("targets", nargs="*", default=TARGETS)
    options = parser.parse_args()
    if not options.replay:
        print(ROW.format("target", "runs", "edges", "features", "runs/s", "found"))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        good = list(pool.map(replay if options.replay else lambda each: fuzz(each, options.runs),
                             options.targets))
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
