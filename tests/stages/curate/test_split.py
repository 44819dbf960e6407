"""The held-out part is a function of what the documents say."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.stages.curate import split
from freehold.stages.curate.split import Candidates, held_out, ranks

DOCUMENTS = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from([0, 1]), st.integers(1, 5000)), min_size=1, max_size=120
)


def candidates(drawn: list[tuple[int, int, int]], *, shift: int = 0, numbers: list[int] | None = None) -> Candidates:
    """Documents of (family, language, bytes); `numbers` say what each contains."""
    family, language, size = (np.array(column, dtype=np.int64) for column in zip(*drawn, strict=True))
    rank = ranks(f"{number:064x}" for number in numbers or range(len(drawn)))
    return Candidates(family=family + shift, language=language, size=size, rank=rank)


@settings(max_examples=200)
@given(DOCUMENTS, st.integers(0, 20_000))
def test_families_stay_whole_and_limits_hold(drawn: list[tuple[int, int, int]], wanted: int) -> None:
    documents = candidates(drawn)
    held = held_out(documents, wanted_bytes=wanted)
    for family in set(documents.family.tolist()):
        assert len(set(held[documents.family == family].tolist())) == 1
    for language in (0, 1):
        inside = documents.language == language
        assert documents.size[inside & held].sum() <= min(wanted, documents.size[inside].sum() // 10)


@given(DOCUMENTS, st.randoms(use_true_random=False))
def test_order_and_place_do_not_matter(drawn: list[tuple[int, int, int]], shuffle: random.Random) -> None:
    chosen = set(np.flatnonzero(held_out(candidates(drawn), wanted_bytes=5000)).tolist())
    numbers = list(range(len(drawn)))
    shuffle.shuffle(numbers)
    moved = candidates([drawn[number] for number in numbers], shift=7, numbers=numbers)
    assert {numbers[place] for place in np.flatnonzero(held_out(moved, wanted_bytes=5000)).tolist()} == chosen


@given(DOCUMENTS, st.integers(0, 20_000), st.integers(1, 7))
def test_how_many_are_looked_at_together_does_not_matter(
    drawn: list[tuple[int, int, int]], wanted: int, at_once: int
) -> None:
    documents = candidates(drawn)
    whole = held_out(documents, wanted_bytes=wanted)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(split, "AT_ONCE", at_once)
        assert (held_out(documents, wanted_bytes=wanted) == whole).all()


def test_nothing_is_held_out_of_nothing() -> None:
    none = np.empty(0, dtype=np.int64)
    documents = Candidates(family=none, language=none, size=none, rank=ranks([]))
    assert not held_out(documents, wanted_bytes=1000).any()


def test_enough_is_held_out() -> None:
    documents = candidates([(n, 0, 1000 + n * 7 % 500) for n in range(400)])
    held = documents.size[held_out(documents, wanted_bytes=20_000)].sum()
    assert 18_000 < held <= 20_000


def test_one_large_document_does_not_fill_it() -> None:
    documents = candidates([(0, 0, 9000), *((n, 0, 500) for n in range(1, 400))])
    held = held_out(documents, wanted_bytes=10_000)
    assert not held[0]
    assert held.sum() == 20


def test_large_documents_are_better_than_none() -> None:
    documents = candidates([(n, 0, 9000) for n in range(20)])
    assert held_out(documents, wanted_bytes=20_000).sum() == 2
