"""Too little running text to learn from."""

from __future__ import annotations

from freehold.text.rules.facts import Facts
from freehold.text.rules.rule import Bounds, Rule


def measure(facts: Facts) -> float | None:
    """The number of words; None where the script sets none apart.

    >>> measure(Facts("Alle Menschen sind frei.")), measure(Facts("すべて国民は"))
    (4.0, None)
    """
    return float(len(facts.words)) if facts.spaced else None


RULE = Rule(
    name="few-words",
    source="Gopher (Rae et al. 2021, A.1.1) wants 50; short laws and speeches have fewer, so ten",
    bounds=Bounds(low=10),
    measure=measure,
)
