"""Tokens: one for a word, one for a character of a script without spaces, none for what stands between."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.text.tokens import tokens, windows


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", 0),
        ("  —!\n", 0),
        ("§ 12 Abs. 3", 3),
        ("대한민국은 민주공화국이다", 2),
        ("すべて 国民は", 6),
        ("Art国民 2", 4),
        ("กฎหมาย", 6),
    ],
)
def test_how_many_tokens_a_text_has(text: str, number: int) -> None:
    assert len(tokens(text)) == number


@given(st.text(max_size=200))
def test_tokens_are_those_of_the_text_and_do_not_mind_case_and_punctuation(text: str) -> None:
    assert np.array_equal(tokens(f"… {text} !"), tokens(text))
    assert np.array_equal(tokens(text.casefold()), tokens(text))


@given(st.lists(st.sampled_from(["a", "ab", "ba", "abc", "x" * 70, "x" * 71]), max_size=12))
def test_equal_words_and_only_they_are_equal_tokens(words: list[str]) -> None:
    found = tokens(" ".join(words)).tolist()
    assert len(found) == len(words)
    for one, first in zip(words, found, strict=True):
        for other, second in zip(words, found, strict=True):
            assert (one == other) == (first == second)


@pytest.mark.parametrize("width", [1, 2, 3, 5, 13])
def test_windows_are_runs_of_tokens(width: int) -> None:
    words = tokens(" ".join(f"w{number}" for number in range(40)))
    found = windows(words, width)
    assert len(np.unique(found)) == 41 - width
    assert np.array_equal(found[7:9], windows(words[7 : 8 + width], width))
    assert len(windows(words[: width - 1], width)) == 0
