"""Token shards on disk: every document's tokens by row number, and whether the files are still those that were cut."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as parquet
from numpy.typing import NDArray

from freehold.errors import InputError

REMEDY = "restore the file, or run tokenize again"


class Shards:
    """The tokens of all shards end to end, and the documents they came from.

    Tokens are read, not mapped: a file that shrinks under a mapping kills the process without a word.
    """

    def __init__(self, folder: Path, *, files: list[str], dtype: str) -> None:
        """`files` are names of raw little-endian token files that have a Parquet sidecar each."""
        self.dtype = np.dtype(dtype).newbyteorder("<")
        self.paths = [folder / name for name in files]
        self.files = [path.open("rb", buffering=0) for path in self.paths]
        self.marks = [_mark(path) for path in self.paths]
        tables = [parquet.read_table(path.with_suffix(".parquet")) for path in self.paths]
        self.documents: list[str] = [name for table in tables for name in table["document"].to_pylist()]
        self.languages = np.array([code for table in tables for code in table["language"].to_pylist()], dtype=object)
        self.sources = np.array([name for table in tables for name in table["source"].to_pylist()], dtype=object)
        self.starts = np.concatenate([table["start"].to_numpy().astype(np.int64) for table in tables])
        self.lengths = np.concatenate([table["length"].to_numpy().astype(np.int64) for table in tables])
        self.shard_of = np.concatenate([np.full(len(table), index) for index, table in enumerate(tables)])

    @classmethod
    def open(cls, artifact: Path) -> Shards:
        """The shards of a tokenize artifact. Raises InputError when it has no tokens or a file is not the one cut."""
        facts = json.loads((artifact / "tokenize.json").read_text(encoding="utf-8"))
        for shard in facts["shards"]:
            _demand(artifact / shard["file"], shard, width=np.dtype(facts["dtype"]).itemsize)
        shards = cls(artifact, files=[shard["file"] for shard in facts["shards"]], dtype=facts["dtype"])
        if not len(shards.lengths):
            raise InputError("there are no training tokens", where=str(artifact), remedy="add documents to the sources")
        return shards

    def read(self, row: int, offset: int, length: int) -> NDArray[np.int64]:
        """`length` tokens of a document from `offset` on. Raises InputError where the file ends before them."""
        shard, width = int(self.shard_of[row]), self.dtype.itemsize
        data = os.pread(self.files[shard].fileno(), length * width, (int(self.starts[row]) + offset) * width)
        if len(data) < length * width:
            where = str(self.paths[shard])
            raise InputError("tokens are missing: the file was cut short under the run", where=where, remedy=REMEDY)
        return np.frombuffer(data, dtype=self.dtype).astype(np.int64)

    def rows(self, language: str, sources: Sequence[str] = ()) -> NDArray[np.int64]:
        """Rows of the documents in a language, out of all sources or only these."""
        found = self.languages == language
        return np.flatnonzero(found & np.isin(self.sources, list(sources)) if sources else found)

    def tokens(self) -> dict[tuple[str, str], int]:
        """Unique tokens by (language, source)."""
        counted: dict[tuple[str, str], int] = {}
        for language, source, length in zip(self.languages, self.sources, self.lengths.tolist(), strict=True):
            counted[language, source] = counted.get((language, source), 0) + length
        return counted

    def check(self) -> None:
        """Raise InputError naming the first file that was replaced or written to since it was opened."""
        for path, mark in zip(self.paths, self.marks, strict=True):
            if not path.exists() or _mark(path) != mark:
                raise InputError("the tokens changed under the run", where=str(path), remedy=REMEDY)


def _mark(path: Path) -> tuple[int, int, int]:
    """What changes when a file is replaced or written to: its number, size in bytes and time."""
    facts = path.stat()
    return facts.st_ino, facts.st_size, facts.st_mtime_ns


def _demand(path: Path, shard: dict[str, Any], *, width: int) -> None:
    """Raise InputError unless a token file and its sidecar are there as tokenize.json has them."""
    sidecar = path.with_suffix(".parquet")
    for file in (path, sidecar):
        if not file.is_file():
            raise InputError("the file is missing", where=str(file), remedy=REMEDY)
    if (size := path.stat().st_size) != shard["tokens"] * width:
        message = f"has {size:,} bytes where {shard['tokens']:,} tokens take {shard['tokens'] * width:,}"
        raise InputError(message, where=str(path), remedy=REMEDY)
    if hashlib.sha256(sidecar.read_bytes()).hexdigest() != shard["sidecar_sha256"]:
        raise InputError("is not the file that tokenize.json names", where=str(sidecar), remedy=REMEDY)
