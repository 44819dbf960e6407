"""Files of the scratch folder: Parquet parts with a fixed schema, and marks that tell a finished unit from a torn one.

A unit of work (a source file, a part) writes into a name of its own, atomically, and its mark last; after kill -9 a
unit with a mark is not done again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

RAW: Final = pa.schema(
    [
        ("row", pa.int64()),
        ("id", pa.string()),
        ("text", pa.string()),
        ("markup", pa.bool_()),
        ("language", pa.string()),
        ("licence", pa.string()),
        ("title", pa.string()),
        ("url", pa.string()),
        ("date", pa.string()),
        ("origin", pa.string()),
        ("retrieved", pa.string()),
        ("evidence", pa.string()),
        ("checksum", pa.string()),
        ("headers", pa.string()),
    ]
)
NOTICES: Final = pa.schema(
    [
        ("host", pa.string()),
        ("kind", pa.string()),
        ("url", pa.string()),
        ("retrieved", pa.string()),
        ("status", pa.int64()),
        ("body", pa.string()),
        ("sha256", pa.string()),
    ]
)
DOCUMENT: Final = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("language", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("licence", pa.string(), nullable=False),
        ("title", pa.string()),
        ("url", pa.string()),
        ("date", pa.string()),
        pa.field("origin", pa.string(), nullable=False),
        ("retrieved", pa.string()),
        ("evidence", pa.string()),
        ("checksum", pa.string()),
    ]
)
# A judged record: a document, or a reason and a detail instead of its text.
JUDGED: Final = pa.schema(
    [
        ("row", pa.int64()),
        *(field.with_nullable(True) for field in DOCUMENT),
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("digest", pa.string()),
        ("bytes", pa.int64()),  # of the text kept; of a dropped record those of the text read
        ("unspaced", pa.bool_()),
        ("ground", pa.string()),  # licence, statute or override; also of a dropped record that had one
        ("override", pa.int64()),  # line of the decision on this document
    ]
)
LEDGER: Final = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("detail", pa.string(), nullable=False),
    ]
)


def write_table(path: Path, rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> None:
    """Write rows as one Parquet file, whole or not at all."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), partial, compression="lz4")
    partial.replace(path)


def read_rows(path: Path, *, columns: Iterable[str] | None = None) -> list[dict[str, Any]]:
    """All rows of a part; parts are small by construction."""
    rows: list[dict[str, Any]] = pq.read_table(path, columns=list(columns) if columns else None).to_pylist()
    return rows


def rows_of(table: pa.Table, *columns: str) -> Iterator[tuple[Any, ...]]:
    """The values of some columns, row by row."""
    return zip(*(table.column(name).to_pylist() for name in columns), strict=True)


def mark(path: Path, counts: Mapping[str, Any]) -> None:
    """Leave the mark of a finished unit: its counts as JSON, whole or not at all."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    with partial.open("w", encoding="utf-8") as file:
        json.dump(counts, file, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def marked(path: Path) -> dict[str, Any] | None:
    """The counts of a finished unit, or None if it is not finished."""
    try:
        counts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return counts
