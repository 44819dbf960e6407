"""Menus, tables and verse: lines of a few words. Acts only with bounds learned from reference sources."""

from __future__ import annotations

from typing import Final

from freehold.text.rules.facts import Facts
from freehold.text.rules.rule import Bounds, Rule

SHORT: Final = 30  # characters


def measure(facts: Facts) -> float:
    r"""The share of lines of at most 30 characters.

    >>> measure(Facts("Start\nKontakt\n" + "Ein Satz mit mehr als dreißig Zeichen."))
    0.6666666666666666
    """
    return sum(len(line) <= SHORT for line in facts.lines) / max(1, len(facts.lines))


RULE = Rule(
    name="short-lines",
    source="FineWeb (Penedo et al. 2024, 3.6) wants at most 0.67 of web text; drama and lists of law have more",
    bounds=Bounds(),
    measure=measure,
    learns=("high",),
)
