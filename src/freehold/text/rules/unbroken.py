"""Keys, encoded files, base64."""

from __future__ import annotations

import re
from typing import Final

from freehold.text.rules.facts import Facts
from freehold.text.rules.rule import Bounds, Rule

RUN: Final = re.compile(r"[!-~]{80,}")


def measure(facts: Facts) -> float:
    """The share of characters in unbroken runs of 80 and more ASCII characters.

    >>> measure(Facts("QUJD" * 30))
    1.0
    """
    return sum(map(len, RUN.findall(facts.text))) / max(1, len(facts.text))


RULE = Rule(name="unbroken-characters", source="ours", bounds=Bounds(high=0.2), measure=measure)
