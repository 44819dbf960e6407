"""How many tokens two candidates really share, in order: the verdict on pairs that sketches can only suggest.

The texts of candidates alone are read again, a part at a time, and go into a file of 32-bit hashes, one a token.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from rapidfuzz.distance import LCSseq

from freehold.text.tokens import tokens, windows

LONG: Final = 1 << 16  # tokens; of longer texts a part is aligned
PAIR: Final = 2  # tokens of a window that decide which part


class TokenFile:
    """The tokens of some rows, in a file; memory holds where each begins and what is being aligned."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.spans: dict[int, tuple[int, int]] = {}  # row → first token, number of tokens
        self.size = 0
        path.unlink(missing_ok=True)

    def fill(self, judged: Sequence[Path], rows: NDArray[np.int64]) -> None:
        """Read the texts of `rows` that are not there yet."""
        with self.path.open("ab") as file:
            for path in judged:
                held = pq.read_table(path, columns=["row"]).column("row").to_numpy()
                wanted = np.isin(held, rows)
                if not wanted.any():
                    continue
                texts = pq.read_table(path, columns=["text"]).column("text").filter(pa.array(wanted))
                for row, text in zip(held[wanted].tolist(), texts, strict=True):
                    if row not in self.spans:
                        hashes = tokens(text.as_py()).astype(np.uint32)
                        file.write(hashes.tobytes())
                        self.spans[row] = (self.size, len(hashes))
                        self.size += len(hashes)

    def read(self, row: int) -> NDArray[np.uint32]:
        """The tokens (T,) of a row."""
        first, number = self.spans[row]
        return np.fromfile(self.path, dtype=np.uint32, count=number, offset=4 * first)

    def similarities(self, pairs: Iterable[tuple[int, int]], *, least: float) -> list[float]:
        """The similarity of each pair of rows, 0 where it is below `least`; pairs sorted by their first row."""
        held: tuple[int, NDArray[np.uint32]] | None = None
        found = []
        for one, other in pairs:
            if held is None or held[0] != one:
                held = (one, self.read(one))
            found.append(aligned(held[1], self.read(other), least=least))
        return found


def aligned(one: NDArray[np.uint32], other: NDArray[np.uint32], *, least: float) -> float:
    """The share of the longer text's tokens that the other has in the same order; 0 where it is below `least`.

    It is the longest common subsequence (Hyyrö 2004, bit-parallel) over the length of the longer text. Of texts
    above LONG tokens a part is aligned, chosen by what stands there: a token stays in it if the window it ends was
    chosen, hence as often as a whole window is unchanged, and the root of that share estimates the share of tokens.

    >>> words = np.arange(10, dtype=np.uint32)
    >>> aligned(words, words[1:], least=0.8), aligned(words, words[::-1], least=0.8)
    (0.9, 0.0)
    """
    longer = max(len(one), len(other))
    if not longer or min(len(one), len(other)) < least * longer:
        return 0.0
    part = -(-longer // LONG)
    if part == 1:
        return share(one, other, least=least)
    return float(share(thinned(one, part), thinned(other, part), least=least**PAIR) ** (1 / PAIR))


def share(one: NDArray[np.uint32], other: NDArray[np.uint32], *, least: float) -> float:
    """The longest common subsequence over the longer length; 0 below `least`."""
    longer = max(len(one), len(other), 1)
    common = LCSseq.similarity(low_bytes(one), low_bytes(other), score_cutoff=int(least * longer))
    return common / longer if common >= least * longer else 0.0


def thinned(hashes: NDArray[np.uint32], part: int) -> NDArray[np.uint32]:
    """One in `part` of a text's windows of two tokens, chosen by their own hash, in order."""
    pairs = windows(hashes.astype(np.uint64), PAIR)
    chosen: NDArray[np.uint32] = pairs[pairs % np.uint64(part) == 0].astype(np.uint32)
    return chosen


def low_bytes(hashes: NDArray[np.uint32]) -> bytes:
    """The last byte of each hash, which is what the aligner is fastest with.

    One token in 256 passes for another; on a text with 12 % substituted that adds 0.0004 to what is found.
    """
    return hashes.astype(np.uint8).tobytes()


def kept_copies(alike: Mapping[tuple[int, int], float], *, threshold: float) -> dict[int, tuple[int, float]]:
    """Who is dropped for whom: position → the kept position it repeats and how alike they are.

    Smaller positions are preferred. A document is dropped only for one that is itself kept and was compared with it,
    so a chain of small changes never drops its far end.

    >>> kept_copies({(0, 1): 0.9, (1, 2): 0.9, (0, 2): 0.7}, threshold=0.8)
    {1: (0, 0.9)}
    """
    dropped: dict[int, tuple[int, float]] = {}
    for (better, worse), value in sorted(alike.items(), key=lambda entry: (entry[0][1], -entry[1], entry[0][0])):
        if value >= threshold and worse not in dropped and better not in dropped:
            dropped[worse] = (better, value)
    return dropped
