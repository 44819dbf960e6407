"""The order of training data: a pure function of (manifest digest, seed, global sample index).

Each language is an endless stream: its documents in a fixed shuffled order, laid end to end, again and again.
Windows of `sequence` tokens tile that stream without loss; every pass visits them in a new shuffled order. The
languages take turns in periods of 1,000 samples, each its share to within one sample of a period: over a long run
shares are rounded to thousandths. Where a language mixes domains, each has a stream of its own, and they take turns
within the language in the same way. A phase counts its own samples from 0 and goes on in each stream where the phase
before it stopped.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Visits = Iterator[tuple[int, NDArray[np.int64]]]  # sidecar row, numbers of the windows that hold a token of it

PERIOD = 1000  # samples after which the turns of the languages repeat


def key_of(*parts: object) -> int:
    """64 bits of SHA-256 over the parts."""
    joined = "\x1f".join(str(part) for part in parts).encode()
    return int.from_bytes(hashlib.sha256(joined).digest()[:8], "big")


def permutation(size: int, *, key: int) -> NDArray[np.int64]:
    """The numbers 0 … size - 1 in an order drawn from `key` (SplitMix64 finaliser, then a stable sort).

    >>> permutation(5, key=1).tolist() == permutation(5, key=1).tolist()
    True
    """
    with np.errstate(over="ignore"):
        mixed = np.arange(size, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(key)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    return np.argsort(mixed, kind="stable")


@dataclass(frozen=True)
class Turns:
    """Which language a sample belongs to, and the how-manieth of its language it is."""

    shares: tuple[tuple[str, float], ...]  # language → share, sums to 1

    @cached_property
    def _period(self) -> list[str]:
        """The language of each sample of one period: always the one furthest behind its share."""
        given = dict.fromkeys((language for language, _ in self.shares), 0)
        order = []
        for index in range(PERIOD):
            behind = max(self.shares, key=lambda share: share[1] * (index + 1) - given[share[0]])[0]
            given[behind] += 1
            order.append(behind)
        return order

    @cached_property
    def _places(self) -> dict[str, list[int]]:
        """Where each language stands in a period."""
        places: dict[str, list[int]] = {language: [] for language, _ in self.shares}
        for index, language in enumerate(self._period):
            places[language].append(index)
        return places

    def at(self, sample: int) -> tuple[str, int]:
        """Language of a global sample, and its number within the language.

        >>> turns = Turns((("deu", 0.5), ("kor", 0.5)))
        >>> [turns.at(sample) for sample in range(4)]
        [('deu', 0), ('kor', 0), ('deu', 1), ('kor', 1)]
        """
        period, index = divmod(sample, PERIOD)
        language = self._period[index]
        return language, period * len(self._places[language]) + bisect_left(self._places[language], index)

    def count(self, language: str, samples: int) -> int:
        """How many of the first `samples` samples belong to `language`."""
        period, index = divmod(samples, PERIOD)
        return period * len(self._places[language]) + bisect_left(self._places[language], index)

    def samples(self, language: str, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """The global samples that are a language's `numbers`: what `at` tells, backwards.

        >>> Turns((("deu", 0.5), ("kor", 0.5))).samples("kor", np.array([0, 1])).tolist()
        [1, 3]
        """
        places = np.array(self._places[language])
        periods, within = np.divmod(numbers, len(places))
        found: NDArray[np.int64] = periods * PERIOD + places[within]
        return found


class Stream:
    """One language's documents laid end to end, again and again, and tiled by blocks."""

    def __init__(self, documents: NDArray[np.int64], lengths: NDArray[np.int64], *, key: int, block: int) -> None:
        """`documents` are row numbers of the sidecar, `lengths` their tokens, `block` tokens of a block."""
        order = permutation(len(documents), key=key)
        self.documents, self.lengths = documents[order], lengths[order]
        self.ends = np.cumsum(self.lengths)
        self.tokens = int(self.ends[-1])
        self.key, self.block = key, block
        self.blocks = max(1, self.tokens // block)  # of one pass
        self._pass: tuple[int, NDArray[np.int64]] = (-1, np.empty(0, dtype=np.int64))

    def start(self, number: int) -> int:
        """First stream position of the block that is visited as `number`."""
        turn, index = divmod(number, self.blocks)
        if self._pass[0] != turn:
            self._pass = (turn, permutation(self.blocks, key=self.key ^ (turn + 1)))
        return (turn * self.blocks + int(self._pass[1][index])) * self.block

    def pieces(self, position: int, length: int) -> list[tuple[int, int, int]]:
        """`length` tokens from a stream position on, as (sidecar row, offset in document, tokens)."""
        pieces = []
        while length > 0:
            place = position % self.tokens
            index = int(np.searchsorted(self.ends, place, side="right"))
            offset = place - int(self.ends[index] - self.lengths[index])
            taken = min(length, int(self.lengths[index]) - offset)
            pieces.append((int(self.documents[index]), offset, taken))
            position, length = position + taken, length - taken
        return pieces

    def spans(self, rows: Collection[int]) -> Iterator[tuple[int, int, int]]:
        """Where documents lie in the first pass: sidecar row, first position, and the one after its last."""
        for place in np.flatnonzero(np.isin(self.documents, list(rows)) & (self.lengths > 0)).tolist():
            end = int(self.ends[place])
            yield int(self.documents[place]), end - int(self.lengths[place]), end


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a phase takes of a stream: windows of `window` tokens out of the blocks `first` … `first` + `blocks` - 1.

    Phases that share a stream take blocks one after the other, so none repeats what another saw before a pass is
    over. A block has room for the longest window of them all; shorter windows of one block are visited a whole round
    of blocks apart, so that neighbours do not meet in a batch. `window` divides the stream's block.
    """

    stream: Stream
    window: int
    first: int = 0
    blocks: int = 0  # matters only where a block holds several windows

    def start(self, number: int) -> int:
        """First stream position of the phase's window `number`."""
        each = self.stream.block // self.window
        if each == 1:
            return self.stream.start(self.first + number)
        begin, size = self.first, min(self.blocks, self.stream.blocks - self.first % self.stream.blocks)
        if number >= size * each:  # rounds do not cross from one pass into the next
            passes, number = divmod(number - size * each, self.stream.blocks * each)
            begin += size + passes * self.stream.blocks
            size = min(self.stream.blocks, self.first + self.blocks - begin)
        place, index = divmod(number, size)
        return self.stream.start(begin + index) + place * self.window

    def pieces(self, number: int, *, extra: int = 0) -> list[tuple[int, int, int]]:
        """The window `number` and `extra` tokens after it, as `Stream.pieces` gives them."""
        return self.stream.pieces(self.start(number), self.window + extra)

    def holding(self, rows: Collection[int], windows: int) -> Visits:
        """Documents, and which of the first `windows` windows hold a token of them or predict one after their end."""
        spans, size = list(self.stream.spans(rows)), self.stream.tokens
        if not spans:
            return
        starts = np.array([self.start(number) for number in range(windows)], dtype=np.int64) % size
        order = np.argsort(starts, kind="stable")
        sorted_starts = starts[order]
        for row, begin, end in spans:
            low, high = begin - self.window, end  # a window that begins here reaches the document, around the end too
            if high - low >= size:
                around = [(0, size)]
            else:
                around = [(low, high)] if low >= 0 else [(0, high), (low + size, size)]
            edges = np.searchsorted(sorted_starts, around)
            yield row, np.sort(np.concatenate([order[first:last] for first, last in edges]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Braid:
    """A language's windows, taken from its domains in turns; counts and calls are those of a `Part`."""

    turns: Turns  # of the domains
    parts: Mapping[str, Part]  # domain → its own

    def pieces(self, number: int, *, extra: int = 0) -> list[tuple[int, int, int]]:
        """The window `number` of the language and `extra` tokens after it, as `Stream.pieces` gives them."""
        domain, nth = self.turns.at(number)
        return self.parts[domain].pieces(nth, extra=extra)

    def holding(self, rows: Collection[int], windows: int) -> Visits:
        """The same as `Part.holding`, in numbers of the language's windows."""
        for domain, part in self.parts.items():
            for row, numbers in part.holding(rows, self.turns.count(domain, windows)):
                yield row, self.turns.samples(domain, numbers)
