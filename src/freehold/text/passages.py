"""Which language each passage of a text is in, so that a text in two languages is seen to be one.

Paragraphs are gathered into blocks long enough to be told apart, each block is identified, and neighbours of one
language make a passage. A block counts as foreign only if the model is sure and the language is not near to the
text's own: dialects, historic spelling and quotations of a line are no second language.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from freehold.text.language import UNKNOWN, Model, canonical, identify, near

BLOCK: Final = 800  # bytes in UTF-8 that a block has at least; about 120 words of Latin script
LOOKED_AT: Final = 200  # characters of a block that are looked at
SURE: Final = 0.99  # from which a block is foreign
LETTERS: Final = 0.6  # share of letters below which a block, a table say, is of no language
FOREIGN: Final = 1_200  # bytes of one passage that make a text mixed; less is a quotation
BREAK: Final = re.compile(r"\n\s*")
LETTER: Final = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A stretch of a text in one language: text[start:stop]."""

    language: str
    start: int
    stop: int


def passages(text: str, *, main: str, model: Model | None = None) -> tuple[Passage, ...]:
    """The text cut into passages, which together are the whole of it; one alone where it is in one language.

    `main` is the language it is filed under; unsure blocks and near languages belong to it.
    """
    wanted = canonical(main)
    bounds = list(blocks(text))
    if len(bounds) < 2:
        return (Passage(language=wanted, start=0, stop=len(text)),)
    found: list[Passage] = []
    for start, stop in bounds:
        code = foreign(text[start : min(stop, start + LOOKED_AT)], wanted, model) or wanted
        found.append(Passage(language=code, start=start, stop=stop))
    return joined(
        [
            Passage(language=wanted, start=each.start, stop=each.stop) if is_quotation(text, each, wanted) else each
            for each in joined(found)
        ]
    )


def blocks(text: str) -> Iterator[tuple[int, int]]:
    """Stretches of whole lines, each long enough to tell its language, that cover the text."""
    start = 0
    for found in BREAK.finditer(text):
        stop = found.end()
        if stop - start >= BLOCK or (stop - start >= BLOCK // 3 and len(text[start:stop].encode()) >= BLOCK):
            yield start, stop
            start = stop
    if start < len(text):
        yield start, len(text)


def foreign(block: str, main: str, model: Model | None) -> str | None:
    """The language of a block that is surely not in `main`."""
    guess = identify(block, model=model)
    if guess.confidence < SURE or guess.code == UNKNOWN or near(guess.code, main):
        return None
    dense = len(LETTER.findall(block)) >= LETTERS * len("".join(block.split()))
    return guess.code if dense else None


def is_quotation(text: str, passage: Passage, main: str) -> bool:
    """Whether a foreign passage is too short to make the text a mixed one."""
    return passage.language != main and len(text[passage.start : passage.stop].encode()) < FOREIGN


def joined(found: Iterable[Passage]) -> tuple[Passage, ...]:
    """Neighbours of one language as one."""
    whole: list[Passage] = []
    for passage in found:
        same = whole and whole[-1].language == passage.language
        start = whole.pop().start if same else passage.start
        whole.append(Passage(language=passage.language, start=start, stop=passage.stop))
    return tuple(whole)


def shares(found: tuple[Passage, ...]) -> dict[str, float]:
    """Each language's share of the characters, the largest first.

    >>> shares((Passage(language="deu", start=0, stop=30), Passage(language="fra", start=30, stop=40)))
    {'deu': 0.75, 'fra': 0.25}
    """
    sizes: Counter[str] = Counter()
    for passage in found:
        sizes[passage.language] += passage.stop - passage.start
    total = max(1, sizes.total())
    return {code: round(size / total, 3) for code, size in sorted(sizes.items(), key=lambda each: (-each[1], each[0]))}


def told(found: tuple[Passage, ...]) -> str | None:
    """The languages of a mixed text with their shares, ``deu 0.750, fra 0.250``; None for a text in one."""
    parts = shares(found)
    return ", ".join(f"{code} {share:.3f}" for code, share in parts.items()) if len(parts) > 1 else None


def apart(text: str, found: tuple[Passage, ...]) -> dict[str, str]:
    """The text of each language, in the order in which the languages first appear."""
    pieces: dict[str, list[str]] = {}
    for passage in found:
        pieces.setdefault(passage.language, []).append(text[passage.start : passage.stop].strip())
    return {code: "\n\n".join(parts) for code, parts in pieces.items()}
