"""Copies are found in every script, and only copies; the preferred one stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from legal_prose import edited, prose

from freehold.stages.curate.duplicates import Likeness, compare
from freehold.stages.curate.earlier import read_earlier, write_sketches
from freehold.stages.curate.parts import JUDGED, write_table
from freehold.text.signatures import WIDTH, digest, sketch, unspaced
from freehold.text.tokens import tokens

ORIGINALS = 12
FIRST = 100  # row of the first text


def judged_row(row: int, text: str, **facts: Any) -> dict[str, Any]:
    """A row as judging leaves it."""
    words, kind = tokens(text), unspaced(text)
    return {
        "row": row,
        "id": str(row),
        "source": "s",
        "language": "xxx",
        "text": text,
        "digest": digest(text),
        "unspaced": kind,
        "tokens": len(words),
        "sketch": sketch(words, width=WIDTH[kind]).tobytes(),
    } | facts


def written(texts: list[str], folder: Path, facts: list[dict[str, Any]] | None = None) -> tuple[list[Path], pa.Table]:
    """Texts whose rows are 100, 101, …, in two parts, and what comparing is told of them."""
    folder.mkdir(exist_ok=True)
    more = facts or [{} for _ in texts]
    rows = [judged_row(FIRST + place, text, **more[place]) for place, text in enumerate(texts)]
    dropped = {"row": 99, "id": "dropped", "reason": "too-short", "detail": ""}
    half = len(rows) // 2
    paths = [folder / "one.parquet", folder / "two.parquet"]
    write_table(paths[0], [dropped, *rows[:half]], JUDGED)
    write_table(paths[1], rows[half:], JUDGED)
    return paths, pa.Table.from_pylist(rows, schema=JUDGED)


def compared(
    texts: list[str], folder: Path, *, threshold: float = 0.8, facts: list[dict[str, Any]] | None = None, **options: Any
) -> Likeness:
    """What comparing texts finds, the first in order preferred unless `order` says otherwise."""
    paths, table = written(texts, folder, facts)
    options.setdefault("order", np.arange(len(texts)))
    return compare(paths, table, threshold=threshold, scratch=folder, **options)


@pytest.mark.parametrize("language", ["deu", "kor", "jpn", "tha"])
@pytest.mark.parametrize("share", [0.05, 0.1, 0.15])
def test_near_copies_in_every_script(tmp_path: Path, language: str, share: float) -> None:
    originals = [prose(language, seed, words=400) for seed in range(ORIGINALS)]
    spaced = language in ("deu", "kor")
    copies = [edited(text, share=share, seed=seed, spaced=spaced) for seed, text in enumerate(originals)]
    likeness = compared(originals + copies, tmp_path)
    expected = {FIRST + ORIGINALS + place: FIRST + place for place in range(ORIGINALS)}
    assert likeness.rows("near-duplicate") == expected
    assert not likeness.rows("exact-duplicate")


def test_what_has_changed_too_much_is_no_copy(tmp_path: Path) -> None:
    originals = [prose("deu", seed, words=400) for seed in range(ORIGINALS)]
    copies = [edited(text, share=0.35, seed=seed, spaced=True) for seed, text in enumerate(originals)]
    assert not compared(originals + copies, tmp_path).copies


def test_exact_copies_and_white_space(tmp_path: Path) -> None:
    texts = [prose("jpn", 1), prose("jpn", 2), "  " + prose("jpn", 1) + "\n", prose("jpn", 2), prose("jpn", 1)]
    likeness = compared(texts, tmp_path)
    assert likeness.rows("exact-duplicate") == {102: 100, 103: 101, 104: 100}
    assert not likeness.rows("near-duplicate")
    assert likeness.family == {100: 100, 102: 100, 104: 100, 101: 101, 103: 101}


def test_a_chain_of_changes_does_not_drop_its_end(tmp_path: Path) -> None:
    words = prose("deu", 5, words=600).split()
    other = prose("deu", 6, words=600).split()
    tenth = len(words) // 10
    texts = [" ".join(other[: tenth * step] + words[tenth * step :]) for step in range(5)]
    likeness = compared(texts, tmp_path, threshold=0.9)
    near = likeness.rows("near-duplicate")
    assert near == {101: 100, 103: 102}  # each repeats its neighbour, yet nothing 20 % away is dropped for it
    assert set(likeness.family.values()) == {100}


def test_the_preferred_copy_stays(tmp_path: Path) -> None:
    text = prose("deu", 3, words=400)
    texts = [text, edited(text, share=0.05, seed=1, spaced=True), prose("deu", 4)]
    likeness = compared(texts, tmp_path, order=np.array([2, 1, 0]))
    assert likeness.rows("near-duplicate") == {100: 101}


def test_families_are_wider_than_copies(tmp_path: Path) -> None:
    text = prose("deu", 3, words=400)
    likeness = compared(
        [text, edited(text, share=0.08, seed=1, spaced=True), prose("deu", 4)], tmp_path, threshold=0.98
    )
    assert not likeness.copies
    assert likeness.family == {100: 100, 101: 100}


def test_of_a_law_the_newest_version_stays(tmp_path: Path) -> None:
    text = prose("deu", 3, words=400)
    texts = [text, edited(text, share=0.12, seed=1, spaced=True), edited(text, share=0.06, seed=2, spaced=True)]
    dates = ("2019-01-01", "2024-01-01", "2021-01-01")
    facts = [{"url": f"https://law.example/7/{date}/deu", "date": date} for date in dates]
    newest = compared(texts, tmp_path / "newest", facts=facts)
    assert newest.rows("older-version") == {100: 101, 102: 101}
    assert not newest.rows("near-duplicate")
    every = compared(texts, tmp_path / "all", facts=facts, newest=False)
    assert not every.copies
    assert every.family == {100: 100, 101: 100, 102: 100}


def test_of_two_publishers_the_newer_version_stays(tmp_path: Path) -> None:
    text = prose("deu", 3, words=400)
    law = {"title": "Gesetz über die Prüfung"}
    facts = [law | {"date": "2019-01-01", "source": "one"}, law | {"date": "2021-01-01", "source": "other"}]
    likeness = compared([text, edited(text, share=0.1, seed=1, spaced=True)], tmp_path, facts=facts)
    assert likeness.rows("older-version") == {100: 101}


def test_parts_and_namesakes_are_no_versions(tmp_path: Path) -> None:
    text = prose("deu", 3, words=400)
    texts = [text, edited(text, share=0.2, seed=1, spaced=True), prose("deu", 4), prose("deu", 5)]
    title = {"title": "Gesetz über die Prüfung"}
    facts = [
        title
        | {"date": "2019-01-01", "url": "https://law.example/order_2019-01-01"},  # an order alike, of the same title
        title | {"date": "2021-01-01", "url": "https://law.example/order_2021-01-01"},
        title | {"date": "2019-01-01", "url": "https://law.example/8/2019-01-01"},  # parts of one law
        title | {"date": "2021-01-01", "url": "https://law.example/8/2021-01-01"},
    ]
    assert not compared(texts, tmp_path, facts=facts, threshold=0.95).copies


def test_an_earlier_corpus_is_not_wanted_again(tmp_path: Path) -> None:
    old = [prose("tha", 1, words=400), prose("deu", 2, words=400)]
    paths, _ = written(old, tmp_path / "old")
    write_sketches(tmp_path / "old" / "sketches.parquet", paths, np.array([], dtype=np.int64))
    new = [old[0], edited(old[1], share=0.05, seed=1, spaced=True), prose("deu", 4)]
    earlier = read_earlier([tmp_path / "old" / "sketches.parquet"])
    likeness = compared(new, tmp_path / "new", earlier=earlier)
    told = {row: (copy.reason, copy.kept, copy.of) for row, copy in likeness.copies.items()}
    assert told == {100: ("exact-duplicate", None, "100"), 101: ("near-duplicate", None, "101")}


def test_texts_without_words_are_not_alike(tmp_path: Path) -> None:
    assert not compared(["!!! ???", "... ---", "", prose("deu", 1)], tmp_path).copies


def test_one_document(tmp_path: Path) -> None:
    assert compared([prose("deu", 1)], tmp_path) == Likeness(copies={}, family={})
