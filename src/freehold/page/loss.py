"""The loss curve of a training run, the same in the run folder and in a release's report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from freehold.page.charts import Chart, curve, smoothed, thinned


def loss_chart(rows: Sequence[Mapping[str, Any]], *, vocabulary: int) -> Chart:
    """Loss over tokens, beside what guessing among `vocabulary` tokens would cost; rows have `tokens` and `loss`."""
    points = [(float(row["tokens"]), float(row["loss"])) for row in rows]
    guess = math.log(vocabulary)
    end = f" to {points[-1][1]:.2f} after {brief(points[-1][0])} tokens" if points else ""
    return curve(
        thinned(points),
        smooth=thinned(smoothed(points)),
        height=250,
        across="training tokens",
        figure=brief,
        mark=(guess, f"guessing: {guess:.2f}"),
        title="Training loss, nats per token",
        summary=f"From {guess:.2f} for guessing{end}",
    )


def brief(number: float) -> str:
    """A large number where there is little room.

    >>> brief(4_100_000)
    '4.1 M'
    """
    for size, name in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g} {name}"
    return f"{number:.0f}"
