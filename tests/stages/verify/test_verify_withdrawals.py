"""Check 10: the log, who signed it, and the evidence of each level; forgeries are signed with a trusted key."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from freehold.errors import InputError
from freehold.proof import bundle, canonical
from freehold.proof.log import consistency, withdrawals
from freehold.proof.log.withdrawals import Entry, Withdrawn
from freehold.proof.log.withdrawn_filter import FilterFile, digest
from freehold.proof.signing import keys
from freehold.proof.signing.keys import KeyFiles
from freehold.proof.tree import sparse
from freehold.stages.verify.asked import Asked
from freehold.stages.verify.report import Check
from freehold.stages.verify.run import verify

from .releases import Recipe, build, tree_of

Forge = Callable[..., Path]
Pairs = dict[str, KeyFiles]
STAYS, GONE, CUT = "The first document.", "A withdrawn document.", "A document that was cut off."
FILTER = FilterFile(widths=(8,), hashes=array("Q", [1, 2, 3])).data()
HELD_FILTER = {bundle.filter_path(digest(FILTER)): FILTER}


def draft(text: str, level: str, **changed: Any) -> Entry:
    one = Withdrawn(id=f"law/{text.split()[1]}", key=sparse.key_of_text(text).hex())
    known = {"kind": "document", "asked": one.id, "reason": "asked", "by": "author", "date": "2026-11-21"}
    return Entry(number=0, level=level, documents=(one,), **known | changed)


W0, W1 = draft(GONE, "W0"), draft(GONE, "W1")
W2 = draft(GONE, "W2", evidence={"filter": digest(FILTER)})
W3 = draft(CUT, "W3")
KEY_OF_CUT = sparse.key_of_text(CUT).hex()
LIGHTER = {
    bundle.TREE: tree_of((STAYS,)),
    bundle.WITHDRAWN_KEYS: canonical.canonical_json([KEY_OF_CUT]),
}
SOUND: dict[str, Any] = {"documents": (STAYS,), "withdrawals": (W0, W1, W2), "extra": HELD_FILTER}
CUT_OFF: dict[str, Any] = {"documents": (STAYS, CUT), "withdrawals": (W3,), "extra": LIGHTER}


def ten(release: Path, *trust: Path, earlier: Path | None = None) -> Check | None:
    report = verify(release, trust=trust, threshold=1 if trust else None, asked=Asked(earlier=earlier))
    return next((check for check in report.checks if check.number == 10), None)


def test_nothing_withdrawn_is_no_check(sound: Path, pairs: Pairs) -> None:
    assert ten(sound, pairs["ministry"].public) is None


@pytest.mark.parametrize("made", [SOUND, CUT_OFF])
def test_a_log_whose_promises_hold(forge: Forge, pairs: Pairs, made: dict[str, Any]) -> None:
    found = ten(forge(**made), pairs["ministry"].public)
    assert found is not None and found.verdict == "PASS", found


def test_without_a_key_the_signatures_are_not_checked(forge: Forge) -> None:
    found = ten(forge(**SOUND))
    assert found is not None and found.verdict == "NOT CHECKED"
    assert "3 entries" in found.detail and "--trust" in found.detail


def test_another_partys_key_alone_cannot_tell(tmp_path: Path, pairs: Pairs) -> None:
    signers = {name: pairs[name] for name in ("ministry", "archive")}
    release = build(tmp_path / "r", Recipe(**SOUND), signers)
    for trust, verdict in (("archive", "NOT CHECKED"), ("ministry", "PASS")):
        found = ten(release, pairs[trust].public)
        assert found is not None and found.verdict == verdict


FORGERIES: dict[str, tuple[dict[str, Any], str]] = {
    "a withdrawn document in the tree": (SOUND | {"documents": (STAYS, GONE)}, "was withdrawn and is in the tree"),
    "a corpus made without the log": (SOUND | {"withdrawn": {"curate": []}}, "curate was made with other withdrawals"),
    "a corpus made with another log": (
        SOUND | {"withdrawn": {"curate": [{"level": "W1", "id": "law/9", "key": "9" * 64}]}},
        "curate was made with other withdrawals",
    ),
    "a model made without the log": (CUT_OFF | {"withdrawn": {"train": []}}, "train was made with other withdrawals"),
    "a stage that acted and no log": (
        {"withdrawn": {"curate": [{"level": "W1", "id": "law/9", "key": "9" * 64}]}},
        "log.jsonl: is not part of the release",
    ),
    "a missing filter": (SOUND | {"extra": {}}, "is not part of the release"),
    "another filter": (
        SOUND | {"extra": {bundle.filter_path(digest(FILTER)): FILTER[:-8] + b"\xff" * 8}},
        "is not the filter that the log names",
    ),
    "a filter under another ending": (
        SOUND | {"extra": HELD_FILTER | {bundle.filter_path(digest(FILTER)).replace(".filter", ".filtre"): FILTER}},
        "a filter that no entry names",
    ),
    "a filter that nobody named": (
        SOUND | {"extra": HELD_FILTER | {bundle.filter_path("a" * 64): FILTER}},
        "a filter that no entry names",
    ),
    "another head": (
        SOUND | {"extra": HELD_FILTER | {bundle.WITHDRAWALS_HEAD: consistency.EMPTY.line()}},
        "is not the head of the log",
    ),
    "a document of W3 left in the tree": (CUT_OFF | {"extra": {}}, "was withdrawn and is in the tree"),
    "more taken out of the tree than was withdrawn": (
        CUT_OFF
        | {
            "extra": LIGHTER
            | {
                bundle.TREE: tree_of(()),
                bundle.WITHDRAWN_KEYS: canonical.canonical_json(sorted([KEY_OF_CUT, sparse.key_of_text(STAYS).hex()])),
            }
        },
        "taken out of the tree, and no entry says so",
    ),
    "another tree than curate's less what was withdrawn": (
        CUT_OFF | {"extra": LIGHTER | {bundle.TREE: tree_of((STAYS, "slipped in"))}},
        "is not curate's tree less what was withdrawn",
    ),
    "keys that are none": (CUT_OFF | {"extra": LIGHTER | {bundle.WITHDRAWN_KEYS: b"{}"}}, "is no list of keys"),
    "weights that came out as before": (
        CUT_OFF
        | {
            "withdrawals": (replace(W3, evidence={"weights": Recipe().checkpoint(Recipe().trained)}),),
            "segments": [
                row | ({"withdrawn": "5" * 64} if row["stage"] == "train" and row["last_step"] else {})
                for row in Recipe().segments
            ],
        },
        "ends with the weights that documents were withdrawn from",
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_signed_with_the_trusted_key_is_caught_here(forge: Forge, pairs: Pairs, name: str) -> None:
    changed, message = FORGERIES[name]
    found = ten(forge(**changed), pairs["ministry"].public)
    assert found is not None and found.verdict == "FAIL", found
    assert message in found.detail


def test_an_entry_by_a_strangers_key_is_caught(forge: Forge, pairs: Pairs, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    withdrawals.append(log, W0, key=keys.load_private(pairs["stranger"].private))
    carried = {bundle.WITHDRAWALS: log.read_bytes(), bundle.WITHDRAWALS_HEAD: head(log)}
    found = ten(forge(extra=carried), pairs["ministry"].public)
    assert found is not None and found.verdict == "FAIL" and "neither trusted nor in the policy" in found.detail
    found = ten(forge(extra=carried), pairs["ministry"].public, pairs["stranger"].public)
    assert found is not None and found.verdict == "PASS"


def test_an_entry_that_was_changed_and_linked_again_is_caught(forge: Forge, pairs: Pairs, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    entry = withdrawals.append(log, W0, key=keys.load_private(pairs["ministry"].private))
    log.write_bytes(replace(entry, reason="another reason").line() + b"\n")
    carried = {bundle.WITHDRAWALS: log.read_bytes(), bundle.WITHDRAWALS_HEAD: head(log)}
    found = ten(forge(extra=carried), pairs["ministry"].public)
    assert found is not None and found.verdict == "FAIL" and "not by the key that it names" in found.detail


def head(log: Path) -> bytes:
    return withdrawals.head(withdrawals.read(log)).line()


def test_a_later_log_begins_with_the_earlier_one(tmp_path: Path, sound: Path, pairs: Pairs) -> None:
    signers, trust = {"ministry": pairs["ministry"]}, pairs["ministry"].public
    first = build(tmp_path / "first", Recipe(**SOUND | {"withdrawals": (W0,), "extra": {}}), signers)
    later = build(tmp_path / "later", Recipe(**SOUND), signers)
    rewritten = build(tmp_path / "rewritten", Recipe(**SOUND | {"withdrawals": (W1, W2)}), signers)
    for earlier in (first, first / bundle.WITHDRAWALS_HEAD, later, sound):
        found = ten(later, trust, earlier=earlier)
        assert found is not None and found.verdict == "PASS", found
    for forged in (rewritten, first, sound):
        found = ten(forged, trust, earlier=later)
        assert found is not None and found.verdict == "FAIL" and "rewritten" in found.detail


@pytest.mark.parametrize("data", [b"", b"{}", b"x" * 9000])
def test_an_earlier_head_that_is_none_is_bad_input(sound: Path, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "head.json").write_bytes(data)
    for place in (tmp_path / "head.json", tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InputError):
            ten(sound, earlier=place)
