"""Documents of the curated artifact, streamed; and a census of them that fits in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from freehold.errors import InputError

ROWS = 32  # documents in memory at once: a document may hold millions of characters
FACTS = ("id", "language", "source", "licence")


def parts(folder: Path) -> list[Path]:
    """The Parquet files of a folder in order. Raises InputError when there is none."""
    found = sorted(folder.glob("*.parquet"))
    if not found:
        raise InputError("no documents", where=str(folder), remedy="run curate again")
    return found


def batches(folder: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Every document of a folder, some columns of it, in file order."""
    for part in parts(folder):
        with pq.ParquetFile(part) as file:
            yield from file.iter_batches(batch_size=ROWS, columns=list(columns))


def census(folder: Path) -> pa.Table:
    """One row a document in file order: id, language, source, licence, bytes (UTF-8 of its text).

    Raises InputError when the corpus is empty.
    """
    rows = []
    for batch in batches(folder, [*FACTS, "text"]):
        size = pc.cast(pc.binary_length(batch.column("text")), pa.int64())
        rows.append(pa.RecordBatch.from_arrays([*map(batch.column, FACTS), size], [*FACTS, "bytes"]))
    table = pa.Table.from_batches(rows) if rows else None
    if table is None or table.num_rows == 0:
        raise InputError("no document passed curation", remedy="look at the reasons in the ledger: freehold curate")
    return table.combine_chunks()
