"""Paragraphs that recur in many documents of several sources: counted by hash, and cut where the charter says so.

Lines that recur within one source are cut when a record is judged; what is found here stood in several sources.
Memory is bounded: hashes are counted a range at a time, so that at most PARAGRAPHS_AT_ONCE of them are held.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from freehold.text.paragraphs import without

PARAGRAPHS_AT_ONCE: Final = 1 << 24  # 400 MB while they are sorted
TOLD: Final = 100  # paragraphs, and documents of each, that clusters.parquet names


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurring:
    """Paragraphs that recur: hash → rows that hold it, the first in reading order first."""

    rows: Mapping[int, NDArray[np.int64]] = field(default_factory=dict)

    def beyond(self, documents: int) -> dict[int, frozenset[int]]:
        """Row → hashes of the paragraphs that enough documents before it hold."""
        found: dict[int, set[int]] = defaultdict(set)
        for paragraph, rows in self.rows.items():
            for row in rows[documents:].tolist():
                found[row].add(paragraph)
        return {row: frozenset(cut) for row, cut in sorted(found.items())}


def recurring(judged: Sequence[Path], dropped: NDArray[np.int64], *, documents: int) -> Recurring:
    """Paragraphs in more than `documents` of the documents not dropped, and in more than one source."""
    total = sum(len(table.column("paragraphs").combine_chunks().flatten()) for table in tables(judged, dropped))
    ranges = max(1, -(-total // PARAGRAPHS_AT_ONCE))
    found: dict[int, NDArray[np.int64]] = {}
    for number in range(ranges):
        found |= of_range(judged, dropped, documents=documents, number=number, ranges=ranges)
    return Recurring(rows=dict(sorted(found.items(), key=lambda entry: (-len(entry[1]), entry[0]))))


def of_range(
    judged: Sequence[Path], dropped: NDArray[np.int64], *, documents: int, number: int, ranges: int
) -> dict[int, NDArray[np.int64]]:
    """The recurring paragraphs of one range of hashes."""
    numbers: dict[str, int] = {}
    parts: list[NDArray[np.uint64]] = [np.empty((3, 0), dtype=np.uint64)]
    for table in tables(judged, dropped):
        lists = table.column("paragraphs").combine_chunks()
        hashes = lists.flatten().to_numpy()
        parents = pc.list_parent_indices(lists).to_numpy()
        names = [numbers.setdefault(name, len(numbers)) for name in table.column("source").to_pylist()]
        chosen = hashes % np.uint64(ranges) == number
        rows, sources = table.column("row").to_numpy()[parents], np.array(names, dtype=np.uint64)[parents]
        parts.append(np.stack((hashes, rows.astype(np.uint64), sources))[:, chosen])
    hashes, rows, sources = np.concatenate(parts, axis=1)
    order = np.lexsort((rows, hashes))
    hashes, rows, sources = hashes[order], rows[order].astype(np.int64), sources[order]
    starts = np.flatnonzero(np.concatenate(([True], hashes[1:] != hashes[:-1]))) if len(hashes) else np.empty(0, int)
    if not len(starts):
        return {}
    sizes = np.diff(starts, append=len(hashes))
    several = np.minimum.reduceat(sources, starts) != np.maximum.reduceat(sources, starts)
    wanted = np.flatnonzero(several & (sizes > documents))
    return {int(hashes[starts[place]]): rows[starts[place] : starts[place] + sizes[place]] for place in wanted.tolist()}


def tables(judged: Sequence[Path], dropped: NDArray[np.int64]) -> Iterator[pa.Table]:
    """Row, source and paragraphs of every document, part by part."""
    for path in judged:
        table = pq.read_table(path, columns=["row", "source", "reason", "paragraphs"])
        kept = table.column("reason").is_null().to_numpy() & ~np.isin(table.column("row").to_numpy(), dropped)
        yield table.filter(pa.array(kept))


def sizes_after(judged: Sequence[Path], cuts: Mapping[int, frozenset[int]]) -> dict[int, tuple[int, int]]:
    """Row → characters and bytes that are left of its text without the paragraphs to be cut."""
    wanted = np.fromiter(cuts, dtype=np.int64, count=len(cuts))
    found: dict[int, tuple[int, int]] = {}
    for path in judged if cuts else ():
        held = pq.read_table(path, columns=["row"]).column("row").to_numpy()
        if not (chosen := np.isin(held, wanted)).any():
            continue
        table = pq.read_table(path, columns=["text", "unspaced"]).filter(pa.array(chosen))
        rows = zip(held[chosen].tolist(), *(table.column(name).to_pylist() for name in table.column_names), strict=True)
        for row, text, unspaced in rows:
            left = without(text, cuts[row], unspaced=unspaced)
            found[row] = (len(left.strip()), len(left.encode()))
    return found
