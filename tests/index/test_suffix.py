import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.errors import InputError
from freehold.index.suffix import SuffixArray, mapped, maximal_spans, sort_suffixes

LETTERS = st.integers(0, 3)
TEXTS = st.lists(LETTERS, min_size=1, max_size=60)
QUERIES = st.lists(LETTERS, max_size=40)


def array_of(tokens, dtype="<u2"):
    held = np.array(tokens, dtype=dtype)
    return SuffixArray(tokens=held, suffixes=sort_suffixes(held))


def places(text, phrase):
    return [i for i in range(len(text) - len(phrase) + 1) if text[i : i + len(phrase)] == phrase]


def longest_beginning(text, query):
    return next((n for n in range(len(query), 0, -1) if places(text, query[:n])), 0)


def spans_by_force(texts, query, min_tokens):
    ends = [i + max(longest_beginning(text, query[i:]) for text in texts) for i in range(len(query))]
    maximal = [(i, end) for i, end in enumerate(ends) if i == 0 or end > ends[i - 1]]
    return [(start, end) for start, end in maximal if end - start >= min_tokens]


@given(TEXTS, st.sampled_from(["<u2", "<u4"]), st.sampled_from([1, 255, 60_000]))
def test_the_order_is_that_of_the_suffixes(text, dtype, scale):
    text = [letter * scale % 65_536 for letter in text]
    held = np.array(text, dtype=dtype)
    assert sort_suffixes(held).tolist() == sorted(range(len(text)), key=lambda i: text[i:])


@given(TEXTS, QUERIES)
def test_the_longest_beginning_is_found_with_every_place(text, query):
    array = array_of(text)
    match = array.longest(query)
    assert match.length == longest_beginning(text, query)
    if match.length:
        assert array.positions(match, most=1000).tolist() == places(text, query[: match.length])


@given(st.lists(TEXTS, min_size=1, max_size=3), QUERIES, st.integers(1, 5))
def test_maximal_spans_are_those_of_brute_force(texts, query, min_tokens):
    found = list(maximal_spans([array_of(text) for text in texts], query, min_tokens=min_tokens))
    assert found == spans_by_force(texts, query, min_tokens)


def test_matches_longer_than_the_first_window_are_found_whole():
    text = list(range(100)) * 2 + [7, *range(50)]
    match = array_of(text).longest(list(range(100)))
    assert (match.length, match.high - match.low) == (100, 2)


def test_positions_stop_at_the_limit():
    array = array_of([5] * 20)
    assert len(array.positions(array.longest([5]), most=3)) == 3


def test_no_tokens_no_suffixes():
    assert sort_suffixes(np.empty(0, dtype="<u2")).tolist() == []


def test_an_index_of_other_tokens_is_refused(tmp_path):
    np.arange(4, dtype="<u2").tofile(tmp_path / "tokens.bin")
    np.arange(3, dtype="<i4").tofile(tmp_path / "suffixes.bin")
    with pytest.raises(InputError, match="do not belong together"):
        mapped(tmp_path / "tokens.bin", tmp_path / "suffixes.bin", dtype=np.dtype("<u2"))
