"""`make soak`: every scenario, one after the other, and one table at the end.

    run.py [--short] [--seed NUMBER] [WORD...]

With words only the scenarios that have one of them in their name.
The exit status is 1 if anything was lost, doubled where it must not be, late, or otherwise wrong.
"""

import argparse
import os
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab import cleanup, paths  # noqa: E402

from soak import scenarios  # noqa: E402
from soak.tally import table  # noqa: E402

FAULTS_SHOWN = 10


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=random.randrange(10**9))
    parser.add_argument("--short", action="store_true", help="as in `make check`")
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("run as root; network namespaces need it")
    cleanup.end_signals_unwind()
    print(f"{paths.DAEMON.name}, seed {options.seed}", flush=True)
    every = scenarios.SHORT if options.short else scenarios.ALL
    chosen = {name: play for name, play in every.items()
              if not options.words or any(word in name for word in options.words)}
    begun = time.monotonic()
    rows = []
    for name, play in chosen.items():
        print(f"{name} ...", flush=True)
        rows.append(scenarios.played(name, play, options.seed))
    for row in rows:
        tell_faults(row)
    print(f"\n{table(rows)}\n")
    faults = sum(len(row.faults) for row in rows)
    print(f"{len(rows)} scenarios, {faults} faults, {time.monotonic() - begun:.0f} s")
    return 1 if faults or not rows else 0


def tell_faults(row):
    for fault in row.faults[:FAULTS_SHOWN]:
        print(f"{row.scenario}: {fault}")
    if len(row.faults) > FAULTS_SHOWN:
        print(f"{row.scenario}: and {len(row.faults) - FAULTS_SHOWN} more, which stand above")


if __name__ == "__main__":
    sys.exit(main())
