"""Digests, bands, buckets and components."""

from __future__ import annotations

import networkx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.text.signatures import (
    FOUND,
    HASHES,
    PAIRS_WITHIN,
    banding,
    bucket_pairs,
    components,
    digest,
    found,
    unspaced,
)

PAIRS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=60)


@given(PAIRS)
def test_components_are_those_of_the_graph(pairs: list[tuple[int, int]]) -> None:
    graph = networkx.Graph(pairs)
    expected = {member: min(group) for group in networkx.connected_components(graph) for member in group}
    assert components(pairs) == expected
    assert components(reversed(pairs)) == expected  # the order of the pairs does not matter


@given(st.lists(st.integers(0, 10_000), min_size=2, max_size=200, unique=True))
def test_a_bucket_stays_connected(members: list[int]) -> None:
    pairs = bucket_pairs(members)
    assert set(components(pairs).values()) == {min(members)}
    assert len(pairs) <= max(PAIRS_WITHIN**2, 2 * len(members))


@pytest.mark.parametrize("threshold", [0.2, 0.35, 0.5, 0.7, 0.8, 0.95])
def test_bands_find_the_threshold(threshold: float) -> None:
    bands, rows = banding(threshold)
    assert bands * rows <= HASHES
    assert found(threshold, bands=bands, rows=rows) >= FOUND
    assert found(threshold / 4, bands=bands, rows=rows) < 0.4


def test_digest_ignores_white_space_alone() -> None:
    assert digest("a  b\n\nc") == digest(" a b c ")
    assert digest("ab c") != digest("a b c")
    assert len(digest("")) == 64


def test_which_scripts_have_spaces() -> None:
    assert unspaced("ประเทศไทยเป็นราชอาณาจักรอันหนึ่งอันเดียว")
    assert unspaced("中华人民共和国是工人阶级领导的")
    assert not unspaced("대한민국은 민주공화국이다(大韓民國)")
    assert not unspaced("")
