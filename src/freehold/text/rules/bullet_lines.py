"""Lines that all begin with a bullet: menus and link lists."""

from __future__ import annotations

from typing import Final

from freehold.text.rules.facts import Facts
from freehold.text.rules.rule import Bounds, Rule

# A dash with a blank begins a line of dialogue in many literatures.
BULLETS: Final = ("•", "‣", "▪", "◦", "●", "■", "* ", "・")


def measure(facts: Facts) -> float:
    r"""The share of lines that begin with a bullet.

    >>> measure(Facts("• eins\n• zwei\nText"))
    0.6666666666666666
    """
    return sum(line.startswith(BULLETS) for line in facts.lines) / max(1, len(facts.lines))


RULE = Rule(
    name="bullet-lines",
    source="Gopher (Rae et al. 2021, A.1.1): at most 0.9",
    bounds=Bounds(high=0.9),
    measure=measure,
    learns=("high",),
)
