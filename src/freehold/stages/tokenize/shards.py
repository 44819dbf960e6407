"""Lots in file order become shards in the order (language, document id), with a sidecar that names every token."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from freehold.progress import Task
from freehold.stages.tokenize import indexes
from freehold.stages.tokenize.encode import Lot
from freehold.store.atomic import placed

SHARD_TOKENS = 64_000_000  # a longer document makes its shard longer: documents are never split
SIDECAR = ("document", "start", "length", "bytes", "source", "licence", "language")


def order(census: pa.Table, lots: Sequence[Lot]) -> pa.Table:
    """The census sorted by (language, id) without documents that have no token, and with these columns beside it.

    lot (its number), offset (first token within the lot), length (tokens), shard (number), start (within the shard).
    """
    lengths = [np.load(lot.lengths) for lot in lots]
    table = census.rename_columns({"id": "document"})
    table = table.append_column("lot", pa.array(np.repeat(np.arange(len(lots)), [len(found) for found in lengths])))
    table = table.append_column("offset", pa.array(np.concatenate([begins(found) for found in lengths])))
    table = table.append_column("length", pa.array(np.concatenate(lengths)))
    table = table.filter(pc.greater(table.column("length"), 0))
    table = table.sort_by([(name, "ascending") for name in ("language", "document", "lot", "offset")])
    shard = shard_numbers(table.column("length").to_numpy())
    start = begins(table.column("length").to_numpy())
    first = np.searchsorted(shard, shard)  # the row that opens the shard of each row
    table = table.append_column("shard", pa.array(shard))
    return table.append_column("start", pa.array(start - start[first]))


def begins(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each piece begins when they stand one after the other: ``begins([3, 2, 4]) == [0, 3, 5]``."""
    return np.cumsum(lengths) - lengths


def shard_numbers(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Fill one shard after the other, closing it before it would pass SHARD_TOKENS."""
    ends = np.cumsum(lengths)
    numbers = np.zeros(len(lengths), dtype=np.int64)
    first = shard = 0
    while first < len(lengths):
        taken = ends[first] - lengths[first]
        last = max(first + 1, int(np.searchsorted(ends, taken + SHARD_TOKENS, side="right")))
        numbers[first:last] = shard
        first, shard = last, shard + 1
    return numbers


def assemble(
    table: pa.Table, lots: Sequence[Lot], folder: Path, *, dtype: np.dtype[Any], scratch: Path, task: Task
) -> list[Path]:
    """Write every shard and its sidecar unless they stand already, and indexes beside them. `task` counts tokens."""
    numbers = table.column("shard").to_numpy()
    paths = []
    for shard in range(int(numbers[-1]) + 1):
        rows = table.slice(int(np.searchsorted(numbers, shard)), int((numbers == shard).sum()))
        path = folder / f"train-{shard:05d}.bin"
        sidecar = path.with_suffix(".parquet")
        if not (path.exists() and sidecar.exists()):
            with placed(path, scratch=scratch) as unfinished:
                copy(rows, lots, unfinished, dtype=dtype)
            with placed(sidecar, scratch=scratch) as unfinished:
                pq.write_table(rows.select(list(SIDECAR)), unfinished, compression="zstd")
        indexes.write(path, rows.column("length").to_numpy(), dtype=dtype, scratch=scratch)
        task.advance(pc.sum(rows.column("length")).as_py())
        paths.append(path)
    return paths


def copy(rows: pa.Table, lots: Sequence[Lot], target: Path, *, dtype: np.dtype[Any]) -> None:
    """The tokens of `rows`, one document after the other, from memory-mapped lots."""
    maps: dict[int, Any] = {}
    with target.open("wb") as file:
        columns = (rows.column(name).to_pylist() for name in ("lot", "offset", "length"))
        for lot, offset, length in zip(*columns, strict=True):
            if lot not in maps:
                maps[lot] = np.memmap(lots[lot].tokens, dtype=dtype, mode="r")
            maps[lot][offset : offset + length].tofile(file)


def streams(table: pa.Table, paths: Sequence[Path]) -> dict[str, list[dict[str, Any]]]:
    """Where each language stands: per language the runs {file, start, tokens} in reading order."""
    found: dict[str, list[dict[str, Any]]] = {}
    sums = table.group_by(["language", "shard"], use_threads=False)
    runs = sums.aggregate([("start", "min"), ("length", "sum")]).sort_by(
        [("language", "ascending"), ("shard", "ascending")]
    )
    for run in runs.to_pylist():
        place = {"file": f"shards/{paths[run['shard']].name}", "start": run["start_min"], "tokens": run["length_sum"]}
        found.setdefault(run["language"], []).append(place)
    return found


def by_source(table: pa.Table) -> dict[str, dict[str, int]]:
    """Tokens of each language by source."""
    found: dict[str, dict[str, int]] = {}
    sums = table.group_by(["language", "source"], use_threads=False).aggregate([("length", "sum")])
    for row in sums.to_pylist():
        found.setdefault(row["language"], {})[row["source"]] = row["length_sum"]
    return found
