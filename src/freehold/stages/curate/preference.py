"""Which of several copies stays: the order of the charter's `[curate] prefer`, and at the end reading order.

licence: the place of its licence in `[policy] licences`, the most open first. quality: the longer text, in tokens; what
breaks a rule of quality never came this far. date: the newer, undated last. order: the order of sources and files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

DATE: Final = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")


def ranking(facts: pa.Table, *, prefer: Sequence[str], licences: Sequence[str]) -> NDArray[np.int64]:
    """The places of `facts` (row, licence, tokens, date) from the most preferred to the least."""
    named: dict[str, Callable[[], NDArray[Any]]] = {
        "licence": lambda: openness(facts.column("licence").to_pylist(), licences),
        "quality": lambda: -facts.column("tokens").to_numpy(),
        "date": lambda: -np.array([day(date) for date in facts.column("date").to_pylist()], dtype=np.int64),
        "order": lambda: facts.column("row").to_numpy(),
    }
    keys = [named[name]() for name in (*prefer, "order")]
    return np.lexsort(keys[::-1])


def openness(found: Sequence[str], licences: Sequence[str]) -> NDArray[np.int64]:
    """The place (N,) of each licence in the charter's list; expressions that are not in it come last.

    >>> openness(["mit", "MIT OR 0BSD", "CC0-1.0"], ["CC0-1.0", "MIT"]).tolist()
    [1, 2, 0]
    """
    places = {name.casefold(): place for place, name in reversed(list(enumerate(licences)))}
    return np.array([places.get(name.casefold(), len(licences)) for name in found], dtype=np.int64)


def day(date: str | None) -> int:
    """A number that grows with an ISO 8601 date; 0 for none. A year or a month counts as its beginning.

    >>> day("2024-05-17T10:00:00Z"), day("2024"), day("unknown")
    (20240517, 20240000, 0)
    """
    found = DATE.match(date or "")
    return int(found[0].replace("-", "").ljust(8, "0")) if found else 0
