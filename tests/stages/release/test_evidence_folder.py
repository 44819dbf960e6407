"""Who signs, with which key; and what the evidence folder tells."""

from __future__ import annotations

import json
import re
from importlib import metadata
from pathlib import Path

import pytest

from freehold.errors import InputError
from freehold.proof.signing import keys
from freehold.proof.signing.publisher import party_of
from freehold.stages.release.evidence import licence_of, lock, signer_of
from freehold.stages.release.languages import KNOWN, english_name, short_code
from freehold.store.workspace import Sealed


def test_the_only_key_signs_whatever_its_name(shop) -> None:
    pair = keys.new_pair(shop.workspace.folder / "keys", "ministry")
    signer = signer_of(shop.stage())
    assert (signer.party, signer.fingerprint) == ("amt-fur-sprache", pair.fingerprint)


def test_of_several_keys_the_one_with_the_party_s_name_signs(shop) -> None:
    keys.new_pair(shop.workspace.folder / "keys", "aaa")
    pair = keys.new_pair(shop.workspace.folder / "keys", "amt-fur-sprache")
    assert signer_of(shop.stage()).fingerprint == pair.fingerprint


def test_several_keys_without_the_party_s_name_are_refused(shop) -> None:
    for name in ("aaa", "bbb"):
        keys.new_pair(shop.workspace.folder / "keys", name)
    with pytest.raises(InputError, match=r"several keys \(aaa\.key, bbb\.key\), none of them amt-fur-sprache\.key"):
        signer_of(shop.stage())


def test_a_public_half_that_a_kill_prevented_is_written_again(shop) -> None:
    pair = keys.new_pair(shop.workspace.folder / "keys", "amt-fur-sprache")
    before = pair.public.read_bytes()
    pair.public.unlink()
    signer_of(shop.stage())
    assert pair.public.read_bytes() == before


def test_a_key_file_that_is_none_is_named(shop) -> None:
    folder: Path = shop.workspace.folder / "keys"
    folder.mkdir()
    (folder / "amt-fur-sprache.key").write_bytes(b"")
    with pytest.raises(InputError, match=r"amt-fur-sprache\.key"):
        signer_of(shop.stage())


@pytest.mark.parametrize(
    ("name", "party"),
    [
        ("Tiny Town", "tiny-town"),
        ("Amt für Sprache", "amt-fur-sprache"),
        ("国立国会図書館", "publisher"),
        ("x" * 99, "x" * 64),
    ],
)
def test_a_party_s_name_can_stand_in_a_file_name(name: str, party: str) -> None:
    assert party_of(name) == party


def test_the_lock_is_what_training_attests_with_licences_where_they_are_known() -> None:
    here = metadata.version("ruff")
    packages = {"ruff": here, "Zope": "9.9", "absent": "1"}
    lines = lock({"python": "3.11.7", "system": "Linux", "processor": "abacus", "packages": packages}).splitlines()
    assert lines[0] == "# Python 3.11.7, Linux, abacus"
    assert lines[1:] == ["absent==1", f"ruff=={here}  # SPDX-License-Identifier: MIT", "Zope==9.9"]


def test_a_licence_of_another_version_is_not_told() -> None:
    assert licence_of("ruff", "0.0.0") is None
    assert licence_of("no-such-package", "1") is None


def test_law_documents_follow_from_the_evidence_and_name_what_is_missing(released: Sealed) -> None:
    summary = json.loads((released.path / "evidence/law/eu_training_summary.json").read_bytes())
    assert summary["model"] == "commons 0.1.0"
    assert "representative" in summary["gaps"]
    sources = json.loads((released.path / "evidence/bom/ai.cdx.json").read_bytes())["components"]
    assert sum(row["type"] == "data" for row in sources) == 6


def test_the_guide_names_party_and_weights(released: Sealed) -> None:
    guide = (released.path / "evidence" / "README.md").read_text(encoding="utf-8")
    assert "freehold verify RELEASE --trust amt-fur-sprache.pub" in guide
    chain = (released.path / "evidence" / "refine" / "chain.jsonl").read_text()
    weights = re.search(r"model\.safetensors  # ([0-9a-f]{64})", guide)
    assert weights is not None
    assert weights[1] in chain


def test_languages_have_one_name_each() -> None:
    assert len(set(KNOWN.values())) == len({short for short, _ in KNOWN.values()}) == len(KNOWN)
    assert (short_code("deu"), english_name("xyz")) == ("de", "xyz")
