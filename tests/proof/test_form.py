"""What strangers hand over has one form, or is refused."""

from __future__ import annotations

import base64

import pytest

from freehold.errors import GateError
from freehold.proof import form


def test_base64_has_one_spelling() -> None:
    assert form.unbase64(base64.b64encode(b"x").decode(), where="x") == b"x"
    for text in ("eA", "eB==", "eA==\n", "e A==", "eA=", "ü", None):
        with pytest.raises(GateError):
            form.unbase64(text, where="x")


def test_fields_are_exactly_those() -> None:
    assert form.fields({"a": 1}, {"a"}, where="x") == {"a": 1}
    for value in ({}, {"a": 1, "b": 2}, ["a"], None):
        with pytest.raises(GateError, match="fields a is due"):
            form.fields(value, {"a"}, where="x")


@pytest.mark.parametrize("value", ["A" * 64, "a" * 63, "a" * 64 + "\n", "０" * 64, None, 1])
def test_a_digest_is_64_digits_of_lower_case_hex(value: object) -> None:
    assert form.is_digest("a" * 64) and not form.is_digest(value)
    with pytest.raises(GateError, match="inputs is no table"):
        form.named_digests({"x": value}, where="x", what="inputs")
