"""Bits per byte of a few held-out documents: quick enough to be asked after every trial of a sweep.

Documents are cut into windows that do not overlap, so the figure is a little higher than the one of evaluation, whose
windows do. It is the same for every trial, which is what a comparison needs.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as parquet
import torch
from tokenizers import Tokenizer
from torch import Tensor

from freehold.errors import InputError
from freehold.model.folder import read_tokenizer
from freehold.model.head import IGNORED
from freehold.model.language import LanguageModel

SLICE_BYTES = 50_000  # of text, for each language


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """Windows of text that no training saw, by language."""

    tokens: dict[str, Tensor]  # (W, T) int64
    targets: dict[str, Tensor]  # (W, T) int64, -100 behind a document's end
    bytes: dict[str, int]

    @torch.no_grad()
    def bits_per_byte(self, model: LanguageModel, *, rows: int) -> dict[str, float]:
        """Bits per byte in each language; `rows` windows pass through the model at once, as in training."""
        found = {}
        for language, tokens_WT in self.tokens.items():
            nats = 0.0
            for start in range(0, len(tokens_WT), rows):
                part = slice(start, start + rows)
                nats += summed_loss(model, tokens_WT[part], self.targets[language][part], rows=rows)
            found[language] = nats / math.log(2) / self.bytes[language]
        return found


def summed_loss(model: LanguageModel, tokens_WT: Tensor, targets_WT: Tensor, *, rows: int) -> float:
    """Nats of all targets; the batch is filled up to `rows`, so that a compiled model meets one shape only."""
    lacking, device = rows - len(tokens_WT), next(model.parameters()).device
    if lacking:
        tokens_WT = torch.cat((tokens_WT, tokens_WT[:1].expand(lacking, -1)))
        targets_WT = torch.cat((targets_WT, torch.full((lacking, targets_WT.shape[1]), IGNORED)))
    return float(model.loss(tokens_WT.to(device), targets_WT.to(device), divisor=1))


def held_out(curated: Path, tokenized: Path, *, languages: Sequence[str], sequence: int, bos: int) -> HeldOut:
    """The first documents of each language by the digest of their ids, SLICE_BYTES of them.

    Raises InputError when a language has none: rates chosen on training loss alone would not be worth their time.
    """
    tokenizer = read_tokenizer(tokenized)
    tokenizer.encode_special_tokens = True  # a control token spelled out in a document is text
    columns = ["id", "language", "text"]
    rows = [row for path in sorted((curated / "held_out").glob("*.parquet")) for row in documents(path, columns)]
    tokens, targets, sizes = {}, {}, {}
    for language in languages:
        texts = first_bytes([row["text"] for row in rows if row["language"] == language])
        if not texts:
            advice = "raise [curate].held_out_bytes or add documents"
            raise InputError(f"no document in {language!r} was held out", where=str(curated), remedy=advice)
        windows = [window for text in texts for window in cut(text, tokenizer, sequence=sequence, bos=bos)]
        tokens[language], targets[language] = (torch.stack(column) for column in zip(*windows, strict=True))
        sizes[language] = sum(len(text.encode()) for text in texts)
    return HeldOut(tokens=tokens, targets=targets, bytes=sizes)


def documents(path: Path, columns: list[str]) -> list[dict[str, str]]:
    """Rows of a Parquet file that have text, in the order of the digests of their ids."""
    rows: list[dict[str, str]] = [row for row in parquet.read_table(path, columns=columns).to_pylist() if row["text"]]
    return sorted(rows, key=lambda row: hashlib.sha256(row["id"].encode()).hexdigest())


def first_bytes(texts: Sequence[str]) -> list[str]:
    """The first texts that hold SLICE_BYTES together, or all of them."""
    taken: list[str] = []
    size = 0
    for text in texts:
        if size >= SLICE_BYTES:
            break
        taken.append(text)
        size += len(text.encode())
    return taken


def cut(text: str, tokenizer: Tokenizer, *, sequence: int, bos: int) -> list[tuple[Tensor, Tensor]]:
    """Windows (T) of a document that begins with its BOS, and what each position should predict."""
    ids = [bos, *tokenizer.encode(text, add_special_tokens=False).ids]
    windows = []
    for start in range(0, len(ids) - 1, sequence):
        piece = torch.tensor(ids[start : start + sequence + 1])
        tokens_T, targets_T = torch.full((sequence,), bos), torch.full((sequence,), IGNORED)
        tokens_T[: len(piece) - 1], targets_T[: len(piece) - 1] = piece[:-1], piece[1:]
        windows.append((tokens_T, targets_T))
    return windows
