"""JSON from strangers has one reading or none."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.errors import GateError
from freehold.proof import canonical

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
@settings(deadline=None)
def test_what_we_write_is_read_back_and_written_alike(value: Any) -> None:
    try:
        data = canonical.canonical_json(value)
    except UnicodeEncodeError:
        return  # a lone surrogate has no UTF-8
    assert canonical.load(data, where="x") == value
    assert canonical.canonical_json(canonical.load(data, where="x")) == data


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        value = canonical.load(data, where="x")
    except GateError as error:
        assert error.where == "x"
    else:
        assert value == json.loads(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"a":1,"a":2}', "'a' stands twice"),
        (b'{"x":{"a":1,"\\u0061":2}}', "'a' stands twice"),
        (b"[" * 65 + b"]" * 65, "nested deeper than 64"),
        (b"[" * 2_000_000, "values"),
        (b'{"a":' * 70 + b"1" + b"}" * 70, "nested deeper than 64"),
        (b"[" + b"{}," * 400_000 + b"{}]", "more than 500,000 values"),
        (b" " * ((8 << 20) + 1), "at most"),
        (b"NaN", "NaN"),
        (b"-Infinity", "-Infinity"),
        (b"[1e999]", "beyond"),
        (b"[-1" + b"0" * 400 + b"]", "402 digits"),
        (b'"' + b'\\"' * 500_000, "Unterminated"),
        (b'"' + b'"\\' * 500_000, "no JSON"),
        (b"{" + b",".join(b'"%d":0' % number for number in range(100_000)) + b',"99999":0}', "'99999' stands twice"),
        (b'"\\ud800"', "surrogates"),
        (b'"\xff"', "utf-8"),
        (b"\xef\xbb\xbf{}", "BOM"),
        ("{}".encode("utf-16"), "utf-8"),
        (b"1" * 5000, "digits"),
        (b"{} {}", "Extra data"),
        (b"", "Expecting value"),
        (b'{"a":1,}', "no JSON"),
    ],
)
def test_refused(data: bytes, reason: str) -> None:
    begun = time.perf_counter()
    with pytest.raises(GateError, match=reason):
        canonical.load(data, where="evidence/release.json")
    assert time.perf_counter() - begun < 2


def test_brackets_in_strings_do_not_nest() -> None:
    value = ["[" * 1000, '\\"[[[[', {"{": "}"}]
    assert canonical.load(json.dumps(value).encode(), where="x") == value


def test_lines_name_the_line() -> None:
    assert canonical.lines(b'{"a":1}\n[2]\n', where="x") == [{"a": 1}, [2]]
    assert canonical.lines(b"", where="x") == []
    with pytest.raises(GateError) as refused:
        canonical.lines(b'{"a":1}\n\n{"a":2}\n', where="chain.jsonl")
    assert refused.value.where == "chain.jsonl:2"
