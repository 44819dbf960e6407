"""Sketches that outlive a run: what a curated corpus leaves so that a later one can tell what it already had.

`sketches.parquet` holds of every document its id, digest, kind, number of tokens and sketch: 0.6 kB, and no text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from freehold.errors import InputError
from freehold.text.signatures import HASHES

SKETCHES: Final = "sketches.parquet"
ROWS_AT_ONCE: Final = 16_384  # 8 MB of sketches
SCHEMA: Final = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("digest", pa.string(), nullable=False),
        pa.field("unspaced", pa.bool_(), nullable=False),
        pa.field("tokens", pa.int64(), nullable=False),
        pa.field("sketch", pa.binary(4 * HASHES), nullable=False),
    ],
    metadata={"format": "1", "sketch": f"{HASHES} little-endian uint32, freehold.text.signatures.sketch"},
)


@dataclass(frozen=True, slots=True)
class Earlier:
    """The documents of earlier releases; their sketches stay in their files."""

    files: tuple[Path, ...] = ()
    ids: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All documents in order, a few thousand at a time."""
        for path in self.files:
            yield from pq.ParquetFile(path).iter_batches(ROWS_AT_ONCE, columns=["unspaced", "tokens", "sketch"])


def read_earlier(files: Sequence[Path]) -> Earlier:
    """Open the sketches of earlier releases. Raises InputError for a file that is none."""
    ids: list[str] = []
    digests: list[str] = []
    for path in files:
        try:
            schema = pq.read_schema(path)
        except (OSError, pa.ArrowException) as error:
            fault = f"the sketches of an earlier release cannot be read: {str(error).splitlines()[0][:120]}"
            raise InputError(fault, where=str(path), remedy="correct [curate].against") from None
        if schema.remove_metadata() != SCHEMA.remove_metadata() or (schema.metadata or {}).get(b"format") != b"1":
            advice = "name the folder of a curated corpus, or its sketches.parquet"
            raise InputError("not the sketches of a curated corpus", where=str(path), remedy=advice)
        table = pq.read_table(path, columns=["id", "digest"])
        ids += table.column("id").to_pylist()
        digests += table.column("digest").to_pylist()
    return Earlier(files=tuple(files), ids=tuple(ids), digests=tuple(digests))


def write_sketches(path: Path, judged: Sequence[Path], dropped: NDArray[np.int64]) -> None:
    """Write the sketches of all documents that are kept, in reading order."""
    with pq.ParquetWriter(path, SCHEMA, compression="zstd", compression_level=3) as writer:
        for part in judged:
            table = pq.read_table(part, columns=["row", "reason", *SCHEMA.names])
            kept = table.column("reason").is_null().to_numpy() & ~np.isin(table.column("row").to_numpy(), dropped)
            if kept.any():
                writer.write_table(table.filter(pa.array(kept)).select(SCHEMA.names).cast(SCHEMA))


def sketches_of(column: pa.Array | pa.ChunkedArray) -> NDArray[np.uint32]:
    """A column of sketches as (N, HASHES)."""
    return np.frombuffer(b"".join(column.to_pylist()), dtype="<u4").reshape(-1, HASHES)
