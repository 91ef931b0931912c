"""How sure a median is, without a word on how the values are distributed."""

import random
from statistics import median
from typing import NamedTuple

DRAWS = 2000


class Interval(NamedTuple):
    low: float
    high: float


def interval(values):
    """95 % of the medians of as many values drawn from these lie in it; the same each time."""
    draw = random.Random(1).choices
    medians = sorted(median(draw(values, k=len(values))) for _ in range(DRAWS))
    return Interval(medians[DRAWS // 40], medians[-1 - DRAWS // 40])
