"""Which copy stays."""

from __future__ import annotations

import pyarrow as pa
import pytest

from freehold.stages.curate.preference import ranking

FACTS = pa.table(
    {
        "row": [10, 11, 12, 13],
        "licence": ["CC-BY-4.0", "CC0-1.0", "CC0-1.0", "MIT OR CC0-1.0"],
        "tokens": [90, 80, 80, 100],
        "date": ["2024", "2020-01-01", "2021-05-01T00:00:00Z", None],
    }
)
LICENCES = ("CC0-1.0", "CC-BY-4.0")


@pytest.mark.parametrize(
    ("prefer", "order"),
    [
        (("licence", "quality", "date"), [2, 1, 0, 3]),
        (("quality", "date"), [3, 0, 2, 1]),
        (("date",), [0, 2, 1, 3]),
        (("order", "quality"), [0, 1, 2, 3]),
        ((), [0, 1, 2, 3]),
    ],
)
def test_the_order_of_preference(prefer: tuple[str, ...], order: list[int]) -> None:
    assert ranking(FACTS, prefer=prefer, licences=LICENCES).tolist() == order
