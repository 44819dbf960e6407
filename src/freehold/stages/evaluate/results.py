"""Results: the figures of an evaluation, from bits and answers; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from freehold.proof.scores import accuracy
from freehold.stages.evaluate.choice import Answer
from freehold.stages.evaluate.held_out import HeldOut

Bits = Mapping[str, Sequence[float]]  # language -> bits of each of its documents
Figures = dict[str, Any]

DECIMALS = 4


def bits_per_byte(
    documents: Mapping[str, Sequence[HeldOut]], *, model: Bits, pretrained: Bits, references: Mapping[str, Bits]
) -> dict[str, Figures]:
    """Return per language the bits per byte of model and references on the same bytes.

    `before_refinement` compares the released model with the pre-trained one on the documents the latter read, the
    first of each language.
    """
    table = {}
    for language, rows in documents.items():
        sizes = [len(row.data) for row in rows]
        figures: Figures = {"model": rate(model[language], sizes)}
        for name, bits in references.items():
            if language in bits:
                figures[name] = rate(bits[language], sizes)
        first = len(pretrained[language])
        figures |= {"bytes": sum(sizes), "documents": len(rows)}
        figures["before_refinement"] = {
            "pretrained": rate(pretrained[language], sizes[:first]),
            "model": rate(model[language][:first], sizes[:first]),
            "bytes": sum(sizes[:first]),
        }
        table[language] = figures
    return table


def rate(bits: Sequence[float], sizes: Sequence[int]) -> float:
    """Return bits per byte.

    >>> rate([8.0, 16.0], [4, 8])
    2.0
    """
    return round(sum(bits) / sum(sizes), DECIMALS)


def rows_of(documents: Mapping[str, Sequence[HeldOut]], bits: Mapping[str, Bits]) -> list[Figures]:
    """Return one row a held-out document: what each model and reference needed for it, in bits."""
    rows = []
    for language, held in documents.items():
        for place, row in enumerate(held):
            found = {name: round(by[language][place], 1) for name, by in bits.items() if language in by}
            rows.append({"document": row.id, "language": language, "bytes": len(row.data), "bits": found})
    return rows


def choices(given: Mapping[str, Sequence[Answer]]) -> dict[str, Figures]:
    """Return accuracy, interval and chance of every pack."""
    return {pack: accuracy(found) for pack, found in given.items()}
