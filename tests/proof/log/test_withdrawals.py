"""The log of withdrawals: what it takes, what it refuses, and that it only grows."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.errors import GateError, InputError
from freehold.proof import chain
from freehold.proof.log import consistency, withdrawals
from freehold.proof.log.entry import UNSIGNED, signed
from freehold.proof.log.withdrawals import Entry, Withdrawn

KEY = ec.derive_private_key(7, ec.SECP256R1())
OTHER = ec.derive_private_key(8, ec.SECP256R1())


def draft(*ids: str, level: str = "W1", **changed: Any) -> Entry:
    documents = tuple(Withdrawn(id=name, key=f"{number:064x}") for number, name in enumerate(ids))
    known = {"kind": "document", "asked": ids[0], "reason": "the author asked", "by": "author", "date": "2026-11-21"}
    return Entry(number=0, level=level, documents=documents, **known | changed)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "withdrawals.jsonl"
    withdrawals.append(path, draft("law/2", "law/1", level="W0"), key=KEY)
    withdrawals.append(path, draft("law/1"), key=KEY)
    withdrawals.append(path, draft("law/1", level="W2", evidence={"filter": "f" * 64}), key=KEY)
    return path


def test_entries_are_numbered_linked_and_signed(log: Path) -> None:
    entries = withdrawals.read(log)
    assert [(entry.number, entry.level) for entry in entries] == [(1, "W0"), (2, "W1"), (3, "W2")]
    assert entries[0].previous == chain.GENESIS
    assert entries[1].previous == chain.line_digest(entries[0].line())
    assert all(withdrawals.signed_by(entry, KEY.public_key()) for entry in entries)
    assert not any(withdrawals.signed_by(entry, OTHER.public_key()) for entry in entries)
    assert not withdrawals.signed_by(replace(entries[0], reason="another"), KEY.public_key())
    assert [one.id for one in entries[0].documents] == ["law/1", "law/2"]


def test_levels_are_asked_one_by_one(log: Path) -> None:
    entries = withdrawals.read(log)
    assert withdrawals.withdrawn(entries, "W0") == {"law/1", "law/2"}
    assert withdrawals.withdrawn(entries, "W1") == {"law/1"}
    assert withdrawals.withdrawn(entries, "W3") == frozenset()
    assert set(withdrawals.levels_of(entries, "law/1")) == {"W0", "W1", "W2"}
    assert withdrawals.levels_of(entries, "law/3") == {}


def test_equal_entries_give_equal_bytes(log: Path, tmp_path: Path) -> None:
    again = tmp_path / "again" / "withdrawals.jsonl"
    for entry in withdrawals.read(log):
        withdrawals.append(again, entry, key=KEY)
    assert again.read_bytes() == log.read_bytes()


def test_its_head_grows_consistently(log: Path) -> None:
    entries = withdrawals.read(log)
    earlier, later = withdrawals.head(entries[:1]), withdrawals.head(entries)
    assert consistency.grew(earlier, later, consistency.prove([entry.line() for entry in entries], 1))
    assert withdrawals.head(()) == consistency.EMPTY


def test_no_file_is_an_empty_log(tmp_path: Path) -> None:
    assert withdrawals.read(tmp_path / "none.jsonl") == () == withdrawals.read(None)
    assert withdrawals.parse(b"", where="log") == ()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda rows: rows[1:], "does not follow"),
        (lambda rows: [rows[0], rows[2]], "does not follow"),
        (lambda rows: [rows[1], rows[0], rows[2]], "does not follow"),
        (lambda rows: [rows[0], rows[1].replace(b"author asked", b"author wished"), rows[2]], "does not follow"),
        (lambda rows: [rows[0].replace(b'"by"', b' "by"'), *rows[1:]], "not written canonically"),
        (lambda rows: [rows[0].replace(b'"W0"', b'"W9"'), *rows[1:]], "the level is none"),
        (lambda rows: [*rows, rows[2]], "does not follow"),
        (lambda rows: [rows[0].replace(b"2026-11-21", b"2026-13-21"), *rows[1:]], "not YYYY-MM-DD"),
        (lambda rows: [rows[0].replace(b'"kind":"document"', b'"kind":"rumour"'), *rows[1:]], "asked by none"),
        (lambda rows: [*rows[:2], rows[2].replace(b"filter", b"sieves")], "evidence of W2"),
        (lambda rows: [rows[0].replace(b'"id":"law/2"', b'"id":"law/0"'), *rows[1:]], "not in order"),
        (lambda rows: [rows[0].replace(b'"number":1', b'"number":true'), *rows[1:]], "number is none"),
        (lambda rows: [*rows[:2], rows[2][:-3]], "no JSON"),
    ],
)  # fmt: skip
def test_a_log_edited_by_hand_is_refused_with_its_line(log: Path, change: Any, reason: str) -> None:
    log.write_bytes(b"".join(row + b"\n" for row in change(log.read_bytes().splitlines())))
    with pytest.raises(InputError, match=reason) as raised:
        withdrawals.append(log, draft("law/3"), key=KEY)
    assert raised.value.where is not None and f"{log}:" in raised.value.where


def test_a_line_that_was_cut_off_is_refused(log: Path) -> None:
    log.write_bytes(log.read_bytes()[:-1])
    with pytest.raises(InputError, match="ends within a line"):
        withdrawals.read(log)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (draft("law/1"), "was withdrawn at W1 before"),
        (draft("law/9", "law/9"), "one is named twice"),
        (draft("law/9", level="W2"), "evidence of W2"),
        (draft("law/9", evidence={"filter": "f" * 64}), "evidence of W1"),
        (draft("law/9", reason=" "), "a text is missing"),
        (draft("law/9", by="x" * 3000), "too long"),
        (draft("law/9", date="21.11.2026"), "not YYYY-MM-DD"),
        (replace(draft("law/9"), documents=()), "names no documents"),
        (replace(draft("law/9"), documents=(Withdrawn(id="law/9", key="short"),)), "without id or key"),
    ],
)
def test_what_is_no_entry_is_never_written(log: Path, wrong: Entry, reason: str) -> None:
    before = log.read_bytes()
    with pytest.raises(InputError, match=reason):
        withdrawals.append(log, wrong, key=KEY)
    assert log.read_bytes() == before
    assert sorted(path.name for path in log.parent.iterdir()) == [log.name]


def test_two_at_once_are_not_taken(log: Path) -> None:
    with (
        withdrawals.alone(log),
        pytest.raises(InputError, match="another withdrawal"),
    ):
        withdrawals.append(log, draft("law/3"), key=KEY)
    withdrawals.append(log, draft("law/3"), key=KEY)


def test_a_killed_call_leaves_the_log_whole(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, sync = log.read_bytes(), os.fsync

    def killed(handle: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", killed)
    with pytest.raises(KeyboardInterrupt):
        withdrawals.append(log, draft("law/3"), key=KEY)
    monkeypatch.setattr(os, "fsync", sync)
    assert log.read_bytes() == before
    assert withdrawals.append(log, draft("law/3"), key=KEY).number == 4


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_changed_byte_survives_parsing_and_the_key(data: st.DataObject) -> None:
    line = signed(replace(draft("law/1"), number=1), KEY).line() + b"\n"
    place = data.draw(st.integers(0, len(line) - 1))
    value = data.draw(st.integers(0, 255).filter(lambda value: value != line[place]))
    changed = line[:place] + bytes([value]) + line[place + 1 :]
    try:
        entries = withdrawals.parse(changed, where="log")
    except GateError:
        return
    assert not all(withdrawals.signed_by(one, KEY.public_key()) for one in entries) or not entries


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_anything_else_is_refused_not_crashed_on(value: Any) -> None:
    for row in ({"number": value}, dict.fromkeys([*UNSIGNED, "signature"], value), value):
        with pytest.raises(GateError):
            withdrawals.parse(json.dumps(row).encode() + b"\n", where="log")
