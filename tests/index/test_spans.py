import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.index import matching, spans, suffix
from freehold.index.matching import Matcher
from freehold.index.spans import maximal_spans
from freehold.index.suffix import Numbering, array_of

LETTERS = st.integers(0, 3)
TEXTS = st.lists(LETTERS, min_size=1, max_size=60)
QUERIES = st.lists(LETTERS, max_size=40)
VOCABULARIES = st.sampled_from([(4, 1, "<u2"), (60_001, 20_000, "<u2"), (2**31, 2**29, "<u4")])  # size, scale, type


def places(text, phrase):
    return [i for i in range(len(text) - len(phrase) + 1) if text[i : i + len(phrase)] == phrase]


def longest_beginning(text, query):
    return next((n for n in range(len(query), 0, -1) if places(text, query[:n])), 0)


def spans_by_force(texts, query, min_tokens):
    ends = [i + max(longest_beginning(text, query[i:]) for text in texts) for i in range(len(query))]
    maximal = [(i, end) for i, end in enumerate(ends) if i == 0 or end > ends[i - 1]]
    return [(start, end) for start, end in maximal if end - start >= min_tokens]


def matcher_of(texts, query, vocabulary):
    size, scale, dtype = vocabulary
    arrays = [array_of(np.array(text, dtype=dtype) * scale, vocabulary=size) for text in texts]
    return Matcher(arrays, [letter * scale for letter in query], numbering=Numbering(size))


@pytest.fixture(params=[(32, 512), (2, 3), (4, 1)], scope="module", autouse=True)
def cut(request):
    """Samples and blocks of ordinary size, and so small that every path is walked."""
    with pytest.MonkeyPatch.context() as patch:
        every, block = request.param
        for module in (suffix, matching):
            patch.setattr(module, "EVERY", every)
        patch.setattr(spans, "BLOCK", block)
        patch.setattr(spans, "LONG", block)
        patch.setattr(spans, "PROBES", 2 + block % 3)
        yield


@given(st.lists(TEXTS, min_size=1, max_size=3), QUERIES, VOCABULARIES)
def test_the_longest_beginning_is_found_from_every_place(texts, query, vocabulary):
    begins = np.arange(len(query))
    found = matcher_of(texts, query, vocabulary).longest(begins, len(query) - begins)
    assert found.tolist() == [max(longest_beginning(text, query[i:]) for text in texts) for i in range(len(query))]


@given(st.lists(TEXTS, min_size=1, max_size=3), QUERIES, VOCABULARIES, st.data())
def test_every_place_of_a_part_is_found(texts, query, vocabulary, data):
    begins = [data.draw(st.integers(0, len(query) - 1)) for _ in query[:5]]
    lengths = [data.draw(st.integers(1, len(query) - begin)) for begin in begins]
    matcher = matcher_of(texts, query, vocabulary)
    first, last = matcher.runs(np.array(begins, dtype=np.int64), np.array(lengths, dtype=np.int64))
    for lane, (begin, length) in enumerate(zip(begins, lengths, strict=True)):
        for number, text in enumerate(texts):
            found = matcher.arrays[number].suffixes[first[number, lane] : last[number, lane]]
            assert sorted(found.tolist()) == places(text, query[begin : begin + length])


@given(st.lists(TEXTS, min_size=1, max_size=3), QUERIES, st.integers(1, 5), VOCABULARIES)
def test_maximal_spans_are_those_of_brute_force(texts, query, min_tokens, vocabulary):
    found = list(maximal_spans(matcher_of(texts, query, vocabulary), len(query), min_tokens=min_tokens))
    assert found == spans_by_force(texts, query, min_tokens)


def test_matches_longer_than_a_block_are_found_whole():
    text = list(range(3000)) * 2 + [7, *range(50)]
    query = [*range(100, 2900), 5, *range(40), 9999]
    matcher = Matcher([array_of(np.array(text, dtype="<u2"), vocabulary=10_000)], query, numbering=Numbering(10_000))
    assert list(maximal_spans(matcher, len(query), min_tokens=6)) == [(0, 2800), (2801, 2841)]


def test_without_arrays_nothing_stands_anywhere():
    assert list(maximal_spans(Matcher([], [1, 2], numbering=Numbering(4)), 2, min_tokens=1)) == []
