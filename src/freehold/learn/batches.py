"""Batches of windows over token shards, and the account of what was in them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from freehold.errors import InputError
from freehold.learn.goldfish import gaps
from freehold.learn.mixture import PERIOD, Braid, Part, Stream, Turns, key_of
from freehold.learn.shards import Shards
from freehold.model.head import IGNORED

FILLER = (
    0  # stands for every token of a withdrawn document: any token does, for nobody sees it and nothing is predicted
)
Edges = dict[tuple[int, int], int]  # (document row, offset) → by how much the times that tokens are consumed change


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one step learns from."""

    tokens: Tensor  # (B, T) int64
    targets: Tensor  # (B, T) int64, -100 where nothing is predicted
    documents: tuple[str, ...]  # ids in order of first appearance, withdrawn ones left out
    segments: Tensor | None = None  # (B, T) int64: which document of its row a token belongs to; None: no matter

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

    def check(self) -> None:
        """Raise InputError if the data behind the batches is not what it was."""
        ...


class Corpus:
    """Batches of a fixed number of windows, languages mixed by their shares."""

    def __init__(
        self,
        shards: Shards,
        *,
        parts: Mapping[str, Part | Braid],
        turns: Turns,
        samples: int,
        goldfish: int = 0,
        segments: bool = False,
        withdrawn: Collection[int] = (),
    ) -> None:
        """`samples` windows make a batch; `parts` are what each language's windows are cut from.

        With `goldfish` one target in so many is left out; with `segments` batches say which document a token is of.
        Documents in the rows `withdrawn` keep their places in the order, but their tokens are not even read.
        """
        self.shards, self.parts, self.turns, self.samples = shards, parts, turns, samples
        self.goldfish, self.segments, self.withdrawn = goldfish, segments, frozenset(withdrawn)

    def at(self, step: int) -> Batch:
        """The batch of a step: sample indices step x samples … + samples - 1."""
        pieces = [self.pieces(sample, extra=1) for sample in range(step * self.samples, (step + 1) * self.samples)]
        rows_BS = np.stack([np.concatenate([self._read(*piece) for piece in row]) for row in pieces])
        targets_BS = np.where(self._gaps(pieces), IGNORED, rows_BS) if self.goldfish else rows_BS
        if self.withdrawn:
            targets_BS = np.where(np.stack([self._unpredicted(row) for row in pieces]), IGNORED, targets_BS)
        documents = dict.fromkeys(row for found in pieces for row, _, _ in found if row not in self.withdrawn)
        return Batch(
            tokens=torch.from_numpy(rows_BS[:, :-1].copy()),
            targets=torch.from_numpy(targets_BS[:, 1:].copy()),
            documents=tuple(self.shards.documents[row] for row in documents),
            segments=torch.from_numpy(np.stack([_numbered(row) for row in pieces])) if self.segments else None,
        )

    def check(self) -> None:
        """Raise InputError if a token file changed since it was opened."""
        self.shards.check()

    def edges(self, language: str, samples: int) -> Edges:
        """Where what the first `samples` samples consumed of a language begins and ends."""
        edges: Edges = {}
        for number in range(self.turns.count(language, samples)):
            for row, offset, length in self.parts[language].pieces(number):
                if row in self.withdrawn:
                    continue
                edges[row, offset] = edges.get((row, offset), 0) + 1
                edges[row, offset + length] = edges.get((row, offset + length), 0) - 1
        return edges

    def pieces(self, sample: int, *, extra: int = 0) -> list[tuple[int, int, int]]:
        """A sample and `extra` tokens after it as (document row, offset, tokens)."""
        language, number = self.turns.at(sample)
        return self.parts[language].pieces(number, extra=extra)

    def _read(self, row: int, offset: int, length: int) -> NDArray[np.int64]:
        """The tokens of a piece; a constant in place of those of a withdrawn document."""
        return np.full(length, FILLER) if row in self.withdrawn else self.shards.read(row, offset, length)

    def _gaps(self, windows: list[list[tuple[int, int, int]]]) -> NDArray[np.bool_]:
        """Which tokens of the windows (B, S) Goldfish leaves out."""
        found = [[gaps(self._read, piece, every=self.goldfish) for piece in pieces] for pieces in windows]
        return np.stack([np.concatenate(row) for row in found])

    def _unpredicted(self, pieces: list[tuple[int, int, int]]) -> NDArray[np.bool_]:
        """Which tokens of a window (S) are no targets: those of withdrawn documents, and the first one after them."""
        lengths = [length for _, _, length in pieces]
        gone_S = np.repeat([row in self.withdrawn for row, _, _ in pieces], lengths)
        gone_S[1:] |= gone_S[:-1].copy()
        return gone_S


def turns_of(shares: Mapping[str, float]) -> Turns:
    """Turns by shares that need not sum to 1; the order in which a charter lists its languages does not matter.

    Raises InputError for a share so small that the language would never have a turn.
    """
    whole = sum(shares.values())
    turns = Turns(tuple((language, share / whole) for language, share in sorted(shares.items())))
    for language, share in turns.shares:
        if not turns.count(language, PERIOD):
            raise InputError(
                f"{language!r} has a share of {share:.5f}: not one of {PERIOD:,} samples",
                where="charter: languages",
                remedy=f"raise its share to {1 / PERIOD} at least (max_epochs lowers it too), or remove the language",
            )
    return turns


def stream_of(
    shards: Shards, language: str, *, digest: str, seed: int, block: int, sources: tuple[str, ...] = ()
) -> Stream:
    """A language's stream, out of all sources or only these. Raises InputError when it has no token."""
    rows = shards.rows(language, sources)
    if not len(rows) or not shards.lengths[rows].sum():
        among = f" among the sources {', '.join(sources)}" if sources else ""
        raise InputError(
            f"no training document{among} is in {language!r}",
            where="charter: phases" if sources else "charter: languages",
            remedy="add documents of that language or remove it",
        )
    key = key_of(digest, seed, language, *sorted(sources))
    return Stream(rows, shards.lengths[rows], key=key, block=block)


def ranges(edges: Edges) -> list[list[int]]:
    """Sweep over the edges: every maximal range of constant depth above zero.

    >>> ranges({(0, 0): 1, (0, 4): 0, (0, 8): -1})
    [[0, 0, 8, 1]]
    """
    found: list[list[int]] = []
    depth, row, begun = 0, -1, 0
    for (here, offset), change in sorted(edges.items()):
        if change == 0:
            continue
        if depth:
            found.append([row, begun, offset - begun, depth])
        depth, row, begun = depth + change, here, offset
    return found


def _numbered(pieces: list[tuple[int, int, int]]) -> NDArray[np.int64]:
    """The number of its piece for each token of a window but the last, which is only a target."""
    return np.repeat(np.arange(len(pieces)), [length for _, _, length in pieces])[:-1]
