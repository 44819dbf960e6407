"""Tables, figures and symbols instead of language."""

from __future__ import annotations

import numpy as np

from freehold.text.rules.facts import Facts
from freehold.text.rules.rule import Bounds, Rule


def measure(facts: Facts) -> float:
    """Letters and marks among the characters that are not space.

    >>> measure(Facts("§ 12")), measure(Facts("ศักดิ์ศรี"))
    (0.0, 1.0)
    """
    return float(np.count_nonzero(facts.letters) / max(1, facts.written))


RULE = Rule(
    name="few-letters",
    source="after Gopher (Rae et al. 2021, A.1.1: words with a letter), on characters: so it holds for every script",
    bounds=Bounds(low=0.4),  # Estonian tables of law: 0.49
    measure=measure,
    learns=("low",),
)
