"""Text that holds the place of text."""

from __future__ import annotations

from typing import Final

from freehold.text.rules.facts import Facts
from freehold.text.rules.rule import Bounds, Rule

PHRASES: Final = ("lorem ipsum", "Lorem ipsum", "Lorem Ipsum", "LOREM IPSUM")
LENGTH: Final = 450  # characters that one occurrence usually stands for


def measure(facts: Facts) -> float:
    """The share of a text that is dummy text, as far as its opening words tell.

    >>> measure(Facts("Lorem ipsum dolor sit amet."))
    1.0
    """
    found = sum(facts.text.count(phrase) for phrase in PHRASES)
    return min(1.0, found * LENGTH / max(1, len(facts.text)))


RULE = Rule(
    name="placeholder",
    source="C4 (Raffel et al. 2020, 2.2) drops a page for one such phrase; a manual may quote it, so a tenth",
    bounds=Bounds(high=0.1),
    measure=measure,
)
