"""Signatures: the verifier's keys, the verifier's number of them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from freehold.errors import InputError
from freehold.proof import bundle
from freehold.proof.canonical import canonical_json
from freehold.proof.signing import dsse, keys, signatures
from freehold.proof.signing.keys import KeyFiles
from freehold.stages.verify.report import Check
from freehold.stages.verify.run import verify

from .releases import Recipe, build

Pairs = dict[str, KeyFiles]


def public(pairs: Pairs, *names: str) -> list[Path]:
    return [pairs[name].public for name in names]


def first(release: Path, trust: list[Path], **options: int) -> Check:
    return verify(release, trust=trust, **options).checks[0]


def resign(release: Path, pairs: Pairs, party: str, holder: str) -> None:
    """Put a signature by `holder` under the name of `party`."""
    index = bundle.parse_release_json((release / bundle.RELEASE).read_bytes(), where="x")
    data = signatures.sign(bundle.manifest_for(release, index), keys.load_private(pairs[holder].private))
    (release / bundle.signature_path(party)).write_bytes(data)


def test_every_supplied_key_must_have_signed_unless_a_threshold_is_given(sound: Path, pairs: Pairs) -> None:
    assert first(sound, public(pairs, "ministry", "archive")).verdict == "PASS"
    three = public(pairs, "ministry", "archive", "stranger")
    check = first(sound, three)
    assert check.verdict == "FAIL"
    assert "2 of 3 signatures; no signature by stranger.pub" in check.detail
    assert first(sound, three, threshold=2).verdict == "PASS"
    assert first(sound, three, threshold=3).verdict == "FAIL"


def test_a_key_that_is_not_trusted_is_named(sound: Path, pairs: Pairs) -> None:
    check = first(sound, public(pairs, "stranger"))
    assert check.verdict == "FAIL"
    assert pairs["stranger"].fingerprint[:16] in check.detail
    assert pairs["ministry"].fingerprint[:16] in check.detail


def test_a_folder_stands_for_its_public_keys(sound: Path, pairs: Pairs, tmp_path: Path) -> None:
    for name in ("ministry", "archive"):
        shutil.copy(pairs[name].public, tmp_path)
        shutil.copy(pairs[name].private, tmp_path)
    assert first(sound, [tmp_path]).verdict == "PASS"
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no public key"):
        verify(sound, trust=[tmp_path / "empty"])


def test_a_link_to_a_key_is_a_key(sound: Path, pairs: Pairs, tmp_path: Path) -> None:
    (tmp_path / "m.pub").symlink_to(pairs["ministry"].public)
    assert first(sound, [tmp_path / "m.pub", pairs["archive"].public]).verdict == "PASS"


@pytest.mark.parametrize(
    ("threshold", "names"), [(3, ("ministry", "archive")), (2, ("ministry",)), (2, ()), (0, ("ministry",))]
)
def test_more_signatures_than_keys_cannot_be_asked_for(
    sound: Path, pairs: Pairs, threshold: int, names: tuple[str, ...]
) -> None:
    with pytest.raises(InputError, match="cannot come from"):
        verify(sound, trust=public(pairs, *names), threshold=threshold)


def test_a_key_given_twice_does_not_count_twice(sound: Path, pairs: Pairs, tmp_path: Path) -> None:
    copy = Path(shutil.copy(pairs["ministry"].public, tmp_path / "other.pub"))
    with pytest.raises(InputError, match="the same key as"):
        verify(sound, trust=[pairs["ministry"].public, copy])


@pytest.mark.parametrize("data", [b"", b"not a key", None])
def test_a_key_file_that_is_none(sound: Path, tmp_path: Path, data: bytes | None) -> None:
    if data is not None:
        (tmp_path / "k.pub").write_bytes(data)
    with pytest.raises(InputError):
        verify(sound, trust=[tmp_path / "k.pub"])


def test_a_private_key_is_not_trusted(sound: Path, pairs: Pairs) -> None:
    with pytest.raises(InputError, match="private key"):
        verify(sound, trust=[pairs["ministry"].private])


def test_fewer_than_the_release_itself_asks_for_is_incomplete(tmp_path: Path, pairs: Pairs) -> None:
    signers = {name: pairs[name] for name in ("ministry", "archive")}
    release = build(tmp_path / "r", Recipe(threshold=2), signers)
    check = first(release, public(pairs, "ministry"))
    assert check.verdict == "NOT CHECKED"
    assert "--threshold 1" in check.detail
    assert first(release, public(pairs, "ministry"), threshold=1).verdict == "PASS"
    assert first(release, public(pairs, "ministry", "archive")).verdict == "PASS"


def test_a_lower_number_in_the_bundle_helps_nobody(tmp_path: Path, pairs: Pairs) -> None:
    """Whoever holds one of two trusted keys writes 1-of-1 into the policy."""
    release = build(tmp_path / "r", Recipe(threshold=1), {"ministry": pairs["ministry"]})
    check = first(release, public(pairs, "ministry", "archive"))
    assert check.verdict == "FAIL"
    assert "no signature by archive.pub" in check.detail


def swapped(release: Path, pairs: Pairs) -> None:
    names = [release / bundle.signature_path(party) for party in ("ministry", "archive")]
    one, two = (path.read_bytes() for path in names)
    names[0].write_bytes(two)
    names[1].write_bytes(one)


def other_release(release: Path, pairs: Pairs) -> None:
    other = build(
        release.parent / "other", Recipe(extra={"x": b"1"}), {name: pairs[name] for name in ("ministry", "archive")}
    )
    for party in ("ministry", "archive"):
        shutil.copy(other / bundle.signature_path(party), release / bundle.signature_path(party))


def one_of_other_release(release: Path, pairs: Pairs) -> None:
    other = build(release.parent / "other", Recipe(extra={"x": b"1"}), {"ministry": pairs["ministry"]})
    shutil.copy(other / bundle.signature_path("ministry"), release / bundle.signature_path("ministry"))


def unknown_party(release: Path, pairs: Pairs) -> None:
    resign(release, pairs, "nobody", "stranger")


def same_key_twice(release: Path, pairs: Pairs) -> None:
    resign(release, pairs, "archive", "ministry")


def stranger_for_archive(release: Path, pairs: Pairs) -> None:
    resign(release, pairs, "archive", "stranger")


def stranger_claims_archive(release: Path, pairs: Pairs) -> None:
    """The signature is a stranger's; hint and key id say it is the archive's."""
    resign(release, pairs, "archive", "stranger")
    path = release / bundle.signature_path("archive")
    value = json.loads(path.read_bytes())
    key = keys.load_public(pairs["archive"].public)
    value["verificationMaterial"]["publicKey"]["hint"] = signatures.hint_of(key)
    value["dsseEnvelope"]["signatures"][0]["keyid"] = keys.fingerprint(key)
    path.write_bytes(signatures.compact(value))


def emptied(release: Path, pairs: Pairs) -> None:
    (release / bundle.signature_path("archive")).write_bytes(b"")


def removed(release: Path, pairs: Pairs) -> None:
    (release / bundle.signature_path("archive")).unlink()


def everything_signed_anew(release: Path, pairs: Pairs) -> None:
    """A stranger changes the weights, names himself in the policy and signs under both names."""
    (release / "model/model.safetensors").write_bytes(b"other weights")
    shutil.rmtree(release / "evidence/signatures")
    bundle.write_policy(release, parties={"ministry": pairs["stranger"].fingerprint}, threshold=1)
    index = bundle.parse_release_json((release / bundle.RELEASE).read_bytes(), where="x")
    bundle.seal(release, name="tiny", version="0.1.0", licence="Apache-2.0", inputs=index.inputs)
    bundle.sign_bundle(release, party="ministry", key=keys.load_private(pairs["stranger"].private))


def too_many(release: Path, pairs: Pairs) -> None:
    for number in range(70):
        shutil.copy(release / bundle.signature_path("archive"), release / bundle.signature_path(f"p{number}"))


ATTACKS: dict[str, tuple[Callable[[Path, Pairs], None], str]] = {
    "two signatures swapped": (swapped, bundle.signature_path("archive")),
    "signatures of another release": (other_release, ""),
    "one signature of another release": (one_of_other_release, bundle.signature_path("ministry")),
    "a party the policy does not know": (unknown_party, bundle.signature_path("nobody")),
    "one key under two names": (same_key_twice, bundle.signature_path("archive")),
    "a stranger under a party's name": (stranger_for_archive, bundle.signature_path("archive")),
    "a stranger who claims a party's key": (stranger_claims_archive, bundle.signature_path("archive")),
    "an empty signature": (emptied, bundle.signature_path("archive")),
    "a signature removed": (removed, signatures.SIGNATURES),
    "everything signed anew by a stranger": (everything_signed_anew, signatures.SIGNATURES),
    "very many signatures": (too_many, signatures.SIGNATURES),
}


@pytest.mark.parametrize("what", ATTACKS)
def test_swapped_and_foreign_signatures(release: Path, pairs: Pairs, what: str) -> None:
    attack, where = ATTACKS[what]
    attack(release, pairs)
    report = verify(release, trust=public(pairs, "ministry", "archive"))
    assert report.exit_code == 3
    if where:
        assert where in {found.where for found in report.checks[0].findings}
    else:
        assert report.checks[1].verdict == "FAIL", "the files are not what these signatures cover"


@pytest.mark.parametrize(
    "policy",
    [
        {"format": 1, "threshold": 3, "parties": {"ministry": "1" * 64, "archive": "2" * 64}},
        {"format": 1, "threshold": 0, "parties": {"ministry": "1" * 64}},
        {"format": 1, "threshold": 1, "parties": {"ministry": "1" * 64, "archive": "1" * 64}},
        {"format": 1, "threshold": 1, "parties": {"ministry": "1" * 64, "Ministry": "2" * 64}},
        {"format": 1, "threshold": 1, "parties": []},
        {"format": 2, "threshold": 1, "parties": {"ministry": "1" * 64}},
    ],
)
def test_policies_that_cannot_be_met_are_refused_though_they_are_signed(
    release: Path, pairs: Pairs, policy: object
) -> None:
    (release / bundle.POLICY).write_bytes(canonical_json(policy))
    index = bundle.parse_release_json((release / bundle.RELEASE).read_bytes(), where="x")
    bundle.seal(release, name=index.name, version=index.version, licence=index.licence, inputs=index.inputs)
    for party in ("ministry", "archive"):
        resign(release, pairs, party, party)
    report = verify(release, trust=public(pairs, "ministry", "archive"))
    assert report.checks[0].verdict == "FAIL"
    assert bundle.POLICY in report.checks[0].detail
    assert report.checks[1].verdict == "PASS"


def test_a_release_that_model_signing_signed_is_accepted(sound: Path, pairs: Pairs, tmp_path: Path) -> None:
    """Its payload is indented, overlooks .git and names no key id; the file list decides."""
    release = shutil.copytree(sound, tmp_path / "r")
    index = bundle.parse_release_json((release / bundle.RELEASE).read_bytes(), where="x")
    value = json.loads(signatures.payload_of(bundle.manifest_for(release, index)))
    del value["predicate"]["locators"]
    value["predicate"]["serialization"]["ignore_paths"] += [".git", ".gitattributes", "model"]
    payload = json.dumps(value, indent=2).encode()
    private = keys.load_private(pairs["ministry"].private)
    signature = dsse.sign(payload, private)
    data = json.loads(signatures.bundle_bytes(payload=payload, signature=signature, key=private.public_key()))
    data["dsseEnvelope"]["signatures"][0]["keyid"] = ""
    (release / bundle.signature_path("ministry")).write_bytes(signatures.compact(data))
    assert verify(release, trust=public(pairs, "ministry", "archive")).exit_code == 0
    (release / "model/README.md").write_text("changed")
    assert verify(release, trust=public(pairs, "ministry"), threshold=1).exit_code == 3
