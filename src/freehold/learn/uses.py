"""When a run used a document: the steps whose batches hold a token of it, found without making a batch.

A pure function of recipe and shards' lengths: it can be told before a run, and for a run whose text is gone.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from freehold.learn.phases import Curriculum


def steps_of(curriculum: Curriculum, documents: Iterable[str]) -> dict[str, NDArray[np.int64]]:
    """The steps (from 1, ascending) that use each document: none for one that no batch holds, or that is unknown.

    A batch holds the tokens of its windows, and the one after each, which is a target alone.
    """
    found: dict[str, list[NDArray[np.int64]]] = {name: [] for name in documents}
    rows = {row: name for row, name in enumerate(curriculum.shards.documents) if name in found}
    before = 0  # steps of earlier phases
    for phase, corpus in zip(curriculum.phases, curriculum.corpora, strict=True):
        for language, part in corpus.parts.items():
            windows = corpus.turns.count(language, phase.steps * phase.samples)
            for row, numbers in part.holding(rows, windows):
                samples = corpus.turns.samples(language, numbers)
                found[rows[row]].append(before + 1 + samples // phase.samples)
        before += phase.steps
    return {name: np.unique(np.concatenate([np.empty(0, np.int64), *parts])) for name, parts in found.items()}


def first_steps(curriculum: Curriculum, documents: Iterable[str]) -> dict[str, int | None]:
    """The first step (from 1) that uses each document, None where none does."""
    return {name: int(steps[0]) if len(steps) else None for name, steps in steps_of(curriculum, documents).items()}
