"""Suffix arrays over tokens, and the longest verbatim spans of a query in them.

A suffix array lists every position of a text in the order of what follows it, so that all places where a phrase
stands are one run of the list (Manber and Myers 1993). Built by libdivsufsort; 4 bytes a token, one array a shard.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydivsufsort import divsufsort

from freehold.errors import InputError

Tokens = NDArray[np.unsignedinteger[Any]]
FIRST_WINDOW = 16  # tokens compared before the comparison is widened
LARGEST = 2**31 // 4  # tokens of one array: positions are int32, and the sorter counts bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The suffixes of one array that begin with some tokens: `suffixes[low:high]`."""

    length: int  # tokens
    low: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SuffixArray:
    """Tokens (n,) and the int32 positions of their suffixes in order (n,), both possibly memory-mapped."""

    tokens: Tokens
    suffixes: NDArray[np.int32]

    def first(self, query: Sequence[int], low: int, high: int) -> int:
        """Within suffixes[low:high], the first row whose suffix does not stand before `query` in the order."""
        wanted, length = list(query), len(query)

        def beginning(position: np.int32) -> list[int]:
            found: list[int] = self.tokens[position : position + length].tolist()
            return found

        return bisect_left(self.suffixes, wanted, low, high, key=beginning)

    def narrow(self, query: Sequence[int], low: int, high: int) -> Match:
        """Within suffixes[low:high], those that begin with all of `query`; possibly none."""
        low = self.first(query, low, high)
        return Match(length=len(query), low=low, high=self.first([*query[:-1], query[-1] + 1], low, high))

    def holds(self, query: Sequence[int]) -> bool:
        """Whether all of `query` stands in the tokens."""
        return self.shared(query, self.first(query, 0, len(self.suffixes))) == len(query)

    def shared(self, query: Sequence[int], row: int) -> int:
        """How many tokens the suffix at `row` has in common with the beginning of `query`."""
        if not 0 <= row < len(self.suffixes):
            return 0
        position = int(self.suffixes[row])
        found = self.tokens[position : position + len(query)].tolist()
        return next(
            (i for i, (a, b) in enumerate(zip(found, query, strict=False)) if a != b), min(len(found), len(query))
        )

    def longest(self, query: Sequence[int]) -> Match:
        """The longest beginning of `query` that stands in the tokens, and where; length 0 if not even one token."""
        best = Match(length=0, low=0, high=len(self.suffixes))
        length = min(FIRST_WINDOW, len(query))
        while length > best.length:
            wider = self.narrow(query[:length], best.low, best.high)
            if wider.low == wider.high:  # nothing begins with all of it: a neighbour shares the most
                neighbours = (row for row in (wider.low - 1, wider.low) if best.low <= row < best.high)
                length = max((self.shared(query[:length], row) for row in neighbours), default=0)
                return self.narrow(query[:length], best.low, best.high) if length > best.length else best
            best, length = wider, min(2 * length, len(query))
        return best

    def positions(self, match: Match, *, most: int) -> NDArray[np.int64]:
        """At most `most` places of a match, ascending."""
        found = self.suffixes[match.low : min(match.high, match.low + most)]
        return np.sort(np.asarray(found, dtype=np.int64))


def sort_suffixes(tokens: Tokens) -> NDArray[np.int32]:
    """The suffix array (n,) of tokens (n,). About 32 bytes a token while it runs.

    >>> sort_suffixes(np.array([3, 1, 3, 1, 2], dtype=np.uint16)).tolist()
    [3, 1, 4, 2, 0]
    """
    if len(tokens) > LARGEST:
        raise InputError(
            f"a shard of {len(tokens)} tokens is too long for one suffix array", remedy="cut it into shards"
        )
    if len(tokens) == 0:
        return np.empty(0, dtype=np.int32)
    native = tokens.astype(tokens.dtype.newbyteorder("="), copy=False)
    found: NDArray[np.int32] = divsufsort(native).astype("<i4", copy=False)
    return found


def mapped(tokens: Path, suffixes: Path, *, dtype: np.dtype[Any]) -> SuffixArray:
    """A suffix array on disk, read where it is looked at."""
    array = SuffixArray(
        tokens=np.memmap(tokens, dtype=dtype, mode="r"), suffixes=np.memmap(suffixes, dtype="<i4", mode="r")
    )
    if len(array.tokens) != len(array.suffixes):
        raise InputError("index and tokens do not belong together", where=str(suffixes), remedy="build the index again")
    return array


def maximal_spans(arrays: Sequence[SuffixArray], query: Sequence[int], *, min_tokens: int) -> Iterator[tuple[int, int]]:
    """Spans query[start:end] that stand in some array and cannot grow to either side, in reading order.

    Spans shorter than `min_tokens` (at least 1) are left out. Few bisections: where the tokens up to some place stand
    nowhere, the next candidate is the first begin from which they do.
    """
    start = 0
    while (least := start + min_tokens) <= len(query):
        if any(array.holds(query[start:least]) for array in arrays):
            end = start + max(array.longest(query[start:]).length for array in arrays)
            yield start, end
            least = end + 1  # a further span must reach beyond this one
        if least > len(query):
            return
        start = next_start(arrays, query, start=start, end=least)


def next_start(arrays: Sequence[SuffixArray], query: Sequence[int], *, start: int, end: int) -> int:
    """The smallest begin > start such that query[begin:end] stands somewhere; `end` if not even its last token."""
    low, high = start + 1, end
    while low < high:
        middle = (low + high) // 2
        if any(array.holds(query[middle:end]) for array in arrays):
            high = middle
        else:
            low = middle + 1
    return low
