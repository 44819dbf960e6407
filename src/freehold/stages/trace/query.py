"""Where does this come from? The longest spans of a text that stand verbatim in the training tokens.

OLMoTrace's idea (Liu et al. 2025, arXiv:2504.07096): maximal token spans by bisection in a suffix array, rare ones
first. Tokens cut a text differently at its edges, so each span is then widened byte by byte against the documents
themselves. Limit: a place whose tokens are cut differently all along is not found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from freehold.errors import InputError
from freehold.index.spelling import whole_characters
from freehold.index.suffix import maximal_spans
from freehold.stages.trace.corpus import Corpus, Place
from freehold.text.normalise import normalise
from freehold.text.scripts import UNSPACED_CHARACTER

LOOKED_AT = 200  # places of one span that are compared byte by byte
SHOWN = 10  # documents named for one span


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedDocument:
    """A training document that holds a span, and what stands around it there."""

    id: str
    title: str | None
    source: str
    licence: str
    language: str
    url: str | None
    position: int  # tokens from the document's beginning
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of the text that stands verbatim in training documents and cannot grow."""

    start: int  # characters of the normalised text
    end: int
    text: str
    tokens: int  # that matched, before widening
    count: int  # places in the training tokens
    bits: float  # how unlikely these tokens are by their frequencies alone: long and rare spans first
    documents: tuple[TracedDocument, ...]  # at most SHOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Widened:
    """A span in bytes of the query, and the places that hold all of it."""

    begin: int
    end: int
    core: tuple[int, int]  # the bytes of its tokens, before widening
    tokens: tuple[int, ...]
    count: int
    places: tuple[Place, ...]


def trace(index_folder: Path, tokenize_folder: Path, text: str, *, min_tokens: int = 6) -> list[Span]:
    """Maximal verbatim spans of at least `min_tokens` tokens, the least likely ones first.

    The text is first normalised the way documents are (NFC, no invisible characters); offsets refer to that.
    """
    if min_tokens < 1:
        raise InputError("min_tokens must be at least 1")
    corpus = opened(index_folder, tokenize_folder)
    text = normalise(text)
    query = corpus.encode(text)
    spelled = [corpus.spelling.bytes_of[token] for token in query]
    begins = [0, *np.cumsum([len(part) for part in spelled]).tolist()]
    data = b"".join(spelled)
    found = (
        widen(corpus, data, query[start:end], begin=begins[start], end=begins[end])
        for start, end in maximal_spans(corpus.arrays, query, min_tokens=min_tokens)
    )
    spans = [described(corpus, text, span) for span in outermost(list(found))]
    return sorted((span for span in spans if span.text), key=lambda span: (-span.bits, span.start))


def widen(corpus: Corpus, data: bytes, tokens: Sequence[int], *, begin: int, end: int) -> Widened:
    """Grow data[begin:end] in both directions as far as some place goes on like it; keep the places that do.

    With more than LOOKED_AT places the span stays as it is, because they cannot all be compared.
    """
    places, count = corpus.places(tokens, most=LOOKED_AT)
    if count > LOOKED_AT:
        return Widened(begin=begin, end=end, core=(begin, end), tokens=tuple(tokens), count=count, places=places)
    grown = []
    for place in places:
        before, after = corpus.around(place, len(tokens))
        grown.append((common_end(before, data[:begin]), common_start(after, data[end:])))
    left, right = max(grown, key=sum)
    kept = tuple(place for place, won in zip(places, grown, strict=True) if won[0] >= left and won[1] >= right)
    span, core = (begin - left, end + right), (begin, end)
    return Widened(begin=span[0], end=span[1], core=core, tokens=tuple(tokens), count=len(kept), places=kept)


def common_start(a: bytes, b: bytes) -> int:
    """How many bytes two strings begin with alike."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def common_end(a: bytes, b: bytes) -> int:
    """How many bytes two strings end with alike."""
    return common_start(a[::-1], b[::-1])


def outermost(spans: list[Widened]) -> list[Widened]:
    """Without spans that lie within another one after widening."""
    kept: list[Widened] = []
    for span in sorted(spans, key=lambda span: (span.begin, -span.end)):
        if not kept or span.end > kept[-1].end:
            kept.append(span)
    return kept


def described(corpus: Corpus, text: str, span: Widened) -> Span:
    """The span in whole words of the text, with its documents; its text is empty when no word is whole."""
    data = text.encode()
    first, last = whole_characters(data[span.begin : span.end])
    start = len(data[: span.begin + first].decode())
    start, end = whole_words(text, start, start + len(data[span.begin + first : span.begin + last].decode()))
    begin = len(text[:start].encode())
    edges = (begin - span.core[0], begin + len(text[start:end].encode()) - span.core[1])
    documents: dict[str, TracedDocument] = {}
    for place in span.places:
        document = cited(corpus, place, span.tokens, edges)
        documents.setdefault(document.id, document)
        if len(documents) == SHOWN:
            break
    return Span(
        start=start,
        end=end,
        text=text[start:end],
        tokens=len(span.tokens),
        count=span.count,
        bits=round(corpus.surprise(span.tokens), 2),
        documents=tuple(documents.values()),
    )


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


def cited(corpus: Corpus, place: Place, tokens: Sequence[int], edges: tuple[int, int]) -> TracedDocument:
    """The document at a place, and what stands there around a span whose edges lie so many bytes off its tokens'."""
    row = corpus.document(place)
    before, after = corpus.context(place, tokens, edges)
    return TracedDocument(
        id=row["document"],
        title=row["title"],
        source=row["source"],
        licence=row["licence"],
        language=row["language"],
        url=row["url"],
        position=place.position - row["start"],
        before=before,
        after=after,
    )


@lru_cache(maxsize=4)
def opened(index_folder: Path, tokenize_folder: Path) -> Corpus:
    """An index stays open between questions: sealed artifacts never change."""
    return Corpus(index_folder, tokenize_folder)
