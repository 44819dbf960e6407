"""Spans beyond their tokens: grown byte by byte against the documents, then cut to whole words.

Tokens cut a text differently at its edges: what a query says with two tokens a document may say with one. So each
span is compared with the bytes that stand around its places.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from freehold.index.matching import Ints
from freehold.index.spelling import whole_characters
from freehold.stages.trace.corpus import Corpus
from freehold.text.scripts import UNSPACED_CHARACTER

LOOKED_AT = 64  # places of one span that are compared byte by byte
SHOWN = 10  # documents named for one span
CONTEXT_CHARACTERS = 120  # shown to each side


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """Tokens of the query that stand in the training data: their bytes data[begin:end], and where."""

    begin: int
    end: int
    tokens: tuple[int, ...]
    count: int  # places in all
    places: Ints  # at most LOOKED_AT


@dataclass(frozen=True, slots=True, kw_only=True)
class Widened:
    """A span in bytes of the query, and the places that hold all of it."""

    begin: int
    end: int
    core: Core
    count: int
    places: Ints
    rows: Ints  # of the documents of the places

    @property
    def documents(self) -> dict[int, int]:
        """The rows of the first SHOWN documents, each with its number of places."""
        return dict(islice(Counter(self.rows.tolist()).items(), SHOWN))

    def first_place(self, row: int) -> int:
        """The first place in a document."""
        return int(self.places[np.searchsorted(self.rows, row)])


def widen(corpus: Corpus, data: bytes, core: Core) -> Widened:
    """Grow a core in both directions as far as some place goes on like `data`; keep the places that do.

    With more than LOOKED_AT places the span stays as it is, because they cannot all be compared.
    """
    rows = corpus.rows(core.places)
    left = right = 0
    places, count = core.places, core.count
    if count <= LOOKED_AT:
        spell = corpus.spelling.bytes_of
        grown = []
        for place, row in zip(places.tolist(), rows.tolist(), strict=True):
            before, after = corpus.around(place, len(core.tokens), row)
            behind = common_start(data, core.end, (spell[token] for token in after))
            grown.append((common_end(data, core.begin, (spell[token] for token in reversed(before))), behind))
        left, right = max(grown, key=sum)
        kept = np.array([won[0] >= left and won[1] >= right for won in grown])
        places, rows = places[kept], rows[kept]
        count = len(places)
    return Widened(begin=core.begin - left, end=core.end + right, core=core, count=count, places=places, rows=rows)


def common_start(data: bytes, begin: int, pieces: Iterable[bytes]) -> int:
    """How many bytes from `begin` on are those of the pieces, one after the other.

    >>> common_start(b"in Kraft.", 3, [b"Kr", b"aft", b"los"])
    5
    """
    at = begin
    for piece in pieces:
        if not data.startswith(piece, at):
            return at - begin + agreement(piece, data[at : at + len(piece)])
        at += len(piece)
    return at - begin


def common_end(data: bytes, end: int, pieces: Iterable[bytes]) -> int:
    """How many bytes up to `end` are those of the pieces, one before the other.

    >>> common_end(b"in Kraft.", 8, [b"aft", b" Kr", b"at"])
    6
    """
    at = end
    for piece in pieces:
        if not data.endswith(piece, 0, at):
            return end - at + agreement(piece[::-1], data[max(0, at - len(piece)) : at][::-1])
        at -= len(piece)
    return end - at


def agreement(a: bytes, b: bytes) -> int:
    """How many bytes two strings begin with alike."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def outermost(spans: list[Widened]) -> list[Widened]:
    """Without spans that lie within another one after widening."""
    kept: list[Widened] = []
    for span in sorted(spans, key=lambda span: (span.begin, -span.end)):
        if not kept or span.end > kept[-1].end:
            kept.append(span)
    return kept


def characters(data: bytes, span: Widened) -> tuple[int, int]:
    """The range of whole characters, in bytes of the query, within a widened span."""
    first, last = whole_characters(data[span.begin : span.end])
    return span.begin + first, span.begin + last


def whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    """The range without cut words and blanks at its ends; scripts without spaces have no words to cut.

    >>> whole_words("Die Würde des Menschen", 1, 20)
    (4, 13)
    """

    def cuts(place: int) -> bool:
        inside = 0 < place < len(text) and text[place - 1].isalnum() and text[place].isalnum()
        return inside and not UNSPACED_CHARACTER.match(text[place - 1]) and not UNSPACED_CHARACTER.match(text[place])

    while start < end and (cuts(start) or text[start].isspace()):
        start += 1
    while end > start and (cuts(end) or text[end - 1].isspace()):
        end -= 1
    return start, end


def context(
    corpus: Corpus, core: Core, *, place: int, row: int, edges: tuple[int, int], data: bytes
) -> tuple[str, str]:
    """At most CONTEXT_CHARACTERS before and after the span data[slice(*edges)] at a place of its core."""
    around: Sequence[Sequence[int]] = corpus.around(place, len(core.tokens), row)
    before, after = (corpus.spelling.spell(tokens) for tokens in around)
    whole = before + data[core.begin : core.end] + after
    left = whole[: len(before) + edges[0] - core.begin].decode(errors="ignore")
    right = whole[len(whole) - len(after) + edges[1] - core.end :].decode(errors="ignore")
    return left[-CONTEXT_CHARACTERS:], right[:CONTEXT_CHARACTERS]
