"""Search's index: the curated documents as ranked passages that carry their citation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pyarrow.parquet as pq

from freehold.errors import InputError
from freehold.index import ranked
from freehold.records import canonical_json
from freehold.stage import Stage

FORMAT = 1
ROWS = 32  # documents in memory at once


def run(stage: Stage) -> None:
    """Build in scratch, then move what is whole into place."""
    unfinished = stage.scratch / "index"
    unfinished.mkdir(exist_ok=True)
    extent = ranked.build(documents(stage), folder=unfinished)
    for name in ranked.PARTS:
        (unfinished / name).replace(stage.output / name)
    summary = {"format": FORMAT, **asdict(extent)}
    stage.put("search.json", canonical_json(summary))
    stage.figures.update(asdict(extent))


def documents(stage: Stage) -> Iterator[dict[str, Any]]:
    """Every training document, with a bar. Raises InputError when there is none."""
    parts = sorted((stage.input("curate") / "documents").glob("*.parquet"))
    if not parts:
        raise InputError("no documents", where=str(stage.input("curate")), remedy="run curate again")
    total = sum(pq.read_metadata(part).num_rows for part in parts)
    columns = ["id", "text", *ranked.CARRIED]
    with stage.progress.task("index passages", total=total, unit="documents") as task:
        for part in parts:
            with pq.ParquetFile(part) as file:
                for batch in file.iter_batches(batch_size=ROWS, columns=columns):
                    yield from batch.to_pylist()
                    task.advance(batch.num_rows)
