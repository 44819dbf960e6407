"""Parquet: one row a record, a few rows in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pyarrow.parquet as pq

from freehold.stages.curate.formats.mapping import record
from freehold.stages.curate.formats.record import Dropped, File, Raw

ROWS: Final = 64  # decoded at a time


def read(file: File) -> Iterator[Raw | Dropped]:
    """Every row. Raises Arrow's errors where the file is damaged."""
    with pq.ParquetFile(file.path, buffer_size=1 << 20, pre_buffer=False) as table:
        number = 0
        for batch in table.iter_batches(batch_size=ROWS, use_threads=False):
            for row in batch.to_pylist():
                number += 1
                yield record(row, place=f"{file.name}#{number}", html=file.html)
