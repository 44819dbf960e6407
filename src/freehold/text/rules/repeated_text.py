"""Passages that come again and again, wherever lines end."""

from __future__ import annotations

from typing import Final

import numpy as np

from freehold.text.rules.facts import Facts
from freehold.text.rules.rule import Bounds, Rule

WINDOW: Final = 24  # characters
KEPT: Final = 4  # one window of so many is looked at, chosen by its hash
MIN_WINDOWS: Final = 50  # fewer say nothing about repetition


def measure(facts: Facts) -> float:
    """Windows of 24 characters that occurred before, by a rolling hash of the code points, a quarter looked at.

    >>> measure(Facts("abc" * 400)) > 0.95
    True
    """
    points = facts.points
    if len(points) < WINDOW * KEPT:
        return 0.0
    hashes = points.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    hashes ^= hashes >> np.uint64(29)
    width = 1
    while width < WINDOW:  # a window of 2w is two windows of w, one shifted and scaled
        step = min(width, WINDOW - width)
        scale = np.uint64(pow(0xD6E8FEB86659FD93, step, 1 << 64))
        hashes = hashes[:-step] * scale + hashes[step:]
        width += step
    hashes ^= hashes >> np.uint64(31)
    hashes *= np.uint64(0x9E3779B97F4A7C15)
    chosen = hashes[(hashes >> np.uint64(40)) % np.uint64(KEPT) == 0]
    if len(chosen) * KEPT < len(hashes) // 2:  # few different windows, and chance chose none of them
        chosen = hashes
    return float(1 - len(np.unique(chosen)) / len(chosen)) if len(chosen) >= MIN_WINDOWS else 0.0


RULE = Rule(
    name="repeated-text",
    source="after Gopher's repeated n-grams (Rae et al. 2021, A.1.1), on characters so that it holds for every script; "
    "codes of law that repeat their own articles reach 0.5",
    bounds=Bounds(high=0.6),
    measure=measure,
    learns=("high",),
)
