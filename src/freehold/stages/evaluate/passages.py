"""Passages whose continuation a model may know by heart: of training documents by how often they were read, and of
held-out documents, which it never read, as the control.

Which passages are taken follows from the seed and from the documents' ids alone.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from freehold.learn.shards import Shards
from freehold.proof.scores import frequency
from freehold.stages.evaluate.surprisal import Span, Tokens

LONGEST = 50  # tokens of the prompt, and of the continuation (Carlini et al. 2022, arXiv:2202.07646, section 3)

Ranges = Sequence[Sequence[int]]  # [offset, tokens, times] each
Account = Mapping[str, Mapping[str, Ranges]]  # language → document id → what was read of it, as in consumed.json


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """Where a passage stands, and how often training read it (0: held out)."""

    document: str
    language: str
    offset: int  # in tokens; a document's first is its BOS
    times: int
    tokens: Tokens  # prompt and continuation, as many each

    @property
    def span(self) -> Span:
        """The passage with its continuation to be scored."""
        return Span(tokens=self.tokens, scored_from=len(self.tokens) // 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A stretch of a document that is long enough to hold a passage."""

    document: str
    offset: int
    length: int
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """How passages are drawn: at most `count` of each language and frequency, half of each being its prompt."""

    seed: int
    count: int
    half: int  # tokens

    @classmethod
    def of(cls, *, seed: int, count: int, context: int) -> Draw:
        """A draw whose passages fit a model's context."""
        return cls(seed=seed, count=count, half=min(LONGEST, context // 2))

    def mark(self, document: str, offset: int) -> int:
        """What decides whether, and from where on, a stretch is taken: 64 bits of SHA-256."""
        named = f"passage\x1f{self.seed}\x1f{document}\x1f{offset}".encode()
        return int.from_bytes(hashlib.sha256(named).digest()[:8], "big")

    def first(self, places: Iterable[Place]) -> list[Place]:
        """The first places in the order of their marks, one of a document."""
        best: dict[str, tuple[int, Place]] = {}
        for place in places:
            mark = self.mark(place.document, place.offset)
            if place.document not in best or mark < best[place.document][0]:
                best[place.document] = (mark, place)
        return [place for _, place in heapq.nsmallest(self.count, best.values(), key=lambda found: found[0])]

    def begin(self, place: Place) -> int:
        """The first token of the passage, anywhere in its stretch."""
        return place.offset + self.mark(place.document, place.offset) % (place.length - 2 * self.half + 1)


def read_passages(draw: Draw, shards: Shards, account: Account) -> Iterator[Passage]:
    """Passages of what training read, by language and how often."""
    row_of = {document: row for row, document in enumerate(shards.documents)}
    for language, documents in sorted(account.items()):
        by_times: dict[str, list[Place]] = {}
        for document, ranges in documents.items():
            for offset, length, times in ranges:
                if length >= 2 * draw.half:
                    place = Place(document=document, offset=offset, length=length, times=times)
                    by_times.setdefault(frequency(times), []).append(place)
        for _, places in sorted(by_times.items()):
            for place in draw.first(places):
                begin = draw.begin(place)
                tokens = shards.read(row_of[place.document], begin, 2 * draw.half).tolist()
                yield passage(place, language=language, begin=begin, tokens=tokens)


def held_out_passages(draw: Draw, documents: Mapping[str, Mapping[str, Tokens]]) -> Iterator[Passage]:
    """As many passages of held-out documents: language → id → tokens after a BOS."""
    for language, encoded in sorted(documents.items()):
        places = [
            Place(document=document, offset=0, length=len(tokens), times=0)
            for document, tokens in encoded.items()
            if len(tokens) >= 2 * draw.half
        ]
        for place in draw.first(places):
            begin = draw.begin(place)
            tokens = encoded[place.document][begin : begin + 2 * draw.half]
            yield passage(place, language=language, begin=begin, tokens=tokens)


def passage(place: Place, *, language: str, begin: int, tokens: Tokens) -> Passage:
    """The passage at a place."""
    return Passage(document=place.document, language=language, offset=begin, times=place.times, tokens=tokens)


def without(account: Account, beginning: str) -> Account:
    """The account without the documents whose id begins so."""
    return {
        language: {document: ranges for document, ranges in documents.items() if not document.startswith(beginning)}
        for language, documents in account.items()
    }
