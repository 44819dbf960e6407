"""Decisions of persons on single documents."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.errors import InputError
from freehold.text.overrides import indexed, parse_overrides

GOOD: dict[str, str] = {
    "id": "a",
    "decision": "refuse",
    "ground": "letter of the heirs",
    "by": "J. D.",
    "date": "2026-05-01",
}


def changed(**changes: Any) -> str:
    values: dict[str, Any] = GOOD | changes
    return json.dumps({key: value for key, value in values.items() if value is not None})


def test_the_most_particular_decision_wins() -> None:
    lines = [
        changed(id=None, url="https://www.e.org/"),
        changed(id=None, url="https://e.org/law/", decision="allow"),
        changed(id=None, sha256="0" * 64),
        changed(),
        "",
    ]
    known = indexed(parse_overrides("\ufeff" + "\n".join(lines), where="o.jsonl"))

    def line(identity: str, url: str | None, digest: str = "1") -> int | None:
        found = known.match(identity, url=url, digests=lambda: [digest])
        return found and found.line

    assert line("a", "https://e.org/law/1", "0" * 64) == 4
    assert line("b", "https://e.org/law/1", "0" * 64) == 3
    assert line("b", "http://e.org/law/1") == 2
    assert line("b", "https://e.org/l") == 1
    assert line("b", "https://f.org/") is None
    assert line("b", None) is None


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("{", "Expecting property name"),
        ("[]", "no object"),
        (changed(id=7), "no object of words"),
        (changed(ground=" "), "no object of words"),
        (changed(by=None), "by is missing"),
        (changed(wy="x"), 'unknown key "wy"'),
        (changed(id=None), "names no document"),
        (changed(url="https://e.org/"), "in several ways"),
        (changed(decision="maybe"), "neither"),
        (changed(id=None, sha256="ab"), "64 digits"),
        (changed(id=None, url="/"), "names no host"),
        (changed(date="yesterday"), "isoformat"),
        (changed() + "\n" + changed(), "line 2 decides on the same id"),
    ],
)
def test_faults_are_named_with_their_line(row: str, fault: str) -> None:
    with pytest.raises(InputError, match=fault) as refused:
        parse_overrides("\n" + row, where="o.jsonl")
    assert str(refused.value).startswith("o.jsonl:")


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(InputError):
        assert parse_overrides(text, where="o") == ()
