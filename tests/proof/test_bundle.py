"""Building and signing a release folder."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from freehold.errors import GateError, InputError
from freehold.proof import bundle
from freehold.proof.signing import keys
from freehold.proof.signing.keys import KeyFiles


@pytest.fixture
def pair(tmp_path: Path) -> KeyFiles:
    return keys.new_pair(tmp_path / "keys", "ministry")


@pytest.fixture
def folder(tmp_path: Path, pair: KeyFiles) -> Path:
    release = tmp_path / "release"
    (release / "model").mkdir(parents=True)
    (release / "model" / "config.json").write_text("{}")
    bundle.write_policy(release, parties={"ministry": pair.fingerprint}, threshold=1)
    return release


def seal(folder: Path) -> None:
    bundle.seal(folder, name="tiny", version="1", licence="Apache-2.0", inputs={"curate": "c" * 64})


def test_release_json_lists_everything_but_itself_and_the_signatures(folder: Path, pair: KeyFiles) -> None:
    seal(folder)
    first = (folder / bundle.RELEASE).read_bytes()
    bundle.sign_bundle(folder, party="ministry", key=keys.load_private(pair.private))
    seal(folder)
    assert (folder / bundle.RELEASE).read_bytes() == first, "sealing again changes nothing"
    index = bundle.parse_release_json(first, where="x")
    assert sorted(index.files) == ["evidence/locators.json", "evidence/policy.json", "model/config.json"]
    assert index.files["model/config.json"] == {"sha256": hashlib.sha256(b"{}").hexdigest(), "size": 2}
    assert (index.name, index.version, index.inputs) == ("tiny", "1", {"curate": "c" * 64})
    found = bundle.parse_locators_json((folder / bundle.LOCATORS).read_bytes(), where="x")
    assert sorted(found) == ["evidence/policy.json", "model/config.json"]


@pytest.mark.parametrize("what", ["link", "empty folder", "twin", "name"])
def test_what_cannot_be_released_is_named(folder: Path, what: str) -> None:
    model = folder / "model"
    if what == "link":
        (model / "odd").symlink_to("config.json")
    elif what == "empty folder":
        (model / "odd").mkdir()
    elif what == "twin":
        (model / "odd").write_text("")
        (model / "Odd").write_text("")
    else:
        (model / "odd ").write_text("")
    with pytest.raises(InputError, match=r"(?i)odd"):
        seal(folder)


@pytest.mark.parametrize("what", ["changed", "added", "removed", "resized"])
def test_only_what_is_listed_is_signed(folder: Path, pair: KeyFiles, what: str) -> None:
    seal(folder)
    config = folder / "model" / "config.json"
    if what == "added":
        (folder / ".git").mkdir()
        (folder / ".git" / "hook").write_text("x")
    elif what == "removed":
        config.rename(folder / "model" / "other.json")
    else:
        config.write_text("[]" if what == "changed" else "{ }")
    with pytest.raises(InputError, match=r"is not what release\.json lists"):
        bundle.sign_bundle(folder, party="ministry", key=keys.load_private(pair.private))
    assert not (folder / "evidence" / "signatures").exists()


def test_a_party_signs_with_the_key_of_the_policy(folder: Path, pair: KeyFiles, tmp_path: Path) -> None:
    seal(folder)
    other = keys.new_pair(tmp_path / "keys", "other")
    for party, private in (("ministry", other.private), ("archive", pair.private)):
        with pytest.raises(InputError, match="does not give"):
            bundle.sign_bundle(folder, party=party, key=keys.load_private(private))


def test_an_unsealed_folder_is_not_signed(folder: Path, pair: KeyFiles) -> None:
    with pytest.raises(InputError, match="not a sealed release"):
        bundle.sign_bundle(folder, party="ministry", key=keys.load_private(pair.private))


@pytest.mark.parametrize(
    ("parties", "threshold"),
    [
        ({"a": "1" * 64}, 2),
        ({"a": "1" * 64}, 0),
        ({}, 1),
        ({"a": "1" * 64, "b": "1" * 64}, 1),
        ({"a": "1" * 64, "A": "2" * 64}, 1),
        ({"../a": "1" * 64}, 1),
        ({"a": "1"}, 1),
        ({"a": "1" * 64}, True),
    ],
)
def test_a_policy_that_cannot_be_met_is_refused(tmp_path: Path, parties: dict[str, str], threshold: int) -> None:
    with pytest.raises(InputError):
        bundle.write_policy(tmp_path, parties=parties, threshold=threshold)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "x"},
        {"format": 2},
        {"name": ""},
        {"version": 1},
        {"inputs": {"curate": "x"}},
        {"files": []},
        {"files": {"/etc/passwd": {"sha256": "a" * 64, "size": 1}}},
        {"files": {"a/../../b": {"sha256": "a" * 64, "size": 1}}},
        {"files": {"evidence/release.json": {"sha256": "a" * 64, "size": 1}}},
        {"files": {"evidence/signatures/x": {"sha256": "a" * 64, "size": 1}}},
        {"files": {"a": {"sha256": "a" * 64}}},
        {"files": {name: {"sha256": "a" * 64, "size": 1} for name in ("model/a", "Model/A")}},
        {"more": 1},
    ],
)
def test_other_release_files_are_refused(folder: Path, change: dict[str, Any]) -> None:
    seal(folder)
    value = json.loads((folder / bundle.RELEASE).read_bytes()) | change
    with pytest.raises(GateError):
        bundle.parse_release_json(json.dumps(value).encode(), where="x")
