"""Many bisections at once: where the parts of a query stand in the order of several suffix arrays.

Every pair of a part and an array is a lane. All lanes take a step together, so that a step costs a few calls of numpy
and not a few hundred lines of Python's bytecode; pages of a cold disk are asked for in as few rounds. A lane begins
between two neighbours of the sample in memory and then halves its rows; what both of its bounds share with the query
is not compared again (Manber and Myers 1993).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from freehold.index.suffix import EVERY, Numbering, SuffixArray

Ints = NDArray[np.int64]
FIRST_WINDOW = 16  # tokens compared before the comparison is widened


@dataclass(slots=True, kw_only=True)
class Lanes:
    """What is looked for, lane by lane: query[begin : begin + length] in one array; and how far the search is.

    The row wanted lies in low … high. The suffixes before `low` and at `high` share `left` and `right` first tokens
    with the query.
    """

    array: Ints  # ascending
    begin: Ints
    length: Ints
    after: NDArray[np.bool_]  # whether the row behind all suffixes that begin so is wanted, not the first of them
    low: Ints
    high: Ints
    left: Ints
    right: Ints


class Matcher:
    """A query against suffix arrays."""

    def __init__(self, arrays: Sequence[SuffixArray], query: Sequence[int], *, numbering: Numbering) -> None:
        self.arrays = arrays
        self.numbering = numbering
        self.edges = np.arange(len(arrays) + 1)
        self.ends = np.array([len(array.tokens) for array in arrays], dtype=np.int64)
        self.query = np.array([*(token + 1 for token in query), 0], dtype=np.int64)  # as digits
        places = np.arange(len(query))[:, None] + np.arange(self.numbering.width)
        self.numbers = self.numbering.numbers(self.query.take(places, mode="clip"))

    def longest(self, begins: Ints, lengths: Ints) -> Ints:
        """For each query[begin : begin + length], how many of its first tokens stand together somewhere: (n,)."""
        lanes = self.bisect(begins, lengths, after=np.zeros(len(begins), dtype=np.bool_))
        shared = np.maximum(lanes.left, lanes.right).reshape(len(self.arrays), len(begins))
        found: Ints = shared.max(axis=0, initial=0)
        return found

    def runs(self, begins: Ints, lengths: Ints) -> tuple[Ints, Ints]:
        """First row and row behind the last of the suffixes that begin with each part: two of shape (arrays, n)."""
        after = np.repeat([False, True], len(begins))
        rows = self.bisect(np.tile(begins, 2), np.tile(lengths, 2), after=after).low
        first, last = rows.reshape(len(self.arrays), 2, len(begins)).swapaxes(0, 1)
        return first, last

    def bisect(self, begins: Ints, lengths: Ints, *, after: NDArray[np.bool_]) -> Lanes:
        """Where each part would stand in each array: before the suffixes that begin with all of it, or `after` them.

        Lanes come array by array, in each in the order of `begins`.
        """
        lanes = self.lanes(begins, lengths, after)
        open_ = np.flatnonzero(lanes.low < lanes.high)
        while len(open_):
            middle = (lanes.low[open_] + lanes.high[open_]) >> 1
            shared, less = self.compare(lanes, open_, middle)
            less |= lanes.after[open_] & (shared == lanes.length[open_])
            lower, upper = open_[less], open_[~less]
            lanes.low[lower], lanes.left[lower] = middle[less] + 1, shared[less]
            lanes.high[upper], lanes.right[upper] = middle[~less], shared[~less]
            open_ = open_[lanes.low[open_] < lanes.high[open_]]
        return lanes

    def lanes(self, begins: Ints, lengths: Ints, after: NDArray[np.bool_]) -> Lanes:
        """Every part in every array, between the neighbours in the sample: no disk is touched."""
        room = self.numbering.weights[np.minimum(lengths, self.numbering.width) - 1]
        lowest = self.numbers[begins] // room * room
        order = np.argsort(lowest)  # numpy finds ascending numbers faster
        count = len(self.arrays)
        shape = (count, len(begins))
        low, high, left, right = (np.empty(shape, dtype=np.int64) for _ in range(4))
        for number, array in enumerate(self.arrays):
            before, behind = np.empty((2, len(begins)), dtype=np.int64)
            before[order] = np.searchsorted(array.sample, lowest[order], side="left") - 1
            behind[order] = np.searchsorted(array.sample, (lowest + (room - np.uint64(1)))[order], side="right")
            low[number] = np.where(before < 0, 0, before * EVERY + 1)
            high[number] = np.minimum(behind * EVERY, len(array.suffixes))
            left[number] = self.beside(array, before, begins, lengths)
            right[number] = self.beside(array, behind, begins, lengths)
        return Lanes(
            array=np.repeat(np.arange(count), len(begins)),
            begin=np.tile(begins, count),
            length=np.tile(lengths, count),
            after=np.tile(after, count),
            low=low.ravel(),
            high=high.ravel(),
            left=left.ravel(),
            right=right.ravel(),
        )

    def beside(self, array: SuffixArray, places: Ints, begins: Ints, lengths: Ints) -> Ints:
        """How many first tokens a sampled suffix shares with each part; none where there is no such suffix."""
        if not len(array.sample):
            return np.zeros(len(begins), dtype=np.int64)
        there = (places >= 0) & (places < len(array.sample))
        shared = self.numbering.shared(array.sample.take(places, mode="clip"), self.numbers[begins])
        return np.where(there, np.minimum(shared, lengths), 0)

    def compare(self, lanes: Lanes, chosen: Ints, rows: Ints) -> tuple[Ints, NDArray[np.bool_]]:
        """How many first tokens the suffix at each row shares with the part of a chosen lane; whether it is less."""
        array, begin, length = lanes.array[chosen], lanes.begin[chosen], lanes.length[chosen]
        positions = self.positions(array, rows)
        shared = np.minimum(lanes.left[chosen], lanes.right[chosen])
        less = np.zeros(len(chosen), dtype=np.bool_)
        equal, width = np.flatnonzero(shared < length), FIRST_WINDOW
        while len(equal):
            done = shared[equal]
            theirs = self.digits(array[equal], positions[equal] + done, width)
            ours = self.query.take((begin[equal] + done)[:, None] + np.arange(width), mode="clip")
            differs = theirs != ours
            each, place = np.arange(len(equal)), differs.argmax(axis=1)
            differ = differs[each, place]
            shared[equal] = np.minimum(done + np.where(differ, place, width), length[equal])
            less[equal] = theirs[each, place] < ours[each, place]
            equal, width = equal[~differ & (shared[equal] < length[equal])], 2 * width
        return shared, less & (shared < length)

    def positions(self, array: Ints, rows: Ints) -> Ints:
        """The positions of suffixes, in the text of their array."""
        found = np.empty(len(rows), dtype=np.int64)
        for number, part in self.parts(array):
            found[part] = self.arrays[number].suffixes.take(rows[part])
        return found

    def digits(self, array: Ints, positions: Ints, width: int) -> Ints:
        """The digits (n, width) of what stands at positions of the arrays' texts."""
        places = positions[:, None] + np.arange(width)
        found = np.empty(places.shape, dtype=np.int64)
        for number, part in self.parts(array):
            found[part] = self.arrays[number].tokens.take(places[part], mode="clip")
        found += 1
        found[places >= self.ends[array][:, None]] = 0
        return found

    def parts(self, array: Ints) -> list[tuple[int, slice]]:
        """The arrays in an ascending list of their numbers, each with the stretch where it stands."""
        edges = np.searchsorted(array, self.edges).tolist()
        return [(number, slice(*edge)) for number, edge in enumerate(pairwise(edges)) if edge[0] < edge[1]]
