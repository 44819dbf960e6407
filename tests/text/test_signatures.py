"""Digests, sketches, bands and components."""

from __future__ import annotations

import networkx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.text.signatures import (
    EMPTY,
    HASHES,
    WIDTH,
    components,
    digest,
    found,
    jaccard,
    similarity,
    sketch,
    unspaced,
)
from freehold.text.tokens import windows

PAIRS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=60)


@given(PAIRS)
def test_components_are_those_of_the_graph(pairs: list[tuple[int, int]]) -> None:
    graph = networkx.Graph(pairs)
    expected = {member: min(group) for group in networkx.connected_components(graph) for member in group}
    assert components(pairs) == expected
    assert components(reversed(pairs)) == expected  # the order of the pairs does not matter


@pytest.mark.parametrize("number", [3, 40, 300, 2_040, 2_060, 9_000])
@pytest.mark.parametrize("kept", [0.5, 0.8, 1.0])
def test_a_sketch_estimates_how_alike_windows_are(number: int, kept: float) -> None:
    draw = np.random.default_rng(number)
    estimates, exact = [], []
    for _ in range(20):
        one = draw.integers(0, 1 << 63, number).astype(np.uint64)
        other = one.copy()
        other[int(kept * number) :] = draw.integers(0, 1 << 63, number - int(kept * number)).astype(np.uint64)
        first, second = set(windows(one, 2).tolist()), set(windows(other, 2).tolist())
        exact.append(len(first & second) / len(first | second))
        estimates.append(float((sketch(one, width=2) == sketch(other, width=2)).mean()))
    assert np.mean(estimates) == pytest.approx(np.mean(exact), abs=0.04 if number > 3 else 0.2)


def test_a_text_without_windows_has_an_empty_sketch() -> None:
    assert (sketch(np.ones(1, dtype=np.uint64), width=2) == EMPTY).all()
    assert sketch(np.arange(9, dtype=np.uint64), width=2).shape == (HASHES,)


@pytest.mark.parametrize("kind", [False, True])
def test_bands_find_copies_and_pass_by_the_rest(kind: bool) -> None:
    assert found(0.85, unspaced=kind) > 0.999
    assert found(0.4, unspaced=kind) < 0.05


@given(st.floats(0.1, 1), st.sampled_from(sorted(WIDTH.values())))
def test_similarity_undoes_jaccard(share: float, width: int) -> None:
    assert similarity(jaccard(share, width=width), width=width) == pytest.approx(share)


def test_digest_ignores_white_space_alone() -> None:
    assert digest("a  b\n\nc") == digest(" a b c ")
    assert digest("ab c") != digest("a b c")
    assert len(digest("")) == 64


def test_which_scripts_have_spaces() -> None:
    assert unspaced("ประเทศไทยเป็นราชอาณาจักรอันหนึ่งอันเดียว")
    assert unspaced("中华人民共和国是工人阶级领导的")
    assert not unspaced("대한민국은 민주공화국이다(大韓民國)")
    assert not unspaced("")
