"""Curated documents made by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from freehold.stage import Stage

FIELDS = ("id", "text", "language", "source", "licence", "title", "url", "date", "origin")
StageMaker = Callable[..., Stage]


def write_part(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Documents as curate leaves them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = pa.schema([(name, pa.string()) for name in FIELDS])
    filled = [{name: row.get(name) for name in FIELDS} for row in rows]
    pq.write_table(pa.Table.from_pylist(filled, schema=schema), path, compression="zstd")


def document(**fields: Any) -> dict[str, Any]:
    """A document with every field."""
    plain = {"language": "deu", "source": "deu-law", "licence": "public-domain-law", "title": "Titel", "url": None}
    return plain | {"date": None, "origin": "tests"} | fields
