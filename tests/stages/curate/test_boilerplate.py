"""Paragraphs that recur across sources are found, and those beyond the first few are cut."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from freehold.stages.curate import boilerplate
from freehold.stages.curate.boilerplate import recurring, sizes_after
from freehold.stages.curate.parts import JUDGED, write_table
from freehold.text.paragraphs import paragraphs

NOTICE = " ".join(f"notice{number}" for number in range(40))
LOCAL = " ".join(f"local{number}" for number in range(40))
NONE = np.array([], dtype=np.int64)


@pytest.fixture
def parts(tmp_path: Path) -> list[Path]:
    """Six documents of two sources; NOTICE stands in all, LOCAL in those of the first source."""
    rows = []
    for row in range(6):
        text = f"Text {row}\n{NOTICE}\n{LOCAL if row % 2 else 'short'}"
        found = paragraphs(text, unspaced=False)
        rows.append({"row": row, "source": "ab"[row % 2], "text": text, "paragraphs": found, "unspaced": False})
    paths = [tmp_path / "0.parquet", tmp_path / "1.parquet"]
    write_table(paths[0], rows[:4], JUDGED)
    write_table(paths[1], rows[4:], JUDGED)
    return paths


@pytest.mark.parametrize("at_once", [1 << 24, 2])  # in one range of hashes, and in several
def test_what_recurs_in_several_sources(parts: list[Path], monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(boilerplate, "PARAGRAPHS_AT_ONCE", at_once)
    found = recurring(parts, NONE, documents=4)
    (notice,) = paragraphs(NOTICE, unspaced=False)
    assert {paragraph: rows.tolist() for paragraph, rows in found.rows.items()} == {notice: [0, 1, 2, 3, 4, 5]}
    cuts = found.beyond(4)
    assert cuts == {4: frozenset({notice}), 5: frozenset({notice})}
    assert sizes_after(parts, cuts) == {4: (len("Text 4\nshort"),) * 2, 5: (len(f"Text 5\n{LOCAL}"),) * 2}


def test_what_recurs_too_seldom_or_in_dropped_documents(parts: list[Path]) -> None:
    assert not recurring(parts, NONE, documents=6).rows
    assert not recurring(parts, np.array([1, 3, 5]), documents=2).rows  # one source is left
