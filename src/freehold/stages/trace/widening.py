"""Spans beyond their tokens: grown byte by byte against the documents, then cut to whole words.

Tokens cut a text differently at its edges: what a query says with two tokens a document may say with one. So each
span is compared with the bytes that stand around its places.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
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
    """The tokens of whole words in a maximal span of the query: their bytes data[begin:end], and where they stand."""

    begin: int
    end: int
    tokens: tuple[int, ...]
    matched: int  # tokens of the maximal span that these are the whole words of
    count: int  # places in all
    places: Ints  # at most LOOKED_AT


@dataclass(frozen=True, slots=True, kw_only=True)
class Widened:
    """A core in whole words of the query, and the places that hold all of them."""

    start: int  # characters of the query
    stop: int
    begin: int  # the same in bytes
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


def widen(corpus: Corpus, text: str, data: bytes, core: Core) -> Widened:
    """Grow a core in both directions as far as some place goes on like `data`, the bytes of `text`, in whole words.

    With more than LOOKED_AT places the core stays as it is, because they cannot all be compared.
    """
    rows = corpus.rows(core.places)
    grown = np.zeros((len(rows), 2), dtype=np.int64)
    if core.count <= LOOKED_AT:
        spell = corpus.spelling.bytes_of
        for number, (place, row) in enumerate(zip(core.places.tolist(), rows.tolist(), strict=True)):
            before, after = corpus.around(place, len(core.tokens), row)
            left = common_end(data, core.begin, (spell[token] for token in reversed(before)))
            grown[number] = left, common_start(data, core.end, (spell[token] for token in after))
    left, right = grown[grown.sum(axis=1).argmax()].tolist()
    start, stop = words(text, data, core.begin - left, core.end + right)
    begin = len(text[:start].encode())
    end = begin + len(text[start:stop].encode())
    kept = (grown[:, 0] >= core.begin - begin) & (grown[:, 1] >= end - core.end)
    return Widened(
        start=start,
        stop=stop,
        begin=begin,
        end=end,
        core=core,
        count=core.count if core.count > LOOKED_AT else int(kept.sum()),
        places=core.places[kept],
        rows=rows[kept],
    )


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


def outermost(spans: Iterable[Widened]) -> list[Widened]:
    """Without empty spans and such that lie within another one after widening."""
    kept: list[Widened] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.stop)):
        if span.start < span.stop and (not kept or span.stop > kept[-1].stop):
            kept.append(span)
    return kept


def within(text: str, data: bytes, begin: int, end: int) -> tuple[int, int]:
    """The bytes of the whole words in data[begin:end], with the blanks around them: tokens often begin with one."""
    start, stop = words(text, data, begin, end)
    first = len(text[:start].encode())
    last = first + len(text[start:stop].encode())
    while first > begin and data[first - 1 : first].isspace():
        first -= 1
    while last < end and data[last : last + 1].isspace():
        last += 1
    return first, last


def words(text: str, data: bytes, begin: int, end: int) -> tuple[int, int]:
    """The characters of the whole words in data[begin:end], the bytes of `text`."""
    first, last = whole_characters(data[begin:end])
    start = len(data[: begin + first].decode())
    return whole_words(text, start, start + len(data[begin + first : begin + last].decode()))


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


def context(corpus: Corpus, span: Widened, row: int, data: bytes) -> tuple[str, str]:
    """At most CONTEXT_CHARACTERS before and after the span at its first place in a document."""
    core = span.core
    before, after = map(corpus.spelling.spell, corpus.around(span.first_place(row), len(core.tokens), row))
    whole = before + data[core.begin : core.end] + after
    left = whole[: len(before) + span.begin - core.begin].decode(errors="ignore")
    right = whole[len(whole) - len(after) + span.end - core.end :].decode(errors="ignore")
    return left[-CONTEXT_CHARACTERS:], right[:CONTEXT_CHARACTERS]
