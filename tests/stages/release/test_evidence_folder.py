"""Who signs, with which key; and what the evidence folder tells."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from freehold.errors import InputError
from freehold.proof import keys
from freehold.stages.release.evidence import lock, signer_of, slug
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
    assert slug(name) == party


def test_the_lock_is_one_that_pip_reads_and_names_no_machine() -> None:
    lines = lock().splitlines()
    assert lines[0].startswith("# Python 3.")
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==\S+", line) for line in lines[1:])


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
