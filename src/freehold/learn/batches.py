"""Batches over memory-mapped token shards, and the account of what was in them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow.parquet as parquet
import torch
from numpy.typing import NDArray
from torch import Tensor

from freehold.errors import InputError
from freehold.learn.mixture import Stream, Turns, key_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one step learns from."""

    tokens: Tensor  # (B, T) int64
    targets: Tensor  # (B, T) int64, -100 where nothing is predicted
    documents: tuple[str, ...]  # ids in order of first appearance

    @property
    def root(self) -> str:
        """SHA-256 over the document ids, one a line: what the training chain records."""
        return hashlib.sha256("\n".join(self.documents).encode()).hexdigest()

    def each(self, change: Callable[[Tensor], Tensor]) -> Batch:
        """The same batch with every tensor changed."""
        tensors = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        changed: dict[str, Any] = {name: change(value) for name, value in tensors.items() if isinstance(value, Tensor)}
        return replace(self, **changed)


class Batches(Protocol):
    """Anything the loop can learn from; `at` must be a pure function of the step."""

    def at(self, step: int) -> Batch:
        """The batch of a step."""
        ...


class Shards:
    """The tokens of all shards end to end, and the documents they came from."""

    def __init__(self, folder: Path, *, files: list[str], dtype: str) -> None:
        """`files` are names of raw little-endian token files that have a Parquet sidecar each."""
        self.maps = [np.memmap(folder / name, dtype=np.dtype(dtype).newbyteorder("<"), mode="r") for name in files]
        tables = [parquet.read_table((folder / name).with_suffix(".parquet")) for name in files]
        self.documents: list[str] = [name for table in tables for name in table["document"].to_pylist()]
        self.languages = np.array([code for table in tables for code in table["language"].to_pylist()], dtype=object)
        self.starts = np.concatenate([table["start"].to_numpy().astype(np.int64) for table in tables])
        self.lengths = np.concatenate([table["length"].to_numpy().astype(np.int64) for table in tables])
        self.shard_of = np.concatenate([np.full(len(table), index) for index, table in enumerate(tables)])

    @classmethod
    def open(cls, artifact: Path) -> Shards:
        """The shards of a tokenize artifact. Raises InputError when it has no tokens."""
        facts = json.loads((artifact / "tokenize.json").read_text(encoding="utf-8"))
        files = [shard["file"] for shard in facts["shards"]]
        names = [name if "/" in name else f"shards/{name}" for name in files]
        shards = cls(artifact, files=names, dtype=facts["dtype"])
        if not len(shards.lengths):
            raise InputError("there are no training tokens", where=str(artifact), remedy="add documents to the sources")
        return shards

    def read(self, row: int, offset: int, length: int) -> NDArray[np.int64]:
        """`length` tokens of a document from `offset` on."""
        start = int(self.starts[row]) + offset
        return np.asarray(self.maps[self.shard_of[row]][start : start + length], dtype=np.int64)


class Corpus:
    """Batches of a fixed number of windows, languages mixed by their shares."""

    def __init__(
        self, shards: Shards, *, shares: dict[str, float], digest: str, seed: int, sequence: int, samples: int
    ) -> None:
        """`samples` windows of `sequence` tokens make a batch; `digest` names the shards (their manifest)."""
        self.shards, self.sequence, self.samples = shards, sequence, samples
        self.streams: dict[str, Stream] = {}
        for language in shares:
            rows = np.flatnonzero(shards.languages == language)
            if not len(rows) or not shards.lengths[rows].sum():
                raise InputError(
                    f"no training document is in {language!r}",
                    where="charter: languages",
                    remedy="add documents of that language or remove it",
                )
            key = key_of(digest, seed, language)
            self.streams[language] = Stream(rows, shards.lengths[rows], key=key, window=sequence)
        whole = sum(shares.values())
        # Sorted, so that the order in which a charter lists its languages does not matter.
        self.turns = Turns(tuple((language, share / whole) for language, share in sorted(shares.items())))

    def at(self, step: int) -> Batch:
        """The batch of a step: sample indices step x samples … + samples - 1."""
        rows, documents = [], dict[int, None]()
        for sample in range(step * self.samples, (step + 1) * self.samples):
            pieces = self._pieces(sample, extra=1)
            rows.append(np.concatenate([self.shards.read(*piece) for piece in pieces]))
            documents.update(dict.fromkeys(row for row, _, _ in pieces))
        window = torch.from_numpy(np.stack(rows))
        return Batch(
            tokens=window[:, :-1].contiguous(),
            targets=window[:, 1:].contiguous(),
            documents=tuple(self.shards.documents[row] for row in documents),
        )

    def consumed(self, samples: int) -> dict[str, list[list[int]]]:
        """What the first `samples` samples predicted, per language: [document row, offset, tokens, times].

        Ranges are disjoint, sorted and merged; `times` says how often a range was consumed.
        """
        return {language: self._consumed(language, self.turns.count(language, samples)) for language in self.streams}

    def _pieces(self, sample: int, *, extra: int) -> list[tuple[int, int, int]]:
        language, number = self.turns.at(sample)
        stream = self.streams[language]
        return stream.pieces(stream.start(number), self.sequence + extra)

    def _consumed(self, language: str, numbers: int) -> list[list[int]]:
        stream = self.streams[language]
        edges: dict[tuple[int, int], int] = {}  # (row, offset) → change of depth
        for number in range(numbers):
            for row, offset, length in stream.pieces(stream.start(number), self.sequence):
                edges[row, offset] = edges.get((row, offset), 0) + 1
                edges[row, offset + length] = edges.get((row, offset + length), 0) - 1
        return _ranges(edges)


def _ranges(edges: dict[tuple[int, int], int]) -> list[list[int]]:
    """Sweep over the edges: every maximal range of constant depth above zero.

    >>> _ranges({(0, 0): 1, (0, 4): 0, (0, 8): -1})
    [[0, 0, 8, 1]]
    """
    ranges: list[list[int]] = []
    depth, row, begun = 0, -1, 0
    for (here, offset), change in sorted(edges.items()):
        if change == 0:
            continue
        if depth:
            ranges.append([row, begun, offset - begun, depth])
        depth, row, begun = depth + change, here, offset
    return ranges
