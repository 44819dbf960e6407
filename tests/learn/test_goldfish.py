from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from freehold.learn.goldfish import CONTEXT, forgotten, gaps

RANDOM = np.random.default_rng(3)


def test_one_token_in_fifty_is_left_out() -> None:
    gaps = forgotten(RANDOM.integers(0, 30_000, (40, 1000)), every=50)
    assert not gaps[:, :CONTEXT].any()
    assert abs(gaps[:, CONTEXT:].mean() - 1 / 50) < 0.002


@given(st.integers(0, 60), st.integers(0, 60))
def test_a_passage_has_the_same_gaps_wherever_it_stands(left: int, right: int) -> None:
    passage = np.random.default_rng(8).integers(0, 500, 100)
    rows = [np.r_[RANDOM.integers(0, 500, size), passage] for size in (left, right)]
    seen = [forgotten(row[None], every=4)[0, -100 + CONTEXT :] for row in rows]
    assert (seen[0] == seen[1]).all() and seen[0].any()


def test_a_token_before_it_decides() -> None:
    row = RANDOM.integers(0, 500, (1, 400))
    changed = row.copy()
    changed[0, 200] += 1
    differs = (forgotten(row, every=2) != forgotten(changed, every=2))[0]
    assert differs[201 : 201 + CONTEXT].any() and not differs[:201].any() and not differs[201 + CONTEXT :].any()


def test_short_rows_have_no_gaps() -> None:
    assert not forgotten(np.zeros((2, 9), np.int64), every=1).any()


def test_the_gaps_are_pinned() -> None:
    row = np.arange(120)[None] % 31
    assert np.flatnonzero(forgotten(row, every=10)[0]).tolist() == [32, 63, 94]


@given(st.integers(0, 99), st.integers(1, 40))
def test_a_document_has_the_same_gaps_however_windows_cut_it(offset: int, length: int) -> None:
    document = np.random.default_rng(4).integers(0, 500, 140)

    def read(_: int, begin: int, size: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return document[begin : begin + size]

    whole = gaps(read, (0, 0, 140), every=3)
    assert (gaps(read, (0, offset, length), every=3) == whole[offset : offset + length]).all()
    assert not whole[:CONTEXT].any() and whole.any()
