"""Sampling: from the scores of one position to a token, as a pure function of a point on the unit interval.

Legend: V vocabulary.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]

SHORTLIST = 256  # tokens that nearly always hold the nucleus; sorting all 8,192 costs as much as a decoding layer


def point(seed: int, position: int) -> float:
    """A uniform number in [0, 1) for the position-th token of a seeded answer, the same on every machine.

    >>> point(7, 0) == point(7, 0) != point(7, 1)
    True
    """
    digest = hashlib.blake2b(f"{seed}:{position}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2**53


def choose(logits_V: Scores, *, temperature: float, top_p: float = 1.0, top_k: int = 0, at: float = 0.0) -> int:
    """The token at `at` (a number in [0, 1)) along the cumulated probabilities of the logits.

    Temperature 0 is the best token. `top_k` (0: all) keeps the best tokens; `top_p` then keeps the smallest set
    that holds that much probability (nucleus sampling, arXiv:1904.09751, section 3.1). Because the token is read
    off a cumulated distribution, logits that differ in rounding only give another token about once in a million.

    >>> choose(np.array([0.0, 9.0, 1.0], dtype=np.float32), temperature=0)
    1
    """
    if temperature <= 0:
        return int(np.argmax(logits_V))
    scaled_V = (logits_V.astype(np.float64) - float(logits_V.max())) / temperature
    weight_V = np.exp(scaled_V)
    if top_k <= 0 and top_p >= 1:
        return _along(weight_V, at)
    kept = _nucleus(weight_V, top_p=top_p, top_k=top_k)
    return int(kept[_along(weight_V[kept], at)])


def logarithms(logits_V: Scores) -> NDArray[np.float64]:
    """Log-probabilities (V) in nats of the model itself: temperature 1, nothing cut off."""
    shifted_V = logits_V.astype(np.float64) - float(logits_V.max())
    normalised: NDArray[np.float64] = shifted_V - np.log(np.exp(shifted_V).sum())
    return normalised


def best(values_V: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Indices of the `count` greatest values, greatest first, equal ones by index.

    >>> best(np.array([1.0, 3.0, 2.0, 3.0]), 3).tolist()
    [1, 3, 2]
    """
    if count < len(values_V):
        least = np.partition(values_V, -count)[-count]
        candidates = np.flatnonzero(values_V >= least)
    else:
        candidates = np.arange(len(values_V))
    order = np.argsort(-values_V[candidates], kind="stable")
    return candidates[order][:count]


def _nucleus(weight_V: NDArray[np.float64], *, top_p: float, top_k: int) -> NDArray[np.int64]:
    """Indices that top-k and then top-p keep, most probable first; never empty."""
    size = len(weight_V)
    for count in (top_k if top_k > 0 else min(SHORTLIST, size), size):
        kept = best(weight_V, min(count, size))
        whole = weight_V[kept].sum() if top_k > 0 else weight_V.sum()
        reached = np.searchsorted(np.cumsum(weight_V[kept]), top_p * whole)
        if top_k > 0 or reached < len(kept) or count == size:
            return kept[: reached + 1]
    return kept


def _along(weights: NDArray[np.float64], at: float) -> int:
    """Index whose stretch of the cumulated weights holds the point `at`."""
    cumulated = np.cumsum(weights)
    found = int(np.searchsorted(cumulated, at * cumulated[-1], side="right"))
    return min(found, len(weights) - 1)
