"""A small classifier of one's own: logistic regression over hashed character n-grams, learned from labelled texts.

Sparse and single-threaded, so that the same labels give the same weights whatever the number of cores. Nothing is
downloaded. The idea of hashing features: Weinberger et al. 2009, arXiv:0902.2206.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

GRAMS: Final = (3, 4, 5)  # characters
BUCKETS: Final = 1 << 15
LOOKED_AT: Final = 4_000  # characters from the beginning
STEPS: Final = 300
RATE: Final = 0.5
PENALTY: Final = 1e-3  # on the squared weights
HELD_OUT: Final = 5  # one labelled text in so many is kept for the test
DROP: Final = 0.5  # probability from which a text is dropped


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How well a classifier finds what is to be dropped, on labelled texts it has not seen."""

    learned_from: int
    held_out: int
    precision: float | None  # of those it would drop, the share that should be; None where it drops none
    recall: float | None  # of those that should be dropped, the share it finds; None where there is none


def features(text: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The buckets (F,) of a text's n-grams, ascending, and their weights (F,): dampened counts of unit length."""
    points = np.frombuffer(text[:LOOKED_AT].casefold().encode("utf-32-le", "ignore"), dtype=np.uint32).astype(np.uint64)
    hashes = []
    for size in GRAMS:
        if len(points) >= size:
            rolled = np.full(len(points) - size + 1, size, dtype=np.uint64)
            for place in range(size):
                rolled = rolled * np.uint64(0x9E3779B97F4A7C15) + points[place : len(points) - size + 1 + place]
                rolled ^= rolled >> np.uint64(29)
            hashes.append(rolled % np.uint64(BUCKETS))
    if not hashes:
        return np.empty(0, np.int64), np.empty(0)
    places, counts = np.unique(np.concatenate(hashes).astype(np.int64), return_counts=True)
    values = 1 + np.log(counts)
    return places, values / np.sqrt((values**2).sum())


def learn(texts: Sequence[str], drop: Sequence[bool]) -> NDArray[np.float64]:
    """The weights (BUCKETS + 1,), the last one the bias; both classes count alike however many texts each has."""
    rows, places, values = [], [], []
    for number, text in enumerate(texts):
        found, weights = features(text)
        rows.append(np.full(len(found), number))
        places.append(found)
        values.append(weights)
    row, place, value = np.concatenate(rows), np.concatenate(places), np.concatenate(values)
    wanted = np.array(drop, dtype=np.float64)
    share = wanted.mean()
    balance = np.where(wanted == 1, 0.5 / max(share, 1e-9), 0.5 / max(1 - share, 1e-9)) / len(wanted)
    weights = np.zeros(BUCKETS + 1)
    momentum = np.zeros_like(weights)
    for _ in range(STEPS):
        margin = np.bincount(row, weights=weights[place] * value, minlength=len(wanted)) + weights[-1]
        error = (1 / (1 + np.exp(-margin)) - wanted) * balance
        slope = np.append(np.bincount(place, weights=error[row] * value, minlength=BUCKETS), error.sum())
        slope[:-1] += PENALTY * weights[:-1]
        momentum = 0.9 * momentum - RATE * slope
        weights += momentum
    return np.asarray(weights.round(6))


def probability(text: str, weights: NDArray[np.float64]) -> float:
    """How likely a text is one to drop, 0 to 1."""
    places, values = features(text)
    return float(1 / (1 + np.exp(-(float((weights[places] * values).sum()) + float(weights[-1])))))


def score(texts: Sequence[str], drop: Sequence[bool], weights: NDArray[np.float64], *, learned_from: int) -> Score:
    """Precision and recall of dropping."""
    found = [probability(text, weights) >= DROP for text in texts]
    hits = sum(one and other for one, other in zip(found, drop, strict=True))
    return Score(
        learned_from=learned_from,
        held_out=len(texts),
        precision=round(hits / sum(found), 4) if any(found) else None,
        recall=round(hits / sum(drop), 4) if any(drop) else None,
    )
