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
from freehold.index.matching import Ints
from freehold.index.spans import maximal_spans
from freehold.stages.trace.corpus import Corpus
from freehold.stages.trace.learned import Learned, learned_from
from freehold.stages.trace.widening import LOOKED_AT, Core, Widened, context, outermost, widen, within
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
    tokens: int  # that matched, before the span was widened and cut to whole words
    count: int  # places in the training tokens, where every document stands once
    bits: float  # how unlikely the tokens of its words are by their frequencies alone
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
    """Maximal verbatim spans of at least `min_tokens` tokens, in whole words, the least likely ones first.

    Phrases that stand in more than LOOKED_AT places say little of where a text comes from: they come last.
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
    spans = outermost(widen(corpus, text, question.data, core) for core in cores(question, min_tokens=min_tokens))
    rows = sorted({row for span in spans for row in span.documents})
    known = dict(zip(rows, corpus.described(rows), strict=True))
    found = [described(question, span, known) for span in spans]
    return sorted(found, key=lambda span: (span.count > LOOKED_AT, -span.bits, span.start))


def cores(question: Question, *, min_tokens: int) -> list[Core]:
    """The whole words of the maximal spans of the text's tokens, with their places.

    A maximal span often ends within a word. What is shown are its whole words, so these are counted.
    """
    corpus = question.corpus
    query = corpus.encode(question.text)
    matcher = corpus.matcher(query)
    edges = np.cumsum([0, *corpus.widths[query].tolist()])
    maximal = list(maximal_spans(matcher, len(query), min_tokens=min_tokens))
    spans = [trimmed(question, edges, *span) for span in maximal]
    if not spans:
        return []
    begins, ends = np.array(spans).T
    first, last = matcher.runs(begins, ends - begins)
    counts = (last - first).sum(axis=0)
    return [
        Core(
            begin=int(edges[begin]),
            end=int(edges[end]),
            tokens=tuple(query[begin:end]),
            matched=maximal[number][1] - maximal[number][0],
            count=int(counts[number]),
            places=corpus.places(first[:, number].tolist(), last[:, number].tolist(), most=LOOKED_AT),
        )
        for number, (begin, end) in enumerate(spans)
    ]


def trimmed(question: Question, edges: Ints, start: int, end: int) -> tuple[int, int]:
    """The tokens of the whole words among query[start:end]; all of them where no word is whole."""
    begin, stop = within(question.text, question.data, int(edges[start]), int(edges[end]))
    first, last = int(np.searchsorted(edges, begin)), int(np.searchsorted(edges, stop, side="right")) - 1
    return (first, last) if first < last else (start, end)


def described(question: Question, span: Widened, known: dict[int, dict[str, Any]]) -> Span:
    """The span with its documents."""
    documents = (cited(question, span, row, known[row], places=places) for row, places in span.documents.items())
    return Span(
        start=span.start,
        end=span.stop,
        text=question.text[span.start : span.stop],
        tokens=span.core.matched,
        count=span.count,
        bits=round(question.corpus.surprise(span.core.tokens), 2),
        documents=tuple(documents),
    )


def cited(question: Question, span: Widened, row: int, facts: dict[str, Any], *, places: int) -> TracedDocument:
    """One document, with what stands around the first of its places; of a withdrawn one nothing that stands in it."""
    corpus, name = question.corpus, facts["document"]
    position = span.first_place(row) - int(corpus.starts[row])
    hidden = name in question.withdrawn
    before, after = ("", "") if hidden else context(corpus, span, row, question.data)
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
