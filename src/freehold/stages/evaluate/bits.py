"""Bits per byte: how many bits a model needs for each byte of a text, whatever its tokenizer."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from freehold.errors import GateError
from freehold.model.transformer import LanguageModel
from freehold.progress import Progress
from freehold.stages.evaluate.held_out import HeldOut
from freehold.stages.evaluate.judged import Judged
from freehold.stages.evaluate.surprisal import Tokens, surprisal, windows


def encoded(documents: Sequence[HeldOut], judged: Judged) -> list[Tokens]:
    """Return the tokens of each document after a BOS, as in training.

    Raises GateError if they do not stand for every byte of the text, since bits per byte would then be too small.
    """
    found: list[Tokens] = []
    for document in documents:
        tokens = judged.tokens_of(document.text)
        if b"".join(judged.spelled[token] for token in tokens) not in (document.data, b" " + document.data):
            raise GateError("the tokenizer does not keep every byte of this document", where=document.id)
        found.append([judged.bos, *tokens])
    return found


def model_bits(
    model: LanguageModel, tokens: dict[str, list[Tokens]], *, progress: Progress, name: str
) -> dict[str, list[float]]:
    """Return the bits the model needs for each document, by language; every document is read from its BOS.

    A text has several tokenizations and only the tokenizer's own is counted, so this is an upper bound.
    """
    total = sum(len(document) - 1 for documents in tokens.values() for document in documents)
    bits: dict[str, list[float]] = {}
    with progress.task(f"bits per byte, {name}", total=total, unit="tok") as task:
        for language, documents in tokens.items():
            cut = [list(windows(document, context=model.config.context)) for document in documents]
            nats = surprisal(model, [span for spans in cut for span in spans], task=task)
            owner = np.repeat(np.arange(len(cut)), [len(spans) for spans in cut])
            bits[language] = (np.bincount(owner, weights=nats, minlength=len(cut)) / math.log(2)).tolist()
    return bits
