"""Programs instead of language."""

from __future__ import annotations

import re
from typing import Final

from freehold.text.rules.facts import Facts
from freehold.text.rules.rule import Bounds, Rule

CODE_LINE: Final = re.compile(r"[{}][;,)]{0,3}$")


def measure(facts: Facts) -> float:
    r"""The share of lines that end in braces.

    >>> measure(Facts("if (a) {\n  b();\n}\nText"))
    0.5
    """
    if "{" not in facts.text and "}" not in facts.text:
        return 0.0
    return sum(CODE_LINE.search(line[-4:]) is not None for line in facts.lines) / max(1, len(facts.lines))


RULE = Rule(
    name="program-code",
    source="after C4 (Raffel et al. 2020, 2.2), which drops a page for one brace; law and manuals may quote some",
    bounds=Bounds(high=0.25),
    measure=measure,
    learns=("high",),
)
