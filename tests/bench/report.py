"""Tables for people, and the same numbers as CSV: table, row, column, value, unit."""

import csv


class Report:
    def __init__(self):
        self._numbers = []

    def table(self, name, title, units, rows, notes=()):
        """name: of the table in CSV. units: by the head of each column.

        rows: (label, cell …); a cell is text alone, or from number(), range_of() or
        interval_of().
        """
        cells = [["", *units], *([label, *map(_text, values)] for label, *values in rows)]
        widths = [max(map(len, column)) for column in zip(*cells)]
        print(f"\n{title}")
        for row in cells:
            rest = (f"{text:>{width}}" for text, width in zip(row[1:], widths[1:]))
            print(f"  {row[0]:<{widths[0]}}  {'  '.join(rest)}".rstrip())
        for note in notes:
            print(f"  {note}")
        for label, *values in rows:
            for (head, unit), value in zip(units.items(), values):
                self._numbers += [(name, label, column, f"{number:.6g}", unit)
                                  for column, number in _numbers(head, value)]

    def write(self, path):
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["table", "row", "column", "value", "unit"])
            writer.writerows(self._numbers)


def number(value, decimals=0):
    return f"{value:,.{decimals}f}", value


def range_of(spread, decimals=0):
    """Minimum and maximum in one cell."""
    return f"{spread.minimum:,.{decimals}f}..{spread.maximum:,.{decimals}f}", spread


def interval_of(interval, decimals=0):
    """Its ends in one cell."""
    return f"{interval.low:,.{decimals}f}..{interval.high:,.{decimals}f}", interval


def _text(cell):
    return cell if isinstance(cell, str) else cell[0]


def _numbers(head, cell):
    if isinstance(cell, str):
        return []
    value = cell[1]
    if hasattr(value, "minimum"):
        return [("minimum", value.minimum), ("maximum", value.maximum)]
    if hasattr(value, "low"):
        return [(f"{head} low", value.low), (f"{head} high", value.high)]
    return [(head, value)]
