"""Laws through the points of a sweep: the best rate, how it moves with width, what size and tokens buy. Pure.

Small sweeps have few points. Where they are too few for a fit, exponents are taken from the literature, and every
result says in `how` what was fitted and what was not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Exponents in L = E + A / N^alpha + B / D^beta of Hoffmann et al., arXiv:2203.15556, approach 3.
ALPHA, BETA = 0.34, 0.28
SIZES_FOR_A_LAW, SIZES_FOR_AN_EXPONENT = 3, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The rate with the lowest loss, and how it was found."""

    rate: float
    bits_per_byte: float
    how: str
    inside: bool = False  # whether worse rates lie on both sides


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLaw:
    """rate = coefficient x width ^ exponent."""

    coefficient: float
    exponent: float
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LossLaw:
    """bits per byte = floor + size_factor / N^alpha + token_factor / D^beta."""

    floor: float
    size_factor: float
    alpha: float
    token_factor: float
    beta: float
    worst_error: float  # bits per byte, over the points it was fitted to
    how: str


def best_rate(points: Sequence[tuple[float, float]]) -> Best:
    """The vertex of the parabola through the best (rate, bits per byte) and its neighbours, in the rate's logarithm.

    >>> best_rate([(0.01, 2.5), (0.02, 2.0), (0.04, 2.5)]).rate
    0.02
    """
    ordered = sorted(points)
    place = min(range(len(ordered)), key=lambda index: ordered[index][1])
    rate, bits = ordered[place]
    if len(ordered) < SIZES_FOR_A_LAW:
        return Best(rate=rate, bits_per_byte=bits, how="best of those tried; three rates make a parabola")
    if place in (0, len(ordered) - 1):
        side = "lower" if place == 0 else "higher"
        return Best(rate=rate, bits_per_byte=bits, how=f"at the edge of those tried: try {side} ones")
    x = np.log([ordered[index][0] for index in (place - 1, place, place + 1)])
    y = [ordered[index][1] for index in (place - 1, place, place + 1)]
    a, b, c = np.polyfit(x - x[1], y, 2)
    if a <= 0:
        return Best(rate=rate, bits_per_byte=bits, how="best of those tried; its neighbours are as good")
    vertex = float(np.exp(x[1] - b / (2 * a)))
    lowest = float(c - b * b / (4 * a))
    return Best(rate=round(vertex, 6), bits_per_byte=lowest, how="parabola in log rate", inside=True)


def rate_law(points: Sequence[tuple[float, float]]) -> RateLaw | None:
    """A power law through (width, best rate) by least squares in logarithms; None below two widths.

    >>> law = rate_law([(128, 0.04), (256, 0.02), (512, 0.01)])
    >>> round(law.exponent, 6)
    -1.0
    """
    widths = sorted({width for width, _ in points})
    if len(widths) < 2:
        return None
    exponent, offset = np.polyfit(np.log([width for width, _ in points]), np.log([rate for _, rate in points]), 1)
    how = f"least squares through {len(points)} points at {len(widths)} widths"
    unchecked = "; two points always lie on a line, so nothing checks it" if len(widths) == 2 else ""
    return RateLaw(coefficient=float(math.exp(offset)), exponent=float(exponent), how=how + unchecked)


def loss_law(points: Sequence[tuple[float, float, float]]) -> LossLaw | None:
    """L = E + A / N^alpha + B / D^beta through (parameters, tokens, bits per byte); None below three sizes.

    The term of the tokens is there only if the points have several numbers of tokens, else it is part of the floor.
    Alpha is fitted from five sizes on, else it is the published one; beta is always that.
    """
    n, d, bits = (np.array(column, dtype=float) for column in zip(*points, strict=True))
    if len(set(n)) < SIZES_FOR_A_LAW:
        return None
    free = len(set(n)) >= SIZES_FOR_AN_EXPONENT
    several = len(set(d)) > 1
    best: tuple[float, float, list[float]] | None = None
    for alpha in np.arange(0.05, 1.005, 0.01) if free else [ALPHA]:
        columns = [np.ones_like(n), n**-alpha, *([d**-BETA] if several else [])]
        found, *_ = np.linalg.lstsq(np.stack(columns, axis=1), bits, rcond=None)
        error = float(np.abs(np.stack(columns, axis=1) @ found - bits).max())
        if best is None or error < best[0]:
            best = (error, float(alpha), [float(value) for value in found])
    assert best is not None
    error, alpha, (floor, size_factor, *token_factor) = best
    return LossLaw(
        floor=floor,
        size_factor=size_factor,
        alpha=alpha,
        token_factor=token_factor[0] if token_factor else 0.0,
        beta=BETA,
        worst_error=error,
        how=said(free=free, several=several, sizes=len(set(n)), sensible=floor >= 0 and size_factor >= 0),
    )


def said(*, free: bool, several: bool, sizes: int, sensible: bool) -> str:
    """What was fitted, in words."""
    exponents = "alpha fitted" if free else f"alpha taken from arXiv:2203.15556, as {sizes} sizes are too few for one"
    tokens = "beta taken from there" if several else "one number of tokens, so what they cost is in the floor"
    warning = "" if sensible else "; a negative term: these points do not follow such a law, do not extrapolate"
    return f"{exponents}; {tokens}{warning}"
