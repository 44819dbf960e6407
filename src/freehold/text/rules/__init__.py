"""Is this text worth learning from: rules with reasons for turning it away, each a file of its own.

To add a rule write a file like the others and name it in `RULES`; cheap rules stand before dear ones. Default bounds
were set on official works and literature in a dozen languages, so that what an archive holds is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from freehold.text.rules import (
    broken_encoding,
    bullet_lines,
    ellipsis_lines,
    few_letters,
    few_words,
    placeholder,
    program_code,
    repeated_lines,
    repeated_text,
    short_lines,
    stop_words,
    stub,
    symbols,
    unbroken,
    unfinished_lines,
    word_length,
    wordless,
)
from freehold.text.rules.facts import Facts as Facts
from freehold.text.rules.rule import Bounds as Bounds
from freehold.text.rules.rule import Fault as Fault
from freehold.text.rules.rule import Rule as Rule

RULES: Final[tuple[Rule, ...]] = (
    broken_encoding.RULE,
    placeholder.RULE,
    few_words.RULE,
    stub.RULE,
    few_letters.RULE,
    program_code.RULE,
    unbroken.RULE,
    word_length.RULE,
    wordless.RULE,
    symbols.RULE,
    bullet_lines.RULE,
    ellipsis_lines.RULE,
    short_lines.RULE,
    unfinished_lines.RULE,
    repeated_lines.RULE,
    repeated_text.RULE,
    stop_words.RULE,
)

Thresholds = Mapping[str, Mapping[str, Bounds]]  # language → rule → what was learned for it


def fault(
    facts: Facts, *, min_characters: int, max_characters: int, thresholds: Thresholds | None = None
) -> Fault | None:
    """The first rule that the text breaks; None for a text worth keeping. Reasons: ``empty``, ``too-short``,
    ``too-long`` and the names of the rules.

    >>> fault(Facts("kurz"), min_characters=200, max_characters=1000)
    Fault(reason='too-short', detail='4 characters')
    """
    size = len(facts.text)
    if not facts.text.strip():
        return Fault(reason="empty", detail="no text")
    if not min_characters <= size <= max_characters:
        return Fault(reason="too-short" if size < min_characters else "too-long", detail=f"{size} characters")
    learned = (thresholds or {}).get(facts.language or "", {})
    for rule in RULES:
        bounds = learned.get(rule.name, rule.bounds)
        if bounds == UNBOUND:
            continue
        value = rule.measure(facts)
        if value is not None and not bounds.hold(value):
            return Fault(reason=rule.name, detail=f"{value:.3f}, allowed {bounds.told()}")
    return None


UNBOUND: Final = Bounds()


def measures(facts: Facts) -> dict[str, float]:
    """What the rules that can be learned measure of a text, by name."""
    found = {rule.name: rule.measure(facts) for rule in RULES if rule.learns}
    return {name: value for name, value in found.items() if value is not None}
