"""Models that judging asks, opened once per process: languages by fastText, the charter's own classifier."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from freehold.errors import InputError
from freehold.plugins import need
from freehold.text.language import Model, bundled, named

PREFIX = "__label__"


@cache
def language_model(path: str | None) -> Model:
    """The model of a fastText file, or the bundled one. Raises InputError for a file that is no such model."""
    if path is None:
        return bundled()
    fasttext = need("fasttext")
    try:
        model: Any = fasttext.load_model(path)
    except (ValueError, RuntimeError, MemoryError) as error:
        name = Path(path).name
        raise InputError(f"no fastText model: {error}", where=name, remedy="mend [curate].language_model") from None

    def classify(text: str) -> tuple[str, float]:
        labels, confidences = model.predict(" ".join(text.split()), k=1)
        return (named_by(labels[0]), min(1.0, float(confidences[0]))) if labels else ("und", 0.0)

    return Model(languages=named(named_by(label) for label in model.labels), classify=classify)


def named_by(label: str) -> str:
    """The language of a label such as ``__label__deu_Latn``."""
    return label.removeprefix(PREFIX)


@cache
def weights(path: str) -> NDArray[np.float64]:
    """The classifier's weights."""
    found: NDArray[np.float64] = np.load(path)
    return found
