"""Lines and paragraphs that come again and again."""

from __future__ import annotations

from collections import Counter

from freehold.text.rules.facts import Facts
from freehold.text.rules.rule import Bounds, Rule


def measure(facts: Facts) -> float:
    r"""The share of characters in lines that occurred before; a paragraph is a line here.

    >>> measure(Facts("ab\nab\ncd\nef"))
    0.25
    """
    total = sum(map(len, facts.lines))
    return sum((times - 1) * len(line) for line, times in Counter(facts.lines).items() if times > 1) / max(1, total)


RULE = Rule(
    name="repeated-lines",
    source="Gopher (Rae et al. 2021, A.1.1) allows 0.2 of web text; law repeats its headings, so 0.5",
    bounds=Bounds(high=0.5),
    measure=measure,
    learns=("high",),
)
