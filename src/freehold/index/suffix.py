"""Suffix arrays over tokens, made one by one and opened where they lie.

A suffix array lists every position of a text in the order of what follows it, so that all places where a phrase
stands are one run of the list (Manber and Myers 1993). Sorted by libdivsufsort. 4 bytes a token, and half a byte
for the sample: every 16th suffix by its first tokens, kept in memory, where a search begins.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydivsufsort import divsufsort

from freehold.errors import InputError

Tokens = NDArray[np.unsignedinteger[Any]]
Numbers = NDArray[np.uint64]

LARGEST = 2**31 // 4  # tokens of one array: positions are int32, and the sorter counts bytes
EVERY = 16  # rows from one sampled suffix to the next
CHECKED = 64  # sampled suffixes that are compared with the tokens when an array is opened


class Numbering:
    """Sequences of tokens as numbers of 64 bits that stand in the same order, as far as their first tokens tell.

    The digits are the first `width` tokens plus one; 0 where the text has ended.
    """

    def __init__(self, vocabulary: int) -> None:
        self.base = vocabulary + 1
        self.width = max(width for width in range(1, 65) if self.base**width <= 2**64)
        self.weights = np.array([self.base**place for place in reversed(range(self.width))], dtype=np.uint64)

    def numbers(self, digits: NDArray[np.int64]) -> Numbers:
        """The numbers (n,) that rows of digits (n, width) write.

        >>> Numbering(9).numbers(np.array([[3, 1] + [0] * 17])) == 31 * 10**17
        array([ True])
        """
        found: Numbers = digits.astype(np.uint64) @ self.weights
        return found

    def shared(self, a: Numbers, b: Numbers) -> NDArray[np.int64]:
        """How many first digits two numbers have in common, pair by pair."""
        found: NDArray[np.int64] = (a[:, None] // self.weights == b[:, None] // self.weights).sum(axis=1)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class SuffixArray:
    """A text (n,), the positions (rows,) of its suffixes in order, and the numbers of every EVERY-th of them.

    There may be fewer rows than tokens: suffixes that begin in the last tokens are then another array's.
    """

    tokens: Tokens
    suffixes: NDArray[np.int32]
    sample: Numbers


def digits(tokens: Tokens, positions: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    """The digits (n, width) of what stands at `positions` (n,) of a text: its tokens plus one, 0 behind its end."""
    places = positions[:, None] + np.arange(width)
    found: NDArray[np.int64] = tokens.take(places, mode="clip").astype(np.int64) + 1
    found[places >= len(tokens)] = 0
    return found


def sort_suffixes(tokens: Tokens, *, rows: int | None = None) -> NDArray[np.int32]:
    """The suffix array of tokens (n,), of its first `rows` suffixes alone if asked. About 32 bytes a token meanwhile.

    >>> sort_suffixes(np.array([3, 1, 3, 1, 2], dtype=np.uint16)).tolist()
    [3, 1, 4, 2, 0]
    """
    if len(tokens) > LARGEST:
        raise InputError(f"{len(tokens)} tokens are too many for one suffix array", remedy="cut them into parts")
    if len(tokens) == 0:
        return np.empty(0, dtype=np.int32)
    native = tokens.astype(tokens.dtype.newbyteorder("="), copy=False)
    found: NDArray[np.int32] = divsufsort(native).astype("<i4", copy=False)
    return found if rows is None or rows == len(tokens) else found[found < rows]


def sample_of(tokens: Tokens, suffixes: NDArray[np.int32], numbering: Numbering) -> Numbers:
    """The numbers of every EVERY-th suffix."""
    return numbering.numbers(digits(tokens, suffixes[::EVERY].astype(np.int64), numbering.width))


def array_of(tokens: Tokens, *, vocabulary: int) -> SuffixArray:
    """A suffix array in memory."""
    suffixes = sort_suffixes(tokens)
    return SuffixArray(
        tokens=tokens, suffixes=suffixes, sample=sample_of(tokens, suffixes, Numbering(vocabulary)).astype("<u8")
    )


def read_at_random(path: Path, kind: str | np.dtype[Any]) -> NDArray[Any]:
    """The numbers in a file, memory-mapped; the system is told to read only the pages that are looked at."""
    if not path.stat().st_size:
        return np.empty(0, dtype=kind)
    with path.open("rb") as file:
        held = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    if hasattr(mmap, "MADV_RANDOM"):
        held.madvise(mmap.MADV_RANDOM)
    return np.frombuffer(held, dtype=kind)


def mapped(tokens: Tokens, suffixes: Path, sample: Path, *, numbering: Numbering, rows: int) -> SuffixArray:
    """An array on disk, read where it is looked at; only the sample is read whole. Raises InputError for other tokens.

    Whether array and tokens belong together is told from their lengths and from CHECKED of the sampled suffixes.
    """
    remedy = "build the index again"
    for path in (suffixes, sample):
        if not path.is_file():
            raise InputError("a part of the index is missing", where=str(path), remedy=remedy)
    sizes = suffixes.stat().st_size, sample.stat().st_size
    if sizes != (4 * rows, 8 * -(-rows // EVERY)) or len(tokens) < rows:
        raise InputError("index and tokens do not belong together", where=str(suffixes), remedy=remedy)
    array = SuffixArray(
        tokens=tokens, suffixes=read_at_random(suffixes, "<i4"), sample=np.fromfile(sample, dtype="<u8")
    )
    chosen = np.linspace(0, len(array.sample) - 1, min(CHECKED, len(array.sample))).astype(np.int64)
    found = numbering.numbers(digits(tokens, array.suffixes[chosen * EVERY].astype(np.int64), numbering.width))
    if not np.array_equal(found, array.sample[chosen]):
        raise InputError("index and tokens do not belong together", where=str(suffixes), remedy=remedy)
    return array
