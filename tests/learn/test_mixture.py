from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from freehold.learn.mixture import Stream, Turns, permutation


@given(st.integers(1, 500), st.integers(0, 2**64 - 1))
def test_a_permutation_holds_every_number_once(size: int, key: int) -> None:
    assert sorted(permutation(size, key=key).tolist()) == list(range(size))


def test_the_order_is_pinned() -> None:
    assert permutation(8, key=42).tolist() == [5, 2, 7, 3, 4, 0, 1, 6]


def test_shares_hold_to_within_one_sample_at_any_moment() -> None:
    shares = (("deu", 0.43), ("jpn", 0.4), ("kor", 0.17))
    turns, seen = Turns(shares), dict.fromkeys(("deu", "jpn", "kor"), 0)
    for sample in range(2500):
        assert all(seen[code] == turns.count(code, sample) for code in seen)
        language, number = turns.at(sample)
        assert number == seen[language]
        seen[language] += 1
        assert all(abs(seen[code] - share * (sample + 1)) <= 1 for code, share in shares)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=8), st.integers(2, 16), st.integers(0, 99))
def test_one_pass_consumes_every_token_without_loss(lengths: list[int], window: int, key: int) -> None:
    stream = Stream(np.arange(len(lengths)), np.array(lengths), key=key, block=window)
    seen: dict[tuple[int, int], int] = {}
    for number in range(2 * stream.blocks):
        pieces = stream.pieces(stream.start(number), window)
        assert sum(length for _, _, length in pieces) == window
        for row, offset, length in pieces:
            assert offset >= 0 and offset + length <= lengths[row]
            for token in range(offset, offset + length):
                seen[row, token] = seen.get((row, token), 0) + 1
    if sum(lengths) >= window:
        assert set(seen) == {(row, token) for row, length in enumerate(lengths) for token in range(length)}
        assert max(seen.values()) - min(seen.values()) <= 2
