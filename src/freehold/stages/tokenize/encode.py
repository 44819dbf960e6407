"""Text to tokens in lots: each lot is written whole, so that a killed run goes on with the next one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from freehold.progress import Task
from freehold.stages.tokenize.corpus import batches
from freehold.stages.tokenize.scheme import Scheme
from freehold.stages.tokenize.vocabulary import pieces
from freehold.store.atomic import placed

LOT_BYTES = 16_000_000  # of text; lost at most by a kill
GROUP_BYTES = 2_000_000  # of text handed to the tokenizer's threads at once: about 150 MB of its records
PIECE_CHARACTERS = 100_000  # longer texts are cut, so that one document cannot fill memory and both cores work

Tokens = NDArray[np.unsignedinteger[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """A run of documents in file order and where their tokens are kept."""

    first: int  # row of the census
    last: int  # exclusive
    tokens: Path  # one document after the other, each begun by BOS
    lengths: Path  # int64 a document, BOS included; 0 where the text gave no token


def lots(census: pa.Table, scratch: Path) -> list[Lot]:
    """Cut the corpus into lots of about LOT_BYTES."""
    position = np.cumsum(census.column("bytes").to_numpy())
    number = np.concatenate(([0], position[:-1])) // LOT_BYTES
    edges = [0, *(np.flatnonzero(np.diff(number)) + 1).tolist(), len(number)]
    return [
        Lot(first=a, last=b, tokens=scratch / f"lot-{i:05d}.bin", lengths=scratch / f"lot-{i:05d}.npy")
        for i, (a, b) in enumerate(pairwise(edges))
    ]


def encode(scheme: Scheme, folder: Path, census: pa.Table, *, scratch: Path, task: Task) -> list[Lot]:
    """Encode every document of `folder`, lots that are done excepted; `task` counts megabytes of text."""
    planned = lots(census, scratch)
    texts, row = stream(folder), 0
    dtype = token_type(scheme.rows)
    size = census.column("bytes").to_numpy()
    for lot in planned:
        if lot.lengths.exists():
            task.advance(size[lot.first : lot.last].sum() / 1e6)
            continue
        while row < lot.first:
            next(texts)
            row += 1
        write(lot, scheme, texts, dtype=dtype, scratch=scratch, task=task)
        row = lot.last
    return planned


def stream(folder: Path) -> Iterator[str]:
    """Every text in file order."""
    for batch in batches(folder, ("text",)):
        for text in batch.column(0):
            yield text.as_py()


def token_type(vocabulary: int) -> np.dtype[Any]:
    """Little-endian uint16 while every token number fits, else uint32."""
    return np.dtype("<u2" if vocabulary <= 1 << 16 else "<u4")


def write(lot: Lot, scheme: Scheme, texts: Iterator[str], *, dtype: np.dtype[Any], scratch: Path, task: Task) -> None:
    """Encode the next documents of `texts` into the lot's two files; the lengths come last and mean it is done."""
    lengths: list[int] = []
    with placed(lot.tokens, scratch=scratch) as unfinished, unfinished.open("wb") as file:
        for group in groups(texts, count=lot.last - lot.first):
            for document in token_lists(scheme, group, dtype=dtype):
                document.tofile(file)
                lengths.append(len(document))
            task.advance(sum(len(text.encode()) for text in group) / 1e6)
    with placed(lot.lengths, scratch=scratch) as unfinished, unfinished.open("wb") as file:
        np.save(file, np.array(lengths, dtype=np.int64))


def groups(texts: Iterator[str], *, count: int) -> Iterator[list[str]]:
    """The next `count` texts in lists of about GROUP_BYTES."""
    group: list[str] = []
    size = 0
    for _ in range(count):
        text = next(texts)
        group.append(text)
        size += len(text.encode())
        if size >= GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def token_lists(scheme: Scheme, texts: Sequence[str], *, dtype: np.dtype[Any]) -> list[Tokens]:
    """Tokens of each text, (length,), BOS before them; empty where the text gives none."""
    cut = [pieces(text, limit=PIECE_CHARACTERS) if scheme.divisible else [text] for text in texts]
    parts = [part for found in cut for part in found]
    encoded = iter(scheme.tokenizer.encode_batch_fast(parts, add_special_tokens=False))
    begin, control = np.array([scheme.bos], dtype=dtype), np.array(list(scheme.special.values()))
    lists = []
    for found in cut:
        body = np.concatenate([np.array(next(encoded).ids, dtype=dtype) for _ in found])
        if len(body):
            assert not np.isin(body, control).any(), "a document was read as a control token"
            body = np.concatenate((begin, body))
        lists.append(body)
    return lists
