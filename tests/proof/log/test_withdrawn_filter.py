"""The bytes of a filter: one spelling, nothing else read."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.errors import GateError
from freehold.proof.log.withdrawn_filter import FilterFile, parse

FILTER = FilterFile(widths=(8, 16), hashes=array("Q", [1, 5, 2**63, 2**64 - 1]))


def test_a_filter_survives_its_file() -> None:
    assert parse(FILTER.data(), where="filter") == FILTER
    empty = FilterFile(widths=(), hashes=array("Q"))
    assert parse(empty.data(), where="filter") == empty


@pytest.mark.parametrize(
    "data",
    [
        b"",
        FILTER.data()[:-1],
        FILTER.data() + b"\0",
        FILTER.data().replace(b'"windows":4', b'"windows":3'),
        FILTER.data().replace(b'"widths":[8,16]', b'"widths":[16,8]'),
        FILTER.data().replace(b'"widths":[8,16]', b'"widths":[8, 16]'),
        FILTER.data().replace(b"withdrawn", b"withdrawm"),
        FilterFile(widths=(8,), hashes=array("Q", [5, 1])).data(),
        FilterFile(widths=(8,), hashes=array("Q", [5, 5])).data(),
    ],
)
def test_nothing_else_is_one(data: bytes) -> None:
    with pytest.raises(GateError):
        parse(data, where="filter")


@given(st.binary(max_size=200))
def test_strangers_bytes_are_refused_not_crashed_on(data: bytes) -> None:
    with pytest.raises(GateError):
        parse(data, where="filter")
