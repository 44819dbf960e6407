"""What is left of a text that was repealed: numbers and the word for it."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from freehold.text.rules.facts import Facts
from freehold.text.rules.rule import Bounds, Rule
from freehold.text.rules.stub_markers import EVERYWHERE, MARKERS

LINE: Final = 100  # characters; a longer line says more than that it was repealed
SENTENCE: Final = 25  # characters from which what ends in a full stop is a provision that repeals, hence content
BODY: Final = 40  # characters from which a line without marker is text; half as many in scripts without spaces


def measure(facts: Facts) -> float:
    r"""Lines that only say that there is no text any more, among these and the lines of text.

    >>> measure(Facts("§ 1\n(weggefallen)\n§ 2\n(weggefallen)", language="deu"))
    1.0
    """
    markers = EVERYWHERE + MARKERS.get(facts.language or "", ())
    if not any(marker in facts.text for marker in markers):
        return 0.0
    pattern = pattern_of(markers)
    body = BODY if facts.spaced else BODY // 2
    stubs = text = 0
    for line in facts.lines:
        sentence = len(line) > SENTENCE and line.endswith((".", "。"))
        stub = len(line) <= LINE and not sentence and pattern.search(line) is not None
        stubs += stub
        text += not stub and len(line) > body
    return stubs / max(1, stubs + text)


@cache
def pattern_of(markers: tuple[str, ...]) -> re.Pattern[str]:
    """Any of the markers, not inside a word."""
    return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, markers)) + r")(?!\w)")


RULE = Rule(
    name="stub",
    source="ours; consolidated law keeps the numbers of what it repealed",
    bounds=Bounds(high=0.8),
    measure=measure,
)
