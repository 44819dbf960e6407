"""The text a model consumed, rebuilt from the account of its training and the token shards.

Every stretch of text counts once, however many times training went over it: repetition would make an n-gram surer
of what it saw, not wiser, so this is the stronger reference.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from freehold.learn.shards import Shards
from freehold.stages.evaluate.ngram import BEGIN, GAP, PAD, Symbols

Stretch = tuple[str, int, int]  # document id, first token, tokens

MOST_BYTES = 40_000_000  # of text in memory: counting takes about 40 bytes of memory for each


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelling:
    """The symbols each token stands for, end to end, and where each token's begin."""

    symbols: Symbols
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]

    @classmethod
    def of(cls, table: list[bytes], *, bos: int) -> Spelling:
        """Spell every token of `table` (its bytes by token id), BOS as the beginning of a document.

        One more entry than the table has stands for a gap.
        """
        parts = [np.frombuffer(data, np.uint8).astype(np.int16) for data in table]
        parts[bos] = np.full(PAD, BEGIN, np.int16)
        parts.append(np.full(PAD, GAP, np.int16))
        lengths = np.array([len(part) for part in parts], np.int64)
        return cls(symbols=np.concatenate(parts), starts=np.cumsum(lengths) - lengths, lengths=lengths)

    @property
    def gap(self) -> int:
        """The number of the entry that stands for a gap."""
        return len(self.lengths) - 1

    def spell(self, tokens: NDArray[np.int64]) -> Symbols:
        """Return the symbols of tokens (N) end to end."""
        lengths = self.lengths[tokens]
        ends = np.cumsum(lengths)
        total = int(ends[-1]) if len(ends) else 0
        places = np.arange(total) + np.repeat(self.starts[tokens] - (ends - lengths), lengths)
        found: Symbols = self.symbols[places]
        return found


def consumed_text(trained: Path, tokenized: Path, spelling: Spelling) -> dict[str, Symbols]:
    """Return the symbols that training consumed, by language: an even sample if they are more than MOST_BYTES."""
    shards = Shards.open(tokenized)
    account: dict[str, Any] = json.loads((trained / "consumed.json").read_bytes())["languages"]
    row_of = {document: row for row, document in enumerate(shards.documents)}
    found = {language: list(stretches(documents)) for language, documents in sorted(account.items())}
    tokens = sum(length for stretch in found.values() for _, _, length in stretch)
    every = max(1, math.ceil(tokens * bytes_per_token(shards, spelling) / MOST_BYTES))
    texts = {}
    for language, stretch in found.items():
        parts: list[NDArray[np.int64]] = []
        for document, offset, length in stretch[::every]:
            if offset:
                parts.append(np.array([spelling.gap]))
            parts.append(shards.read(row_of[document], offset, length))
        texts[language] = spelling.spell(np.concatenate(parts)) if parts else np.zeros(0, np.int16)
    return texts


def stretches(documents: dict[str, list[list[int]]]) -> Iterator[Stretch]:
    """Join what was consumed of each document into stretches without holes.

    >>> list(stretches({"a": [[0, 4, 1], [4, 2, 3], [8, 1, 1]]}))
    [('a', 0, 6), ('a', 8, 1)]
    """
    for document, ranges in sorted(documents.items()):
        begun = end = 0
        for offset, length, _times in sorted(ranges):
            if offset != end or end == begun:
                if end > begun:
                    yield document, begun, end - begun
                begun = offset
            end = offset + length
        if end > begun:
            yield document, begun, end - begun


def bytes_per_token(shards: Shards, spelling: Spelling) -> float:
    """Return the mean length of a token in bytes over (at most) the first million tokens of the first shard."""
    sample = np.fromfile(shards.paths[0], dtype=shards.dtype, count=1_000_000)
    return float(spelling.lengths[sample].mean()) if len(sample) else 1.0


def byte_count(texts: Iterable[Symbols]) -> int:
    """Return how many of the symbols are bytes of text."""
    return sum(int((symbols < BEGIN).sum()) for symbols in texts)
