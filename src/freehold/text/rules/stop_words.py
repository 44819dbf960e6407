"""No function words: lists of names, keywords, another language than claimed."""

from __future__ import annotations

from typing import Final

from freehold.text.rules.facts import Facts
from freehold.text.rules.rule import Bounds, Rule
from freehold.text.rules.stop_word_lists import STOP_WORDS

ENOUGH: Final = 100  # words; in fewer, chance decides


def measure(facts: Facts) -> float | None:
    """How many different function words of its language a text holds; None for a short text or an unlisted language.

    >>> measure(Facts("die Frist und der Bescheid " * 30, language="deu"))
    3.0
    """
    known = STOP_WORDS.get(facts.language or "")
    if known is None or len(facts.words) < ENOUGH:
        return None
    return float(len(known.intersection(facts.words)))


RULE = Rule(
    name="stop-words",
    source="Gopher (Rae et al. 2021, A.1.1): at least two; languages of many cases have few such words, so one",
    bounds=Bounds(low=1),
    measure=measure,
)
