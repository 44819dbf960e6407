"""Models that judging asks, opened once per process: languages by fastText, the charter's own classifier."""

from __future__ import annotations

import mmap
import struct
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from freehold.errors import InputError
from freehold.plugins import need
from freehold.text.language import UNKNOWN, Model, bundled, named

PREFIX: Final = "__label__"
MAGIC: Final = 793712314  # of fastText's binary files
VERSION: Final = 12
DICTIONARY: Final = 64  # bytes of magic, version and arguments before it
LABEL: Final = 1  # an entry's kind


@cache
def language_model(path: str | None) -> Model:
    """The model of a fastText file, or the bundled one. Raises InputError for a file that is no such model."""
    if path is None:
        return bundled()
    fasttext = need("fasttext")
    try:
        languages = named(named_by(label) for label in labels_of(Path(path)))
        model: Any = fasttext.load_model(path)
    except (OSError, ValueError, struct.error, MemoryError) as error:
        name = Path(path).name
        raise InputError(f"no fastText model: {error}", where=name, remedy="mend [curate].language_model") from None

    def classify(text: str) -> tuple[str, float]:
        labels, confidences = model.predict(" ".join(text.split()), k=1)
        return (named_by(labels[0]), min(1.0, float(confidences[0]))) if labels else (UNKNOWN, 0.0)

    return Model(languages=languages, classify=classify)


def labels_of(path: Path) -> list[str]:
    """Every label in the dictionary of a fastText file (version 12), which the library does not tell."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        magic, version = struct.unpack_from("<ii", data)
        if (magic, version) != (MAGIC, VERSION):
            raise ValueError("wrong file format")
        (entries,) = struct.unpack_from("<i", data, DICTIONARY)
        place, labels = DICTIONARY + 28, []
        for _ in range(entries):
            end = data.find(b"\0", place)
            if end < 0:
                raise ValueError("the dictionary breaks off")
            if data[end + 9] == LABEL:
                labels.append(data[place:end].decode())
            place = end + 10
    return labels


def named_by(label: str) -> str:
    """The language of a label such as ``__label__deu_Latn``."""
    return label.removeprefix(PREFIX)


@cache
def weights(path: str) -> NDArray[np.float64]:
    """The classifier's weights."""
    found: NDArray[np.float64] = np.load(path)
    return found
