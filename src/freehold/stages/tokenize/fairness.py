"""How evenly a tokenizer serves languages: what the same content costs in each of them.

Premium means tokens for the same content, as a multiple of the best-served language (Petrov et al. 2023,
arXiv:2305.15425), measured there on translations. A corpus has none, so content is weighed by its size under
`xz -9e`: 123 news texts that NTREX holds in six languages (deu fra jpn kor pol spa) weigh the same within 9 % that
way, where their characters differ by a factor of 2.6. The commons example's tokenizer has premiums of 1.00 to 1.19 on
held-out law by this measure, and of 1.00 to 1.20 by tokens alone on those translations.

The limit: text of another genre, or with more boilerplate than that of other languages, is compressed better and looks
worse served than it is. Tokens per byte and per character stand beside the premium for that reason.
"""

from __future__ import annotations

import lzma
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from freehold.text.scripts import writes_spaces

MEASURE = "tokens per byte of the same text under xz -9e, as a multiple of the language with the fewest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What one language's text costs."""

    tokens: int
    bytes: int
    characters: int
    fertility: float  # tokens per word, or per character where words are not set apart
    unit: str  # word, or character
    bytes_per_token: float
    tokens_per_character: float
    content_bytes: int  # under xz -9e
    premium: float  # 1 for the best-served language
    seen: bool  # whether the tokenizer learned from this text, because nothing is held out


def content_bytes(text: str) -> int:
    """Size of a text under `xz -9e`: our measure of how much it says."""
    return len(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))


def gini(costs: Sequence[float]) -> float:
    """Inequality of costs, 0 when all are equal: mean absolute difference over twice the mean (Gini 1912).

    >>> gini([1, 1, 1]), gini([1, 3])
    (0.0, 0.25)
    """
    spread = sum(abs(a - b) for a in costs for b in costs)
    return spread / (2 * len(costs) * sum(costs))


def table(texts: Mapping[str, str], tokens: Mapping[str, int], *, seen: frozenset[str]) -> dict[str, Any]:
    """The table of fairness.json from one text per language and its number of tokens."""
    content = {language: content_bytes(text) for language, text in texts.items()}
    costs = {language: tokens[language] / content[language] for language in texts}
    least = min(costs.values())
    rows = {
        language: served(text, tokens[language], content[language], costs[language] / least, language in seen)
        for language, text in sorted(texts.items())
    }
    return {
        "measure": MEASURE,
        "languages": {language: asdict(row) for language, row in rows.items()},
        "best_served": min(costs, key=lambda language: (costs[language], language)),
        "worst_premium": max(row.premium for row in rows.values()),
        "gini": round(gini(list(costs.values())), 4),
    }


def served(text: str, tokens: int, content: int, premium: float, seen: bool) -> Served:
    """One row of the table."""
    spaced = writes_spaces(text)
    size = len(text.encode())
    return Served(
        tokens=tokens,
        bytes=size,
        characters=len(text),
        fertility=round(tokens / (len(text.split()) if spaced else len(text)), 4),
        unit="word" if spaced else "character",
        bytes_per_token=round(size / tokens, 4),
        tokens_per_character=round(tokens / len(text), 4),
        content_bytes=content,
        premium=round(premium, 4),
        seen=seen,
    )
