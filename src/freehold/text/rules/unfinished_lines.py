"""Headings without text. Acts only with bounds learned from reference sources."""

from __future__ import annotations

from typing import Final

from freehold.text.rules.facts import Facts
from freehold.text.rules.rule import Bounds, Rule

ENDS: Final = tuple(".!?:;…\"'”“»«›‹)]。！？」』）।॥။።؟۔")


def measure(facts: Facts) -> float:
    r"""The share of lines that end like a sentence, in whatever script.

    >>> measure(Facts("§ 1\nAlle Menschen sind frei."))
    0.5
    """
    return sum(line.endswith(ENDS) for line in facts.lines) / max(1, len(facts.lines))


RULE = Rule(
    name="unfinished-lines",
    source="C4 (Raffel et al. 2020, 2.2) and FineWeb (Penedo et al. 2024, 3.6: at least 0.12)",
    bounds=Bounds(),
    measure=measure,
    learns=("low",),
)
