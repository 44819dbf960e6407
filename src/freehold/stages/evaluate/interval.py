"""Confidence of a share counted in a sample."""

from __future__ import annotations

import math

NORMAL_95 = 1.959963984540054  # two-sided 95 % of the normal distribution


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Return the Wilson score interval (95 %) of a share of which `hits` of `n` were counted (Wilson 1927).

    Raises ValueError unless 0 <= hits <= n and n > 0.

    >>> [round(end, 4) for end in wilson(8, 10)]
    [0.4902, 0.9433]
    """
    if not 0 <= hits <= n or n == 0:
        raise ValueError(f"{hits} of {n}")
    z, share = NORMAL_95, hits / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)
