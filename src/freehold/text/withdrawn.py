"""Whether a text repeats withdrawn text: overlapping windows of it, compared by hash. No text is kept.

Windows are WIDTH tokens long (words; characters where a script puts no spaces), so shorter quotations and the common
coin of a language pass. Case, punctuation and white space make no difference. A paraphrase passes: this stops a model
from saying the text, not from knowing it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from freehold.proof.log.withdrawn_filter import FilterFile
from freehold.text.signatures import unspaced
from freehold.text.tokens import CHARACTER, WORD, Hashes, kinds_of, tokens, windows

WIDTH: Final = {False: 8, True: 16}  # tokens of a window: words, or characters in scripts without spaces


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a text, in characters."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Withdrawn windows, ready to be asked."""

    hashes: Hashes  # (N,) ascending
    widths: tuple[int, ...]

    @classmethod
    def of(cls, *files: FilterFile) -> Filter:
        """Several filters as one."""
        hashes = [np.frombuffer(file.hashes, dtype=np.uint64) for file in files]
        widths = sorted({width for file in files for width in file.widths})
        return cls(hashes=np.unique(np.concatenate([np.empty(0, np.uint64), *hashes])), widths=tuple(widths))

    def file(self) -> FilterFile:
        """As it is kept."""
        return FilterFile(widths=self.widths, hashes=array("Q", self.hashes.tobytes()))

    def emits(self, text: str) -> list[Span]:
        """The stretches of a text that withdrawn text stands in, in order, those that touch joined."""
        begins, ends = bounds(text)
        hashes = tokens(text)
        if len(hashes) != len(begins):  # a letter whose lower case is no letter: nothing can be placed
            return [Span(0, len(text))] if self.holds(hashes).any() else []
        covered = self.holds(hashes)
        edges = np.flatnonzero(np.diff(np.concatenate(([False], covered, [False])).astype(np.int8)))
        return [Span(int(begins[first]), int(ends[last - 1])) for first, last in edges.reshape(-1, 2)]

    def holds(self, hashes: Hashes) -> NDArray[np.bool_]:
        """For each token (T,) whether a withdrawn window covers it."""
        covered = np.zeros(len(hashes) + 1, dtype=np.int64)
        for width in self.widths:
            first = np.flatnonzero(self.known(windows(hashes, width)))
            np.add.at(covered, first, 1)
            np.add.at(covered, first + width, -1)
        return np.cumsum(covered)[:-1] > 0

    def known(self, asked: Hashes) -> NDArray[np.bool_]:
        """For each window's hash (W,) whether it is withdrawn."""
        if not len(self.hashes):
            return np.zeros(len(asked), dtype=np.bool_)
        places = np.minimum(np.searchsorted(self.hashes, asked), len(self.hashes) - 1)
        found: NDArray[np.bool_] = self.hashes[places] == asked
        return found

    def releasable(self, text: str) -> int:
        """How many characters of a text that is still growing may be shown, if `emits` finds nothing in it so far.

        What is kept back is as long as a window, for the words to come may complete one; its last word may grow.
        """
        begins, _ = bounds(text)
        kept = max(self.widths, default=0)
        return len(text) if not kept else int(begins[-kept]) if len(begins) >= kept else 0


def windows_of(text: str) -> tuple[int, Hashes]:
    """The width of a text's windows and their hashes (W,); a text shorter than a window has none."""
    width = WIDTH[unspaced(text)]
    return width, windows(tokens(text), width)


def filter_of(withdrawn: Iterable[str], *, staying: Iterable[str]) -> tuple[Filter, int]:
    """The windows of withdrawn texts that stand in no text that stays, and how many stand in one.

    What also stands elsewhere (formulas of law, quotations, a copy that was not withdrawn) is not theirs alone, and
    keeping it would stop the model from saying what it may say.
    """
    found = [windows_of(text) for text in withdrawn]
    hashes = np.unique(np.concatenate([np.empty(0, np.uint64), *(one for _, one in found)]))
    widths = tuple(sorted({width for width, one in found if len(one)}))
    whole = Filter(hashes=hashes, widths=widths)
    elsewhere = np.zeros(len(hashes), dtype=np.bool_)
    for text in staying:
        spelled = tokens(text)
        for width in widths:
            asked = windows(spelled, width)
            elsewhere[np.searchsorted(hashes, asked[whole.known(asked)])] = True
    return Filter(hashes=hashes[~elsewhere], widths=widths), int(np.count_nonzero(elsewhere))


def bounds(text: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each token (T,) of a text begins and ends, in characters.

    >>> [found.tolist() for found in bounds("§ 1: Die Würde")]
    [[2, 5, 9], [3, 8, 14]]
    """
    kinds = kinds_of(text)
    before = np.concatenate(([np.uint8(0)], kinds[:-1])) if len(kinds) else kinds
    after = np.concatenate((kinds[1:], [np.uint8(0)])) if len(kinds) else kinds
    begins = (kinds == CHARACTER) | ((kinds == WORD) & (before != WORD))
    ends = (kinds == CHARACTER) | ((kinds == WORD) & (after != WORD))
    return np.flatnonzero(begins), np.flatnonzero(ends) + 1
