import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.errors import InputError
from freehold.index.suffix import EVERY, Numbering, array_of, digits, mapped, sample_of, sort_suffixes

LETTERS = st.integers(0, 3)
TEXTS = st.lists(LETTERS, min_size=1, max_size=60)


@given(TEXTS, st.sampled_from(["<u2", "<u4"]), st.sampled_from([1, 255, 60_000]))
def test_the_order_is_that_of_the_suffixes(text, dtype, scale):
    text = [letter * scale % 65_536 for letter in text]
    held = np.array(text, dtype=dtype)
    assert sort_suffixes(held).tolist() == sorted(range(len(text)), key=lambda i: text[i:])


def test_no_tokens_no_suffixes():
    assert sort_suffixes(np.empty(0, dtype="<u2")).tolist() == []


@given(TEXTS, st.data())
def test_a_part_of_the_rows_is_the_order_of_the_suffixes_that_begin_there(text, data):
    rows = data.draw(st.integers(0, len(text)))
    expected = [place for place in sorted(range(len(text)), key=lambda i: text[i:]) if place < rows]
    assert sort_suffixes(np.array(text, dtype="<u2"), rows=rows).tolist() == expected


@given(st.sampled_from([2, 255, 32_000, 65_536, 262_144, 2**31]), st.data())
def test_numbers_stand_in_the_order_of_the_first_tokens(vocabulary, data):
    numbering = Numbering(vocabulary)
    token = st.integers(0, vocabulary - 1)
    a, b = (data.draw(st.lists(token, max_size=2 * numbering.width)) for _ in range(2))
    first, second = (
        numbering.numbers(digits(np.array([*text, 0], dtype="<u4")[:-1], np.array([0]), numbering.width))
        if text
        else np.zeros(1, dtype=np.uint64)
        for text in (a, b)
    )
    beginnings = a[: numbering.width], b[: numbering.width]
    assert (first[0] < second[0], first[0] == second[0]) == (
        beginnings[0] < beginnings[1],
        beginnings[0] == beginnings[1],
    )
    same = next((n for n in range(numbering.width, 0, -1) if a[:n] == b[:n] and len(a) >= n), 0)
    if len(a) >= numbering.width and len(b) >= numbering.width:
        assert numbering.shared(first, second)[0] == same


@pytest.fixture
def index(tmp_path):
    tokens = np.arange(100, dtype="<u2") % 7
    numbering = Numbering(7)
    suffixes = sort_suffixes(tokens)
    suffixes.tofile(tmp_path / "suffixes.bin")
    sample_of(tokens, suffixes, numbering).tofile(tmp_path / "sample.bin")
    return tokens, tmp_path / "suffixes.bin", tmp_path / "sample.bin", numbering


def test_an_index_opens_where_it_lies(index):
    tokens, suffixes, sample, numbering = index
    found = mapped(tokens, suffixes, sample, numbering=numbering, rows=100)
    made = array_of(tokens, vocabulary=7)
    assert np.array_equal(found.suffixes, made.suffixes)
    assert np.array_equal(found.sample, made.sample)
    assert len(found.sample) == -(-100 // EVERY)


def test_an_index_of_other_tokens_is_refused(index):
    tokens, suffixes, sample, numbering = index
    for other in (tokens[:99], tokens[::-1]):
        with pytest.raises(InputError, match="do not belong together"):
            mapped(other, suffixes, sample, numbering=numbering, rows=100)
    with pytest.raises(InputError, match="do not belong together"):
        mapped(tokens, suffixes, sample, numbering=numbering, rows=99)


def test_a_part_that_is_missing_or_cut_short_is_named(index):
    tokens, suffixes, sample, numbering = index
    sample.write_bytes(sample.read_bytes()[:-8])
    with pytest.raises(InputError, match="do not belong together"):
        mapped(tokens, suffixes, sample, numbering=numbering, rows=100)
    sample.unlink()
    with pytest.raises(InputError, match="missing"):
        mapped(tokens, suffixes, sample, numbering=numbering, rows=100)


def test_more_tokens_than_positions_can_number_are_refused():
    with pytest.raises(InputError, match="too many"):
        sort_suffixes(np.lib.stride_tricks.as_strided(np.zeros(1, dtype="<u2"), shape=(2**29 + 1,), strides=(0,)))
