"""The tree of training documents, from which anyone can later prove that a text was learned from, or was not.

It is made of what was written: of every text as it will be trained on, and of the bytes of its file where the record is
the whole file. Held-out documents are not in it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import pyarrow.parquet as pq

from freehold.proof.tree import sparse
from freehold.stages.curate.parts import rows_of

NAME = "documents.smt"


def write_tree(output: Path, files: Collection[str]) -> str:
    """Write `documents.smt` beside `documents/`; `files` are SHA-256 (hex) of source files. Returns the root, in hex.

    Texts are read again a row group at a time; of each its key is kept, in memory or on disk (see `sparse.write`).
    """
    return sparse.write(output / NAME, keys_in(output / "documents", frozenset(files)))


def keys_in(documents: Path, files: frozenset[str]) -> Iterator[bytes]:
    """The keys of the documents in a folder of Parquet files. A record whose checksum is that of a source file is that
    file: rows of tables and pages of archives are not."""
    for path in sorted(documents.glob("part-*.parquet")):
        with pq.ParquetFile(path) as parquet:
            for group in range(parquet.num_row_groups):
                table = parquet.read_row_group(group, columns=["text", "checksum"])
                for text, checksum in rows_of(table, "text", "checksum"):
                    yield sparse.key_of_text(text)
                    if checksum in files:
                        yield bytes.fromhex(checksum)
