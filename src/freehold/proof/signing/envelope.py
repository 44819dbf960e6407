"""A small signed statement: in-toto in a DSSE envelope, by one key or several, as one line of canonical JSON.

What is said in `proof.parties` travels in such files. They are small, stand alone, and
have one spelling, so that equal statements are equal files but for the signatures.

DSSE: https://github.com/secure-systems-lab/dsse/blob/v1.0.2/envelope.md
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from freehold.errors import GateError
from freehold.proof.canonical import load
from freehold.proof.form import fields, is_digest, unbase64
from freehold.proof.signing import dsse
from freehold.proof.signing.dsse import IN_TOTO
from freehold.proof.signing.keys import fingerprint
from freehold.proof.statements import STATEMENT_TYPE
from freehold.records import canonical_json

MAX_ENVELOPE_BYTES = 1 << 18
MAX_SIGNATURES = 8
INSTANT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """An envelope as read, nothing in it believed yet."""

    kind: str  # predicate type
    subject: Mapping[str, str]  # name → SHA-256
    predicate: Mapping[str, Any]
    payload: bytes
    signatures: Mapping[str, bytes]  # fingerprint of the key it claims → ECDSA, DER


def sign(
    kind: str, *, subject: Mapping[str, str], predicate: Mapping[str, Any], keys: Sequence[ec.EllipticCurvePrivateKey]
) -> bytes:
    """The file of a statement, signed by every key. Equal statement and keys give equal bytes (RFC 6979)."""
    named = [{"name": name, "digest": {"sha256": digest}} for name, digest in sorted(subject.items())]
    payload = canonical_json(
        {"_type": STATEMENT_TYPE, "subject": named, "predicateType": kind, "predicate": dict(predicate)}
    )
    made = {fingerprint(key.public_key()): dsse.sign(payload, key) for key in keys}
    signatures = [{"keyid": name, "sig": base64.b64encode(made[name]).decode()} for name in sorted(made)]
    envelope = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": IN_TOTO,
        "signatures": signatures,
    }
    return canonical_json(envelope) + b"\n"


def parse(data: bytes, *, where: str) -> Envelope:
    """An envelope from the bytes of its file. Raises GateError at `where` for anything but the one spelling."""

    def hold(condition: bool, message: str) -> None:
        if not condition:
            raise GateError(message, where=where)

    value = load(data, where=where, max_bytes=MAX_ENVELOPE_BYTES)
    envelope = fields(value, {"payload", "payloadType", "signatures"}, where=where)
    hold(canonical_json(value) + b"\n" == data, "it is not one line of canonical JSON")
    hold(envelope["payloadType"] == IN_TOTO, f"the payload is not {IN_TOTO}")
    rows = envelope["signatures"]
    hold(isinstance(rows, list) and 1 <= len(rows) <= MAX_SIGNATURES, f"not one to {MAX_SIGNATURES} signatures")
    signatures = {}
    for row in rows:
        signature = fields(row, {"keyid", "sig"}, where=where)
        hold(is_digest(signature["keyid"]), "a key's id is no SHA-256")
        hold(signature["keyid"] not in signatures, "one key signs twice")
        signatures[signature["keyid"]] = unbase64(signature["sig"], where=where)
    payload = unbase64(envelope["payload"], where=where)
    statement = load(payload, where=where, max_bytes=MAX_ENVELOPE_BYTES)
    statement = fields(statement, {"_type", "subject", "predicateType", "predicate"}, where=where)
    hold(canonical_json(statement) == payload, "the payload is no canonical JSON")
    hold(statement["_type"] == STATEMENT_TYPE, "the payload is no in-toto Statement v1")
    kind, predicate = statement["predicateType"], statement["predicate"]
    hold(isinstance(kind, str) and isinstance(predicate, dict), "the statement says nothing")
    subject = subject_of(statement["subject"], where=where)
    return Envelope(kind=kind, subject=subject, predicate=predicate, payload=payload, signatures=signatures)


def subject_of(value: object, *, where: str) -> dict[str, str]:
    """{name: SHA-256} of a statement's subject. Raises GateError if it is malformed or names something twice."""
    found: dict[str, str] = {}
    for row in value if isinstance(value, list) else []:
        named = fields(row, {"name", "digest"}, where=where)
        name, digest = named["name"], fields(named["digest"], {"sha256"}, where=where)["sha256"]
        if not isinstance(name, str) or name in found or not is_digest(digest):
            raise GateError("a subject without a name or a digest of its own", where=where)
        found[name] = digest
    if not found:
        raise GateError("the statement has no subject", where=where)
    return found


def signed_by(envelope: Envelope, key: ec.EllipticCurvePublicKey) -> bool:
    """Whether `key` signed the envelope."""
    signature = envelope.signatures.get(fingerprint(key))
    return signature is not None and dsse.signed(envelope.payload, signature, key)


def instant(moment: datetime) -> str:
    """RFC 3339 in UTC, to the second: ``2026-11-21T09:30:00Z``."""
    return moment.astimezone(UTC).strftime(INSTANT)


def parse_instant(text: object, *, where: str) -> datetime:
    """The moment that `instant` wrote. Raises GateError for any other spelling."""
    try:
        moment = datetime.strptime(text, INSTANT).replace(tzinfo=UTC) if isinstance(text, str) else None
    except ValueError:
        moment = None
    if moment is None or instant(moment) != text:
        raise GateError(f"{text!r} is no time such as 2026-11-21T09:30:00Z", where=where)
    return moment
