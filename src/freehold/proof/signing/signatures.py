"""One party's signature over a release: an in-toto statement in a DSSE envelope in a Sigstore bundle, with a P-256 key.

The layout is OMS, the OpenSSF Model Signing format, as `model-signing` 1.1 writes and reads it, so that
`model_signing verify key RELEASE --signature … --public_key …` agrees with us. Two differences in what we accept:
its verifier overlooks `.git*` unless told and follows the `ignore_paths` that a signature asks for; here the signed
list is compared with everything in the folder, whatever the signature asks to overlook.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec

from freehold.errors import GateError
from freehold.proof.canonical import canonical_json, load
from freehold.proof.form import fields, is_digest, unbase64
from freehold.proof.locators import Locators
from freehold.proof.locators import parse as parse_locators
from freehold.proof.names import problem
from freehold.proof.signing import dsse
from freehold.proof.signing.dsse import IN_TOTO
from freehold.proof.signing.keys import fingerprint, public_pem
from freehold.proof.statements import STATEMENT_TYPE

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PREDICATE_TYPE = "https://model_signing/signature/v1.0"
SIGNATURES = "evidence/signatures"  # the one folder that a signature does not cover
SUFFIX = ".sigstore.json"
MAX_BUNDLE_BYTES = 4 << 20  # a list of 24,000 files


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A bundle as read, nothing in it believed yet."""

    payload: bytes
    signature: bytes  # ECDSA, DER
    hint: str  # SHA-256 of the public key's PEM: which key the signer claims
    keyid: str  # our fingerprint of the key, or empty


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What was signed: every file of the release outside the signatures' folder."""

    name: str
    files: Mapping[str, str]  # path → SHA-256
    locators: Mapping[str, Locators]  # of the files that locators.json cannot cover: itself and release.json


def payload_of(manifest: Manifest) -> bytes:
    """The in-toto statement over a manifest: one subject whose digest is SHA-256 over the files' digests in order."""
    paths = sorted(manifest.files)
    head = hashlib.sha256(b"".join(bytes.fromhex(manifest.files[path]) for path in paths)).hexdigest()
    resources = [{"name": path, "algorithm": "sha256", "digest": manifest.files[path]} for path in paths]
    serialization = {
        "method": "files",
        "hash_type": "sha256",
        "allow_symlinks": False,
        "ignore_paths": [SIGNATURES],
    }
    predicate = {
        "serialization": serialization,
        "resources": resources,
        "locators": {path: found.as_json() for path, found in manifest.locators.items()},
    }
    subject = [{"name": manifest.name, "digest": {"sha256": head}}]
    return canonical_json(
        {"_type": STATEMENT_TYPE, "subject": subject, "predicateType": PREDICATE_TYPE, "predicate": predicate}
    )


def sign(manifest: Manifest, key: ec.EllipticCurvePrivateKey) -> bytes:
    """The bundle file of one party. Equal manifest and key give equal bytes (RFC 6979)."""
    payload = payload_of(manifest)
    return bundle_bytes(payload=payload, signature=dsse.sign(payload, key), key=key.public_key())


def bundle_bytes(*, payload: bytes, signature: bytes, key: ec.EllipticCurvePublicKey) -> bytes:
    """The Sigstore bundle in the field order and spacing that `model-signing` writes."""
    envelope = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": IN_TOTO,
        "signatures": [{"sig": base64.b64encode(signature).decode(), "keyid": fingerprint(key)}],
    }
    material = {"publicKey": {"hint": hint_of(key)}, "tlogEntries": []}
    return compact({"mediaType": MEDIA_TYPE, "verificationMaterial": material, "dsseEnvelope": envelope})


def compact(value: object) -> bytes:
    """JSON without spaces, fields in their order."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def hint_of(key: ec.EllipticCurvePublicKey) -> str:
    """How OMS bundles name a key: SHA-256, in hex, of its PEM."""
    return hashlib.sha256(public_pem(key)).hexdigest()


def parse(data: bytes, *, where: str) -> Bundle:
    """A bundle from the bytes of its file. Raises GateError at `where`.

    Every byte counts: white space, unknown fields, sloppy base64 and a second signature are refused, because no
    signature would notice a change there.
    """

    def hold(condition: bool, message: str) -> None:
        if not condition:
            raise GateError(message, where=where)

    value = load(data, where=where, max_bytes=MAX_BUNDLE_BYTES)
    hold(compact(value) == data, "the bundle is not written compactly: a byte in it means nothing")
    bundle = fields(value, {"mediaType", "verificationMaterial", "dsseEnvelope"}, where=where)
    hold(bundle["mediaType"] == MEDIA_TYPE, f"not a Sigstore bundle of type {MEDIA_TYPE}")
    material = fields(bundle["verificationMaterial"], {"publicKey", "tlogEntries"}, where=where)
    hold(material["tlogEntries"] == [], "log entries are not read by this version")
    hint = fields(material["publicKey"], {"hint"}, where=where)["hint"]
    envelope = fields(bundle["dsseEnvelope"], {"payload", "payloadType", "signatures"}, where=where)
    hold(envelope["payloadType"] == IN_TOTO, f"the payload is not {IN_TOTO}")
    signatures = envelope["signatures"]
    hold(isinstance(signatures, list) and len(signatures) == 1, "not exactly one signature")
    signature = fields(signatures[0], {"sig", "keyid"}, where=where)
    hold(is_digest(hint), "the key's hint is no SHA-256")
    hold(signature["keyid"] == "" or is_digest(signature["keyid"]), "the key's id is no SHA-256")
    return Bundle(
        payload=unbase64(envelope["payload"], where=where),
        signature=unbase64(signature["sig"], where=where),
        hint=hint,
        keyid=signature["keyid"],
    )


def names_key(bundle: Bundle, key: ec.EllipticCurvePublicKey) -> bool:
    """Whether a bundle claims to be signed by `key`."""
    return bundle.hint == hint_of(key)


def verifies(bundle: Bundle, key: ec.EllipticCurvePublicKey) -> bool:
    """Whether `key` made the bundle's signature, and the bundle says so."""
    if not names_key(bundle, key) or bundle.keyid not in ("", fingerprint(key)):
        return False
    return dsse.signed(bundle.payload, bundle.signature, key)


def manifest_of(bundle: Bundle, *, where: str) -> Manifest:
    """What a bundle's payload lists. Raises GateError if it is no OMS statement over SHA-256 digests of whole files."""

    def hold(condition: bool, message: str) -> None:
        if not condition:
            raise GateError(message, where=where)

    statement = load(bundle.payload, where=where, max_bytes=MAX_BUNDLE_BYTES)
    statement = fields(statement, {"_type", "subject", "predicateType", "predicate"}, where=where)
    hold(statement["_type"] == STATEMENT_TYPE, "the payload is no in-toto Statement v1")
    hold(statement["predicateType"] == PREDICATE_TYPE, f"the payload is no {PREDICATE_TYPE}")
    predicate, subject = statement["predicate"], statement["subject"]
    hold(isinstance(predicate, dict) and isinstance(predicate.get("resources"), list), "the payload lists no files")
    serialization = predicate.get("serialization")
    whole = isinstance(serialization, dict) and serialization.get("method") == "files"
    hold(whole and serialization.get("hash_type") == "sha256", "not signed as SHA-256 of whole files")
    files: dict[str, str] = {}
    for row in predicate["resources"]:
        resource = fields(row, {"name", "algorithm", "digest"}, where=where)
        hold(resource["algorithm"] == "sha256" and is_digest(resource["digest"]), "a digest is no SHA-256")
        hold(isinstance(resource["name"], str) and resource["name"] not in files, "a file is listed twice")
        reason = problem(resource["name"])
        hold(reason is None, f"it lists {resource['name']!r}: {reason}")
        files[resource["name"]] = resource["digest"]
    head = hashlib.sha256(b"".join(map(bytes.fromhex, files.values()))).hexdigest()
    hold(isinstance(subject, list) and len(subject) == 1, "not exactly one subject")
    named = fields(subject[0], {"name", "digest"}, where=where)
    hold(named["digest"] == {"sha256": head} and isinstance(named["name"], str), "its digest is not that of its list")
    found = predicate.get("locators", {})
    hold(isinstance(found, dict), "malformed locators")
    located = {path: parse_locators(value, where=where) for path, value in found.items()}
    return Manifest(name=named["name"], files=files, locators=located)
