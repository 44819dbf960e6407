"""Indexes by which two other trainers read our shards in place: no token is copied.

Megatron-LM opens `train-00000` as `.bin` and `.idx`, datatrove opens `train-00000.bin` with `.bin.index` beside it.
Layouts: megatron/core/datasets/indexed_dataset.py and datatrove/pipeline/tokens/tokenizer.py, as released in 2025.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from freehold.store.atomic import place

# Megatron's number of a type. It has no uint32; token numbers are below 2^31, whose bytes are the same in int32.
MEGATRON = {2: 8, 4: 4}


def write(shard: Path, lengths: NDArray[np.int64], *, dtype: np.dtype[Any], scratch: Path) -> None:
    """The indexes of a shard whose documents have `lengths` tokens each."""
    place(shard.with_suffix(".idx"), megatron(lengths, width=dtype.itemsize), scratch=scratch)
    place(shard.with_name(f"{shard.name}.index"), datatrove(lengths), scratch=scratch)
    place(shard.with_name(f"{shard.name}.metadata"), metadata(int(lengths.sum()), dtype.itemsize), scratch=scratch)


def megatron(lengths: NDArray[np.int64], *, width: int) -> bytes:
    """MMIDIDX, version 1: every document is one sequence; `width` is the bytes of a token."""
    starts = (np.cumsum(lengths) - lengths) * width
    head = struct.pack("<9sQBQQ", b"MMIDIDX\0\0", 1, MEGATRON[width], len(lengths), len(lengths) + 1)
    columns = (lengths.astype("<i4"), starts.astype("<i8"), np.arange(len(lengths) + 1, dtype="<i8"))
    return head + b"".join(column.tobytes() for column in columns)


def datatrove(lengths: NDArray[np.int64]) -> bytes:
    """The end of every document, in tokens."""
    return np.cumsum(lengths).astype("<u8").tobytes()


def metadata(tokens: int, width: int) -> bytes:
    """Tokenizer and bytes of a token; tokens; the same for the eye.

    >>> metadata(1_250_000, 2)
    b'tokenizer.json|2\\n1250000\\n1.25 MT'
    """
    power = max(0, min(4, (len(str(tokens)) - 1) // 3))
    shown = f"{tokens / 1000**power:.{2 - (len(str(tokens)) - 1) % 3}f} {['', 'k', 'M', 'G', 'T'][power]}T"
    return f"tokenizer.json|{width}\n{tokens}\n{shown}".encode()
