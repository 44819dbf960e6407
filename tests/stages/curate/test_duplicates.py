"""Copies are found in every script, and only copies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from legal_prose import edited, prose

from freehold.stages.curate.duplicates import Likeness, agreements, compare, repeats, stars
from freehold.stages.curate.parts import JUDGED, write_table
from freehold.text.signatures import HASHES, digest, unspaced

ORIGINALS = 12


def compared(texts: list[str], folder: Path, *, threshold: float) -> Likeness:
    """Compare texts whose rows are 100, 101, …, spread over two parts."""
    folder.mkdir(exist_ok=True)
    rows = [
        {"row": 100 + place, "id": str(place), "text": text, "digest": digest(text), "unspaced": unspaced(text)}
        for place, text in enumerate(texts)
    ]
    rows.insert(0, {"row": 99, "id": "dropped", "reason": "too-short", "detail": ""})
    half = len(rows) // 2
    paths = [folder / "one.parquet", folder / "two.parquet"]
    write_table(paths[0], rows[:half], JUDGED)
    write_table(paths[1], rows[half:], JUDGED)
    numbers = np.arange(100, 100 + len(texts), dtype=np.int64)
    return compare(paths, numbers, threshold=threshold, scratch=folder)


@pytest.mark.parametrize("language", ["deu", "kor", "jpn", "tha"])
@pytest.mark.parametrize(("share", "threshold"), [(0.02, 0.8), (0.05, 0.65), (0.1, 0.4)])
def test_near_copies_in_every_script(tmp_path: Path, language: str, share: float, threshold: float) -> None:
    originals = [prose(language, seed, words=400) for seed in range(ORIGINALS)]
    spaced = language in ("deu", "kor")
    copies = [edited(text, share=share, seed=seed, spaced=spaced) for seed, text in enumerate(originals)]
    likeness = compared(originals + copies, tmp_path, threshold=threshold)
    expected = {100 + ORIGINALS + place: 100 + place for place in range(ORIGINALS)}
    found = sum(likeness.near.get(row) == original for row, original in expected.items())
    assert found >= ORIGINALS - 1  # planted pairs found
    assert likeness.near.items() <= expected.items()  # and nothing else
    assert not likeness.exact


def test_exact_copies_and_white_space(tmp_path: Path) -> None:
    texts = [prose("jpn", 1), prose("jpn", 2), "  " + prose("jpn", 1) + "\n", prose("jpn", 2), prose("jpn", 1)]
    likeness = compared(texts, tmp_path, threshold=0.8)
    assert likeness.exact == {102: 100, 103: 101, 104: 100}
    assert not likeness.near
    assert likeness.family == {100: 100, 102: 100, 104: 100, 101: 101, 103: 101}


def test_families_are_wider_than_copies(tmp_path: Path) -> None:
    text = prose("deu", 3, words=400)
    likeness = compared([text, edited(text, share=0.08, seed=1, spaced=True), prose("deu", 4)], tmp_path, threshold=0.8)
    assert not likeness.near
    assert likeness.family == {100: 100, 101: 100}


def test_texts_without_words_are_not_alike(tmp_path: Path) -> None:
    likeness = compared(["!!! ???", "... ---", "", prose("deu", 1)], tmp_path, threshold=0.8)
    assert not likeness.near
    assert not likeness.exact


def test_one_document_and_none(tmp_path: Path) -> None:
    assert compared([prose("deu", 1)], tmp_path / "a", threshold=0.8) == Likeness(exact={}, near={}, family={})


def test_repeats_name_the_first() -> None:
    assert repeats([(3, 5), (5, 9), (1, 2)]) == {5: 3, 9: 3, 2: 1}
    assert stars([7, 3, 5]) == [(3, 5), (3, 7)]


def test_agreement_is_the_share_of_equal_hashes() -> None:
    hashes = np.zeros((2, HASHES), dtype=np.uint32)
    hashes[1, :32] = 1
    assert agreements(hashes, np.array([[0, 1], [0, 0]])).tolist() == [0.75, 1.0]
    assert agreements(hashes, np.empty((0, 2), dtype=np.int64)).tolist() == []
