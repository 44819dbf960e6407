"""Hash signs and ellipses: tags, teasers, torn text."""

from __future__ import annotations

from freehold.text.rules.facts import Facts
from freehold.text.rules.rule import Bounds, Rule


def measure(facts: Facts) -> float | None:
    """Hash signs and ellipses a word; None where the script sets no words apart.

    >>> measure(Facts("#eins #zwei drei… vier"))
    0.75
    """
    if not facts.words:
        return None
    return (facts.text.count("#") + facts.text.count("…") + facts.text.count("...")) / len(facts.words)


RULE = Rule(
    name="symbols",
    source="Gopher (Rae et al. 2021, A.1.1): at most 0.1; forms of law draw their lines with dots, so 0.4",
    bounds=Bounds(high=0.4),
    measure=measure,
    learns=("high",),
)
