"""Files of the scratch folder: Parquet parts with a fixed schema, and marks that tell a finished unit from a torn one.

A unit of work (a source file, a part) writes into a name of its own, atomically, and its mark last; after kill -9 a
unit with a mark is not done again.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from freehold.text.signatures import HASHES

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
        ("languages", pa.string()),  # of a text in several: "deu 0.750, fra 0.250"
    ]
)
# What repair did to a text that was kept, in the order in which it was done; `freehold.text.repair.undo` takes it back.
REPAIRS: Final = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        ("row", pa.int64()),
        pa.field("rule", pa.string(), nullable=False),
        pa.field("round", pa.int32(), nullable=False),
        pa.field("position", pa.int64(), nullable=False),  # in characters, after the rule's edits of this round
        pa.field("removed", pa.string(), nullable=False),
        pa.field("inserted", pa.string(), nullable=False),
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
        ("tokens", pa.int64()),
        ("sketch", pa.binary(4 * HASHES)),
        ("paragraphs", pa.list_(pa.uint64())),  # hashes of its long lines
        ("overlaps", pa.list_(pa.int32())),  # items of question packs of which it holds a part
        ("holds", pa.list_(pa.int32())),  # and which it holds with their answers
        ("marks", pa.list_(pa.int32())),  # canaries of packs that it holds
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
    partial = unfinished(path)
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), partial, compression="lz4")
    partial.replace(path)


def unfinished(path: Path) -> Path:
    """A name of this writer alone, beside the one it will get; several machines may write the same unit."""
    return path.with_name(f"{path.name}.{secrets.token_hex(8)}.partial")


def read_rows(path: Path, *, columns: Iterable[str] | None = None) -> list[dict[str, Any]]:
    """All rows of a part; parts are small by construction."""
    rows: list[dict[str, Any]] = pq.read_table(path, columns=list(columns) if columns else None).to_pylist()
    return rows


def rows_of(table: pa.Table, *columns: str) -> Iterator[tuple[Any, ...]]:
    """The values of some columns, row by row."""
    return zip(*(table.column(name).to_pylist() for name in columns), strict=True)


def mark(path: Path, counts: Mapping[str, Any]) -> None:
    """Leave the mark of a finished unit: its counts as JSON, whole or not at all."""
    partial = unfinished(path)
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
