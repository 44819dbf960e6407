"""What a key says of itself: that another takes its place, or that it counts no more.

A rotation names old and new key and is signed by both: the old one hands over, the new one shows that somebody
holds it. A revocation is signed by the key it revokes, so whoever holds a stolen key can end it and do nothing
else with that. Dates are what the signer wrote; only a witness can tell when something was really there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from freehold.errors import GateError, InputError
from freehold.proof.form import fields, is_digest
from freehold.proof.signing import envelope
from freehold.proof.signing.keys import fingerprint, public_pem

ROTATION = "https://freehold/key-rotation/v1"
REVOCATION = "https://freehold/key-revocation/v1"
MAX_REASON = 500  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """`old` says that `new` speaks in its place from now on; the new key signed it, the old one is still to show."""

    old: str  # fingerprint
    new: str
    key: ec.EllipticCurvePublicKey  # the new one
    date: datetime  # as the signers wrote it
    envelope: envelope.Envelope


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """`key` says that nothing it signed since `since` counts."""

    key: str  # fingerprint
    since: datetime  # as the signer wrote it
    reason: str
    envelope: envelope.Envelope


def rotate(*, old: ec.EllipticCurvePrivateKey, new: ec.EllipticCurvePrivateKey, date: datetime) -> bytes:
    """The file by which `old` hands over to `new`. Raises InputError if they are the same."""
    names = [fingerprint(key.public_key()) for key in (old, new)]
    if names[0] == names[1]:
        raise InputError("a key cannot take its own place", remedy="make a new one with freehold keys new")
    predicate = {
        "old": names[0],
        "new": names[1],
        "key": public_pem(new.public_key()).decode(),
        "date": envelope.instant(date),
    }
    return envelope.sign(ROTATION, subject={"key": names[1]}, predicate=predicate, keys=[old, new])


def revoke(key: ec.EllipticCurvePrivateKey, *, reason: str, since: datetime) -> bytes:
    """The file by which `key` withdraws what it signed since `since`. Raises InputError for an empty or long reason."""
    if not reason.strip() or len(reason) > MAX_REASON:
        raise InputError(f"a reason of 1 to {MAX_REASON} characters is due", where="--reason")
    name = fingerprint(key.public_key())
    predicate = {"key": name, "reason": reason, "since": envelope.instant(since)}
    return envelope.sign(REVOCATION, subject={"key": name}, predicate=predicate, keys=[key])


def parse(data: bytes, *, where: str) -> Rotation | Revocation:
    """A statement about keys, its form checked. Raises GateError: another kind, a key that is none, no own signature.

    Whether the old key of a rotation, or the revoked key, signed it is for those to check who hold that key.
    """
    found = envelope.parse(data, where=where)
    if found.kind == ROTATION:
        return rotation_of(found, where=where)
    if found.kind == REVOCATION:
        return revocation_of(found, where=where)
    raise GateError(f"a statement of type {found.kind}, which says nothing about keys", where=where)


def rotation_of(found: envelope.Envelope, *, where: str) -> Rotation:
    """A rotation that its new key signed. Raises GateError otherwise."""
    said = fields(found.predicate, {"old", "new", "key", "date"}, where=where)
    try:
        key = serialization.load_pem_public_key(str(said["key"]).encode())
    except (ValueError, UnsupportedAlgorithm):
        raise GateError("the new key is none that we read", where=where) from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise GateError("the new key is no P-256 key", where=where)
    if public_pem(key).decode() != said["key"] or fingerprint(key) != said["new"] or not is_digest(said["old"]):
        raise GateError("the keys are not those that it names", where=where)
    if said["old"] == said["new"] or dict(found.subject) != {"key": said["new"]}:
        raise GateError("its subject is not the new key", where=where)
    if not envelope.signed_by(found, key):
        raise GateError("the new key did not sign it", where=where)
    date = envelope.parse_instant(said["date"], where=where)
    return Rotation(old=said["old"], new=said["new"], key=key, date=date, envelope=found)


def revocation_of(found: envelope.Envelope, *, where: str) -> Revocation:
    """A revocation. Raises GateError if it is malformed."""
    said = fields(found.predicate, {"key", "reason", "since"}, where=where)
    reason = said["reason"]
    if not isinstance(reason, str) or not 0 < len(reason) <= MAX_REASON:
        raise GateError("it gives no reason", where=where)
    if not is_digest(said["key"]) or dict(found.subject) != {"key": said["key"]}:
        raise GateError("its subject is not the revoked key", where=where)
    since = envelope.parse_instant(said["since"], where=where)
    return Revocation(key=said["key"], since=since, reason=reason, envelope=found)
