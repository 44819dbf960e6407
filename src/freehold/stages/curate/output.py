"""What the stage leaves: documents, held-out documents, the ledger, the sources; streamed, in reading order.

Reading order and fixed row groups make the bytes the same on every run.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from freehold.records import canonical_json
from freehold.stages.curate.parts import DOCUMENT, LEDGER, REPAIRS, read_rows
from freehold.text.paragraphs import without

FILE_BYTES: Final = 256_000_000  # of text in one Parquet file
LEDGER_ROWS: Final = 50_000  # per row group


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """What becomes of the rows that passed; a row in none of these is trained on."""

    dropped: NDArray[np.int64]  # ascending
    held_out: NDArray[np.int64]  # ascending
    renamed: Mapping[int, str]  # rows whose id another document already has


class Folder:
    """A folder of Parquet files that a stream of tables fills one after another."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files = self.held = 0
        self.writer: pq.ParquetWriter | None = None
        shutil.rmtree(path, ignore_errors=True)  # what a killed run left
        path.mkdir(parents=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.files == 0:
            self.open()  # readers find one empty file rather than none
        self.close()

    def write(self, table: pa.Table, size: int) -> None:
        """One row group more."""
        writer = self.writer or self.open()
        writer.write_table(table, row_group_size=max(1, len(table)))
        self.held += size
        if self.held >= FILE_BYTES:
            self.close()

    def open(self) -> pq.ParquetWriter:
        """Begin the next file."""
        path = self.path / f"part-{self.files:05d}.parquet"
        self.writer = pq.ParquetWriter(path, DOCUMENT, compression="zstd", compression_level=3)
        self.files, self.held = self.files + 1, 0
        return self.writer

    def close(self) -> None:
        """Finish the file that is open."""
        if self.writer is not None:
            self.writer.close()
            self.writer = None


def write_documents(
    output: Path, judged: Sequence[Path], decisions: Decisions, cuts: Mapping[int, frozenset[int]]
) -> Iterator[int]:
    """Write `documents/` and `held_out/`, rows without the paragraphs in `cuts`; yields the bytes, part by part."""
    with Folder(output / "documents") as training, Folder(output / "held_out") as held_out:
        for path in judged:
            table = pq.read_table(path)
            rows = table.column("row").to_numpy()
            kept = table.column("reason").is_null().to_numpy() & ~np.isin(rows, decisions.dropped)
            side = np.isin(rows, decisions.held_out)
            for folder, chosen in ((training, kept & ~side), (held_out, kept & side)):
                if chosen.any():
                    part = shorten(rename(table.filter(pa.array(chosen)), decisions.renamed), cuts)
                    size = int(np.sum(part.column("bytes").to_numpy()))
                    folder.write(part.select(DOCUMENT.names).cast(DOCUMENT), size)
                    yield size


def rename(table: pa.Table, renamed: Mapping[int, str]) -> pa.Table:
    """The table with the new ids of rows whose id was taken."""
    rows = table.column("row").to_pylist()
    if renamed.keys().isdisjoint(rows):
        return table
    ids = [renamed.get(row, identity) for row, identity in zip(rows, table.column("id").to_pylist(), strict=True)]
    return table.set_column(table.column_names.index("id"), "id", pa.array(ids, pa.string()))


def shorten(table: pa.Table, cuts: Mapping[int, frozenset[int]]) -> pa.Table:
    """The table with texts without the paragraphs that are to be cut."""
    rows = table.column("row").to_pylist()
    if cuts.keys().isdisjoint(rows):
        return table
    texts = zip(rows, table.column("text").to_pylist(), table.column("unspaced").to_pylist(), strict=True)
    left = [without(text, cuts.get(row, frozenset()), unspaced=unspaced) for row, text, unspaced in texts]
    return table.set_column(table.column_names.index("text"), "text", pa.array(left, pa.string()))


def write_ledger(path: Path, streams: Iterable[Iterable[Mapping[str, Any]]]) -> Counter[tuple[str, str]]:
    """Write every drop (id, source, reason, detail; never text); returns how often each source met each reason."""
    held: list[Mapping[str, Any]] = []
    counts: Counter[tuple[str, str]] = Counter()
    with pq.ParquetWriter(path, LEDGER, compression="zstd") as writer:
        for drop in (drop for stream in streams for drop in stream):
            counts[drop["source"], drop["reason"]] += 1
            held.append(drop)
            if len(held) >= LEDGER_ROWS:
                writer.write_table(pa.Table.from_pylist(held, schema=LEDGER))
                held = []
        writer.write_table(pa.Table.from_pylist(held, schema=LEDGER))
    return counts


def write_repairs(path: Path, logs: Iterable[Path], decisions: Decisions) -> None:
    """Write what repair did to the documents that were kept (see `parts.REPAIRS`), one row group a part."""
    with pq.ParquetWriter(path, REPAIRS, compression="zstd") as writer:
        for log in logs:
            table = pq.read_table(log, schema=REPAIRS)
            kept = table.filter(pa.array(~np.isin(table.column("row").to_numpy(), decisions.dropped)))
            if len(kept):
                writer.write_table(kept, row_group_size=max(1, len(kept)))


def ledger_rows(drop_parts: Iterable[Path], judged: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """What readers and rules dropped, file by file."""
    for path in drop_parts:
        yield from read_rows(path)
    for path in judged:
        for row in read_rows(path, columns=LEDGER.names):
            if row["reason"] is not None:
                yield row


def write_json(path: Path, value: Any) -> None:
    """A JSON file that people read and programs compare: sorted, indented, UTF-8."""
    path.write_text(json.dumps(value, sort_keys=True, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def write_lines(path: Path, values: Iterable[Any]) -> None:
    """JSON Lines in canonical form."""
    path.write_bytes(b"".join(canonical_json(value) + b"\n" for value in values))
