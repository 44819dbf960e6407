"""Words without any letter: lists of numbers, codes, rules drawn in characters."""

from __future__ import annotations

import numpy as np

from freehold.text.rules.facts import Facts
from freehold.text.rules.rule import Bounds, Rule

SPACE = 0x20  # every white space of a repaired text but the ideographic one is a blank, a tab or a line end


def measure(facts: Facts) -> float | None:
    """The share of words that hold a letter; None where the script sets no words apart.

    >>> measure(Facts("Artikel 12 Absatz 3"))
    0.5
    """
    if not facts.words:
        return None
    inside = facts.points > SPACE
    starts = np.flatnonzero(inside & ~np.concatenate(([False], inside[:-1])))
    if not len(starts):
        return None
    return float(np.count_nonzero(np.logical_or.reduceat(facts.letters, starts)) / len(starts))


RULE = Rule(
    name="wordless",
    source="Gopher (Rae et al. 2021, A.1.1) wants 0.8 of web text; tariffs and tables of law have fewer",
    bounds=Bounds(low=0.2),
    measure=measure,
    learns=("low",),
)
