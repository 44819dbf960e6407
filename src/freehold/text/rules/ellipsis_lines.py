"""Lines that break off: teasers of articles, tables of contents."""

from __future__ import annotations

from typing import Final

from freehold.text.rules.facts import Facts
from freehold.text.rules.rule import Bounds, Rule

FEW: Final = 10  # lines; a speech of two may break off once


def measure(facts: Facts) -> float | None:
    r"""The share of lines that end in an ellipsis; None for a few lines.

    >>> measure(Facts("Weiterlesen …\nText.\n" * 5))
    0.5
    """
    if len(facts.lines) < FEW:
        return None
    return sum(line.endswith(("…", "...")) for line in facts.lines) / max(1, len(facts.lines))


RULE = Rule(
    name="ellipsis-lines",
    source="Gopher (Rae et al. 2021, A.1.1): at most 0.3; novels and plays break off more often, so 0.5",
    bounds=Bounds(high=0.5),
    measure=measure,
    learns=("high",),
)
