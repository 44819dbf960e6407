"""Statements of stages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from freehold.errors import GateError
from freehold.proof import statements
from freehold.proof.digests import digest_of

MANIFEST = {"a/b.bin": {"sha256": "a" * 64, "size": 3}}


def statement(**changed: Any) -> bytes:
    known: dict[str, Any] = {
        "stage": "curate",
        "format": 1,
        "code": "c" * 64,
        "parameters": {"policy": {"licences": ("CC0-1.0",)}},
        "inputs": {},
        "files": {"laws/x.jsonl": "f" * 64},
        "output": digest_of(MANIFEST),
        "manifest": MANIFEST,
        "figures": {"documents": 2},
        "environment": {"python": "3.11.7"},
        "started": 0.0,
        "finished": 1.5,
    }
    return statements.stage_statement(**known | changed)


def test_it_is_an_in_toto_statement_on_one_line() -> None:
    data = statement()
    assert data.endswith(b"\n")
    assert data.count(b"\n") == 1
    value = json.loads(data)
    assert value["_type"] == "https://in-toto.io/Statement/v1"
    assert value["subject"] == [{"name": "artifact/curate", "digest": {"sha256": digest_of(MANIFEST)}}]
    assert value["predicate"]["finished"] == "1970-01-01T00:00:01.500Z"
    parsed = statements.parse(data.rstrip(), where="x")
    assert (parsed.stage, parsed.output, parsed.manifest) == ("curate", digest_of(MANIFEST), MANIFEST)
    assert parsed.files == {"laws/x.jsonl": "f" * 64}
    assert parsed.parameters == {"policy": {"licences": ["CC0-1.0"]}}


def changed(path: str, value: Any) -> bytes:
    """The statement with one field replaced, or removed for `...`."""
    whole = json.loads(statement())
    inner = whole
    *way, last = path.split(".")
    for key in way:
        inner = inner[int(key) if key.isdigit() else key]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return json.dumps(whole).encode()


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("_type", "https://in-toto.io/Statement/v0.1", "no in-toto Statement v1"),
        ("predicateType", "https://slsa.dev/provenance/v1", "no statement of type"),
        ("predicate.code", ..., "too many or too few"),
        ("predicate.more", 1, "too many or too few"),
        ("more", 1, "too many or too few"),
        ("predicate.stage", "Curate", "no name"),
        ("predicate.stage", "tokenize", "its subject is not artifact/tokenize"),
        ("predicate.stage", None, "no name"),
        ("subject.0.digest", {"sha256": "0" * 64}, "its subject is not"),
        ("subject.0.digest", {"sha1": "0" * 40}, "its subject is not"),
        ("subject", [], "its subject is not"),
        ("predicate.manifest", [], "no table"),
        ("predicate.manifest", {"../x": {"sha256": "a" * 64, "size": 3}}, 'a part of the path is "..'),
        ("predicate.manifest", {"a": {"sha256": "a" * 63, "size": 3}}, "sha256 and size"),
        ("predicate.manifest", {"a": {"sha256": "a" * 64, "size": -1}}, "no size"),
        ("predicate.manifest", {"a": {"sha256": "a" * 64, "size": True}}, "no size"),
        ("predicate.manifest", {"a/b.bin": {"sha256": "b" * 64, "size": 3}}, "its subject is not"),
        ("predicate.inputs", {"curate": "x"}, "inputs is no table"),
        ("predicate.files", ["x"], "files is no table"),
        ("predicate.parameters", None, "parameters"),
        ("predicate", [], "the predicate has"),
    ],
)
def test_anything_else_is_refused(path: str, value: Any, reason: str) -> None:
    with pytest.raises(GateError, match=reason):
        statements.parse(changed(path, value), where="x")


@pytest.mark.parametrize("data", [b"", b"[]", b"1", b'"x"', b"{}", b"null"])
def test_no_statement(data: bytes) -> None:
    with pytest.raises(GateError):
        statements.parse(data, where="x")
