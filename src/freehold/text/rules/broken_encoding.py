"""Replacement characters: the text was once decoded wrongly, and what stood there is lost."""

from __future__ import annotations

from freehold.text.rules.facts import Facts
from freehold.text.rules.rule import Bounds, Rule


def measure(facts: Facts) -> float:
    r"""The share of U+FFFD.

    >>> measure(Facts("Stra\ufffde"))
    0.16666666666666666
    """
    return facts.text.count("\ufffd") / max(1, len(facts.text))


RULE = Rule(
    name="broken-encoding",
    source="ours; as the Unicode Standard 16 (3.9) has decoders mark what they cannot read",
    bounds=Bounds(high=0.002),
    measure=measure,
)
