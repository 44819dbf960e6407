"""Where does this come from? The longest spans of a text that stand verbatim in the training tokens.

OLMoTrace's idea (Liu et al. 2025, arXiv:2504.07096): maximal token spans by bisection in suffix arrays, rare ones
first. Tokens cut a text differently at its edges, so each span is then widened byte by byte against the documents
themselves. Limit: a place whose tokens are cut differently all along is not found.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from freehold.errors import InputError
from freehold.index.spans import maximal_spans
from freehold.stages.trace.corpus import Corpus
from freehold.stages.trace.learned import Learned, learned_from
from freehold.stages.trace.widening import (
    LOOKED_AT,
    Core,
    Widened,
    characters,
    context,
    outermost,
    whole_words,
    widen,
)
from freehold.text.normalise import normalise


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedDocument:
    """A training document that holds a span, and what stands around it there."""

    id: str
    title: str | None
    source: str
    licence: str
    language: str
    url: str | None
    position: int  # of the first place, in tokens from the document's beginning
    places: int  # in this document, of those that were compared
    learned: int | None  # how often training read the first place; None where no training is known
    withdrawn: bool  # its text is not shown
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of the text that stands verbatim in training documents and cannot grow."""

    start: int  # characters of the normalised text
    end: int
    text: str
    tokens: int  # that matched, before widening
    count: int  # places in the training tokens; every document is there once
    bits: float  # how unlikely these tokens are by their frequencies alone: long and rare spans first
    documents: tuple[TracedDocument, ...]  # at most widening.SHOWN, each once


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A text and how it is answered."""

    corpus: Corpus
    text: str
    data: bytes
    withdrawn: Collection[str]
    learned: Learned | None


def trace(
    index_folder: Path,
    tokenize_folder: Path,
    text: str,
    *,
    min_tokens: int = 6,
    withdrawn: frozenset[str] = frozenset(),
    train_folder: Path | None = None,
) -> list[Span]:
    """Maximal verbatim spans of at least `min_tokens` tokens, the least likely ones first.

    The text is first normalised the way documents are (NFC, no invisible characters); offsets refer to that.
    `withdrawn` are ids of documents that are named without their text. With the artifact of a training, each
    document says how often that training read it. Raises InputError for min_tokens below 1 and for folders that do
    not belong together.
    """
    if min_tokens < 1:
        raise InputError("min_tokens must be at least 1")
    corpus = opened(index_folder, tokenize_folder)
    learned = learned_from(train_folder) if train_folder else None
    text = normalise(text)
    question = Question(corpus=corpus, text=text, data=text.encode(), withdrawn=withdrawn, learned=learned)
    widened = outermost([widen(corpus, question.data, core) for core in cores(question, min_tokens=min_tokens)])
    shown = [(span, *whole(question, span)) for span in widened]
    known = facts_of(corpus, [span for span, start, end in shown if start < end])
    spans = [described(question, span, start, end, known) for span, start, end in shown if start < end]
    return sorted(spans, key=lambda span: (-span.bits, span.start))


def cores(question: Question, *, min_tokens: int) -> list[Core]:
    """The maximal spans of the text's tokens, with their places."""
    corpus = question.corpus
    query = corpus.encode(question.text)
    matcher = corpus.matcher(query)
    found = np.array(list(maximal_spans(matcher, len(query), min_tokens=min_tokens)), dtype=np.int64).reshape(-1, 2)
    if not len(found):
        return []
    first, last = matcher.runs(found[:, 0], found[:, 1] - found[:, 0])
    counts = (last - first).sum(axis=0)
    edges = np.cumsum([0, *corpus.widths[query].tolist()]).tolist()
    return [
        Core(
            begin=edges[start],
            end=edges[end],
            tokens=tuple(query[start:end]),
            count=int(counts[number]),
            places=corpus.places(first[:, number].tolist(), last[:, number].tolist(), most=LOOKED_AT),
        )
        for number, (start, end) in enumerate(found.tolist())
    ]


def whole(question: Question, span: Widened) -> tuple[int, int]:
    """The characters of the whole words in a span; as many as none when no word is whole."""
    begin, end = characters(question.data, span)
    start = len(question.data[:begin].decode())
    return whole_words(question.text, start, start + len(question.data[begin:end].decode()))


def facts_of(corpus: Corpus, spans: list[Widened]) -> dict[int, dict[str, Any]]:
    """What is told about each document that the spans name, read at once."""
    rows = sorted({row for span in spans for row in span.documents})
    return dict(zip(rows, corpus.described(rows), strict=True))


def described(question: Question, span: Widened, start: int, end: int, known: dict[int, dict[str, Any]]) -> Span:
    """The span with its documents, each with what stands around the first of its places there."""
    begin = len(question.text[:start].encode())
    edges = begin, begin + len(question.text[start:end].encode())
    return Span(
        start=start,
        end=end,
        text=question.text[start:end],
        tokens=len(span.core.tokens),
        count=span.count,
        bits=round(question.corpus.surprise(span.core.tokens), 2),
        documents=tuple(
            cited(question, span, row, edges, known[row], places=places) for row, places in span.documents.items()
        ),
    )


def cited(
    question: Question, span: Widened, row: int, edges: tuple[int, int], facts: dict[str, Any], *, places: int
) -> TracedDocument:
    """One document; of a withdrawn one nothing that stands in it."""
    corpus, name = question.corpus, facts["document"]
    place = span.first_place(row)
    position = place - int(corpus.starts[row])
    before = after = ""
    if not (hidden := name in question.withdrawn):
        before, after = context(corpus, span.core, place=place, row=row, edges=edges, data=question.data)
    return TracedDocument(
        id=name,
        title=facts["title"],
        source=facts["source"],
        licence=facts["licence"],
        language=facts["language"],
        url=facts["url"],
        position=position,
        places=places,
        learned=question.learned.times(facts["language"], name, position) if question.learned else None,
        withdrawn=hidden,
        before=before,
        after=after,
    )


@lru_cache(maxsize=4)
def opened(index_folder: Path, tokenize_folder: Path) -> Corpus:
    """An index stays open between questions: sealed artifacts never change."""
    return Corpus(index_folder, tokenize_folder)
