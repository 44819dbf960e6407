"""Signatures: DSSE, the bundle's one spelling, and agreement with model-signing."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.errors import GateError
from freehold.proof.locators import Locators
from freehold.proof.signing import dsse, keys, signatures
from freehold.proof.signing.signature_damage import changed_byte
from freehold.proof.signing.signatures import Manifest

GOLDEN = Path(__file__).parent / "golden"
KEY = ec.derive_private_key(0xF00D, ec.SECP256R1())
OTHER = ec.derive_private_key(0xBEEF, ec.SECP256R1())
MANIFEST = Manifest(
    name="tiny-1",
    files={"model/b": "b" * 64, "model/a.bin": "a" * 64, "model/a/x": "c" * 64},
    locators={"evidence/release.json": Locators(chunk_bytes=32768, adler32="00620062")},
)
BUNDLE = signatures.sign(MANIFEST, KEY)


def test_pre_authentication_encoding() -> None:
    """The protocol's own example has another payload type; the layout is the same."""
    assert dsse.pae(b"hello world") == b"DSSEv1 28 application/vnd.in-toto+json 11 hello world"


def test_sign_and_verify() -> None:
    bundle = signatures.parse(BUNDLE, where="x")
    assert signatures.verifies(bundle, KEY.public_key())
    assert not signatures.verifies(bundle, OTHER.public_key())
    assert signatures.manifest_of(bundle, where="x") == MANIFEST
    assert signatures.sign(MANIFEST, KEY) == BUNDLE, "a rerun gives the same bytes"


def test_the_subject_is_the_digest_of_the_list() -> None:
    payload = json.loads(signatures.payload_of(MANIFEST))
    rows = payload["predicate"]["resources"]
    assert [row["name"] for row in rows] == ["model/a.bin", "model/a/x", "model/b"]
    head = hashlib.sha256(bytes.fromhex("a" * 64 + "c" * 64 + "b" * 64)).hexdigest()
    assert payload["subject"] == [{"name": "tiny-1", "digest": {"sha256": head}}]


def test_we_verify_what_model_signing_signed() -> None:
    """Made by `model_signing sign key` 1.1.1 over a folder of three files."""
    bundle = signatures.parse((GOLDEN / "model-signing.sigstore.json").read_bytes(), where="x")
    key = keys.load_public(GOLDEN / "model-signing.pub")
    assert signatures.verifies(bundle, key)
    assert not signatures.verifies(bundle, KEY.public_key())
    assert signatures.manifest_of(bundle, where="x").files == {
        "README.md": hashlib.sha256(b"# card\n").hexdigest(),
        "model/config.json": hashlib.sha256(b"{}").hexdigest(),
        "model/model.safetensors": hashlib.sha256(b"weights\n").hexdigest(),
    }


@pytest.mark.parametrize("data", [BUNDLE, (GOLDEN / "model-signing.sigstore.json").read_bytes()])
def test_no_byte_of_a_bundle_is_free(data: bytes) -> None:
    """A bit of every byte: the bundle no longer parses, or no longer verifies."""
    key = KEY.public_key() if data == BUNDLE else keys.load_public(GOLDEN / "model-signing.pub")
    for offset in range(len(data)):
        found = data[:offset] + bytes([data[offset] ^ 1 << offset % 8]) + data[offset + 1 :]
        try:
            held = signatures.verifies(signatures.parse(found, where="x"), key)
        except GateError:
            continue
        assert not held, offset


def rewritten(change: Any) -> bytes:
    value = json.loads(BUNDLE)
    change(value)
    return json.dumps(value, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    "data",
    [
        json.dumps(json.loads(BUNDLE)).encode(),
        BUNDLE + b"\n",
        b" " + BUNDLE,
        BUNDLE.replace(b'"keyid"', b'"key\\u0069d"'),
        BUNDLE.replace(b'"mediaType"', b'"mediaType":"","mediaType"'),
        rewritten(lambda value: value.update(extra=1)),
        rewritten(lambda value: value.update(mediaType="application/json")),
        rewritten(lambda value: value["dsseEnvelope"].update(payloadType="text/plain")),
        rewritten(lambda value: value["dsseEnvelope"]["signatures"].clear()),
        rewritten(lambda value: value["dsseEnvelope"]["signatures"].append(value["dsseEnvelope"]["signatures"][0])),
        rewritten(lambda value: value["dsseEnvelope"].update(payload="e30")),
        rewritten(lambda value: value["dsseEnvelope"].update(payload="e31=")),
        rewritten(lambda value: value["dsseEnvelope"].update(payload=5)),
        rewritten(lambda value: value["verificationMaterial"]["publicKey"].update(hint=None)),
        rewritten(lambda value: value["verificationMaterial"].update(tlogEntries=[{}])),
        b"[]",
        b"{}",
    ],
)
def test_other_spellings_and_other_bundles_are_refused(data: bytes) -> None:
    with pytest.raises(GateError):
        signatures.parse(data, where="x")


def payload(change: Any) -> bytes:
    value = json.loads(signatures.payload_of(MANIFEST))
    change(value)
    return json.dumps(value).encode()


def row(name: Any = "x", digest: Any = "d" * 64, algorithm: Any = "sha256") -> dict[str, Any]:
    return {"name": name, "digest": digest, "algorithm": algorithm}


@pytest.mark.parametrize(
    "data",
    [
        payload(lambda value: value.update(_type="x")),
        payload(lambda value: value.update(predicateType="x")),
        payload(lambda value: value["predicate"]["resources"].append(row())),
        payload(lambda value: value["predicate"]["resources"].append(row("model/b"))),
        payload(lambda value: value["predicate"]["resources"].append(row("../x"))),
        payload(lambda value: value["predicate"]["resources"].append(row(5))),
        payload(lambda value: value["predicate"]["resources"].append(row(algorithm="md5"))),
        payload(lambda value: value["predicate"]["resources"].append(None)),
        payload(lambda value: value["predicate"]["resources"].reverse()),
        payload(lambda value: value["predicate"].update(resources=None)),
        payload(lambda value: value["predicate"]["serialization"].update(method="shards")),
        payload(lambda value: value["predicate"]["serialization"].pop("hash_type")),
        payload(lambda value: value["predicate"].update(locators=[])),
        payload(lambda value: value["predicate"].update(locators={"a": 1})),
        payload(lambda value: value["subject"].clear()),
        payload(lambda value: value["subject"][0].update(name=5)),
        payload(lambda value: value.update(subject=[None])),
        b"[]",
        b"{}",
    ],
)
def test_signed_nonsense_is_refused(data: bytes) -> None:
    """The signature over it is good: what it says is not."""
    bundle = signatures.Bundle(payload=data, signature=b"", hint="", keyid="")
    with pytest.raises(GateError):
        signatures.manifest_of(bundle, where="x")


@given(st.integers(0, len(BUNDLE) - 1), st.integers(1, 255))
@settings(deadline=None)
def test_the_changed_byte_of_a_bundle_is_named(offset: int, change: int) -> None:
    start = BUNDLE.index(b'"sig":"') + 7
    if start + 8 < offset < len(BUNDLE) - 80:
        offset = start - 8  # the signature's own digits are searched, which takes half a second: tested once below
    found = BUNDLE[:offset] + bytes([BUNDLE[offset] ^ change]) + BUNDLE[offset + 1 :]
    located = changed_byte(found, MANIFEST, key=KEY.public_key())
    assert located is not None
    assert (located.offset, located.was, located.found) == (offset, BUNDLE[offset], found[offset])


def test_the_changed_byte_of_the_signature_itself_is_found_by_search() -> None:
    offset = BUNDLE.index(b'"sig":"') + 60
    for value in (BUNDLE[offset] ^ 1, 0):
        found = BUNDLE[:offset] + bytes([value]) + BUNDLE[offset + 1 :]
        located = changed_byte(found, MANIFEST, key=KEY.public_key())
        assert located is not None
        assert (located.offset, located.was) == (offset, BUNDLE[offset])


@pytest.mark.parametrize("data", [b"", b"{}", BUNDLE[:-1], BUNDLE + b"x", signatures.sign(MANIFEST, OTHER)])
def test_what_is_not_one_changed_byte_is_not_explained(data: bytes) -> None:
    assert changed_byte(data, MANIFEST, key=KEY.public_key()) is None
