"""The scenarios of `make soak`, each cut short; all are played side by side."""

import random

import pytest

from soak import broken, scenarios
from soak.tally import side_by_side, table


@pytest.fixture(scope="module")
def rows():
    """By scenario."""
    seed = random.randrange(10**9)
    print(f"seed {seed}")

    def play(name):
        return scenarios.played(name, scenarios.SHORT[name], seed)

    rows = side_by_side(play, scenarios.SHORT)
    print(table(rows))
    return {row.scenario: row for row in rows}


@pytest.mark.parametrize("scenario", scenarios.SHORT)
def test_nothing_is_lost_doubled_or_late(rows, scenario):
    row = rows[scenario]
    assert row.faults == []
    assert row.crossings > 0 and row.lost == row.doubled == row.false == 0


def test_the_faults_on_purpose_fit_the_sources():
    """Those of soak/broken.py, which is run by hand."""
    assert [] == [(name, each.file) for name, breaks in broken.BROKEN.items() for each in breaks
                  if (broken.ROOT / each.file).read_text().count(each.text) != 1]
