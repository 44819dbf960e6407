"""Words that are too short or too long on average: spelled-out letters, keys, glued text."""

from __future__ import annotations

from freehold.text.rules.facts import Facts
from freehold.text.rules.rule import Bounds, Rule


def measure(facts: Facts) -> float | None:
    """Characters a word; None where the script sets no words apart.

    >>> measure(Facts("ein Wort"))
    3.5
    """
    return facts.written / len(facts.words) if facts.words else None


RULE = Rule(
    name="word-length",
    source="Gopher (Rae et al. 2021, A.1.1) wants 3 to 10 in English; Korean is shorter, Finnish law "
    "longer; letters s p e l l e d   o u t have 1.3",
    bounds=Bounds(low=1.5, high=15),
    measure=measure,
    learns=("low", "high"),
)
