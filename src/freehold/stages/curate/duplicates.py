"""Which documents are the same: exact copies, near copies, and families that must not straddle the held-out split.

Only rows, digests and hashes are handled here. Of every set of copies the first in reading order stays: the order of
the charter's sources is the order of preference.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from freehold.stages.curate import frame
from freehold.text.signatures import HASHES, banding, bucket_pairs, components

FAMILY: Final = 0.5  # Jaccard similarity from which two documents share the fate of the held-out split
EMPTY: Final = np.uint32(0xFFFFFFFF)  # every hash of a text with fewer words than a shingle
COMPARED_AT_ONCE: Final = 1 << 16  # pairs; 64 MB of hashes


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """Rows that repeat another: row → the row it repeats. Families: row → first row of its family, the lone absent."""

    exact: dict[int, int]
    near: dict[int, int]
    family: dict[int, int]


def compare(judged: Sequence[Path], rows: NDArray[np.int64], *, threshold: float, scratch: Path) -> Likeness:
    """Compare all documents that passed; `rows` (N,) are theirs, ascending. `threshold` is a Jaccard similarity."""
    exact = repeats(star for group in frame.same_digest(judged) for star in stars(group))
    hashes = sketches(judged, rows, scratch / "sketches.npy")
    wanted = min(threshold, FAMILY)
    pairs = candidates(rows, hashes, threshold=wanted, leave_out=exact)
    agreement = agreements(hashes, pairs)
    near = as_rows(rows, pairs[agreement >= threshold])
    alike = as_rows(rows, pairs[agreement >= wanted])
    copies = [(kept, row) for row, kept in exact.items()]
    return Likeness(exact=exact, near=repeats(near), family=components([*alike, *copies]))


def stars(group: Iterable[int]) -> list[tuple[int, int]]:
    """The first row of a group with each other."""
    first, *others = sorted(group)
    return [(first, other) for other in others]


def repeats(pairs: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Every row that repeats an earlier one, with the first of its component."""
    return {row: first for row, first in components(pairs).items() if row != first}


def sketches(judged: Sequence[Path], rows: NDArray[np.int64], path: Path) -> NDArray[np.uint32]:
    """The MinHash sketches (N, HASHES) of `rows`, in a file so that memory holds only what is being compared."""
    table = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint32, shape=(len(rows), HASHES))
    for batch in frame.sketch(judged):
        places = np.searchsorted(rows, batch.column("row").to_numpy(zero_copy_only=False))
        table[places] = batch.column("hashes").flatten().to_numpy(zero_copy_only=False).reshape(-1, HASHES)
    return table


def candidates(
    rows: NDArray[np.int64], hashes: NDArray[np.uint32], *, threshold: float, leave_out: dict[int, int]
) -> NDArray[np.int64]:
    """Pairs (P, 2) of positions that share a band, each once, ascending; exact copies and empty sketches left out."""
    bands, height = banding(threshold)
    usable = ~np.isin(rows, np.fromiter(leave_out, dtype=np.int64, count=len(leave_out)))
    usable &= ~(hashes == EMPTY).all(axis=1)
    places = np.flatnonzero(usable)
    if len(places) < 2:
        return np.empty((0, 2), dtype=np.int64)
    flat = pa.array(np.ascontiguousarray(hashes[places]).reshape(-1))
    columns = {"row": pa.array(places), "hashes": pa.FixedSizeListArray.from_arrays(flat, HASHES)}
    found: set[tuple[int, int]] = set()
    for bucket in frame.same_band(pa.table(columns), bands=bands, rows=height):
        found.update(bucket_pairs(bucket))
    return np.array(sorted(found), dtype=np.int64).reshape(-1, 2)


def agreements(hashes: NDArray[np.uint32], pairs: NDArray[np.int64]) -> NDArray[np.float64]:
    """The estimated Jaccard similarity (P,) of each pair of positions."""
    parts = [
        (hashes[chunk[:, 0]] == hashes[chunk[:, 1]]).mean(axis=1)
        for chunk in (pairs[first : first + COMPARED_AT_ONCE] for first in range(0, len(pairs), COMPARED_AT_ONCE))
    ]
    return np.concatenate(parts) if parts else np.empty(0)


def as_rows(rows: NDArray[np.int64], pairs: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Pairs of positions as pairs of rows."""
    return zip(rows[pairs[:, 0]].tolist(), rows[pairs[:, 1]].tolist(), strict=True)
