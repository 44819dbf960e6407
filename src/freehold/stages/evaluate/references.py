"""The references: what xz and a 5-gram need for the same bytes, document by document."""

from __future__ import annotations

from typing import Any

import numpy as np

from freehold.progress import Progress
from freehold.stages.evaluate.consumed import byte_count
from freehold.stages.evaluate.held_out import HeldOut
from freehold.stages.evaluate.ngram import Symbols, WittenBell, document
from freehold.stages.evaluate.xz import xz_bits

Bits = dict[str, list[float]]  # language -> bits of each of its documents


def references(
    documents: dict[str, list[HeldOut]], consumed: dict[str, Symbols], *, progress: Progress
) -> dict[str, Any]:
    """Return the bits of every held-out document under each reference.

    `ngram5` learned from all the text the model consumed, as the model did. `ngram5_own` only from the part in the
    document's own language: it does not spend probability on the others, so it is the harder one to beat.
    """
    found: dict[str, Bits] = {"ngram5": {}, "ngram5_own": {}, "xz": {}}
    shared = WittenBell.trained_on(joined(consumed))
    with progress.task("references", total=sum(map(len, documents.values())), unit="documents") as task:
        for language, rows in documents.items():
            found["ngram5"][language] = ngram_bits(shared, rows)
            seen = consumed.get(language)
            if seen is not None and byte_count([seen]):
                found["ngram5_own"][language] = ngram_bits(WittenBell.trained_on(seen), rows)
            found["xz"][language] = [xz_bits(row.data) for row in rows]
            task.advance(len(rows))
    return {**found, "consumed_bytes": byte_count(consumed.values())}


def ngram_bits(model: WittenBell, rows: list[HeldOut]) -> list[float]:
    """Return the bits of each document."""
    return [model.bits(document(row.data)) for row in rows]


def joined(consumed: dict[str, Symbols]) -> Symbols:
    """Lay the text of all languages end to end; every part begins with pads, so no context reaches over a seam."""
    return np.concatenate([np.zeros(0, np.int16), *consumed.values()])
