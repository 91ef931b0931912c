"""What a change cost: compare.py BEFORE.csv AFTER.csv, two of `make bench`'s build/bench.csv.

Each number that both have, its change in percent, the largest changes first. Numbers of one run
differ from those of the next by some percent: it says how much, not whether that is much.
"""

import csv
import sys


def numbers(path):
    with open(path, newline="", encoding="utf-8") as file:
        return {(row["table"], row["row"], row["column"], row["unit"]): float(row["value"])
                for row in csv.DictReader(file)}


def main(before, after):
    old, new = numbers(before), numbers(after)
    changes = [(100 * (new[key] - value) / abs(value), key, value, new[key])
               for key, value in old.items() if key in new and value and new[key] != value]
    for change, (table, row, column, unit), was, now in sorted(
            changes, key=lambda each: -abs(each[0])):
        print(f"{change:+8.1f} %  {was:>12.6g} -> {now:<12.6g} {unit:4}  {table}, {row}, {column}")
    for title, some in (("gone", set(old) - set(new)), ("new", set(new) - set(old))):
        for table, row, column, _ in sorted(some):
            print(f"{title:>10}  {table}, {row}, {column}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
