"""Countersignatures: a second party's word that it computed segments of a release's training again.

An in-toto statement about evidence/release.json in a DSSE envelope, written and read as the signatures of a release
are (same bundle, P-256 keys). It lies beside them, in the one folder that signatures do not cover: it is made when
everything else is sealed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from freehold.errors import GateError
from freehold.proof import signatures
from freehold.proof.bundle import RELEASE
from freehold.proof.canonical import canonical_json, load
from freehold.proof.replays import EQUAL, NEAR, TOLERANCE, Outcome
from freehold.proof.signatures import Bundle, fields, pae
from freehold.proof.statements import STATEMENT_TYPE, is_digest

PREDICATE_TYPE = "https://freehold/replay/v1"
ROW = {"stage": str, "number": int, "first_step": int, "last_step": int, "began": int, "result": str}


@dataclass(frozen=True, slots=True, kw_only=True)
class Countersignature:
    """What a countersignature says, nothing in it believed yet."""

    party: str
    release: str  # SHA-256 of evidence/release.json
    outcomes: tuple[Outcome, ...]
    stack: Mapping[str, str]
    tolerance: float
    bundle: Bundle


def sign(
    *,
    party: str,
    release: str,
    outcomes: Sequence[Outcome],
    stack: Mapping[str, str],
    made: str,
    key: ec.EllipticCurvePrivateKey,
) -> bytes:
    """The file of one party over a release (SHA-256 of its release.json); `made` is an RFC 3339 instant."""
    predicate = {
        "party": party,
        "segments": [asdict(outcome) for outcome in outcomes],
        "stack": dict(stack),
        "tolerance": TOLERANCE,
        "made": made,
    }
    payload = canonical_json(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": RELEASE, "digest": {"sha256": release}}],
            "predicateType": PREDICATE_TYPE,
            "predicate": predicate,
        }
    )
    signature = key.sign(pae(payload), ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    return signatures.bundle_bytes(payload=payload, signature=signature, key=key.public_key())


def parse(data: bytes, *, where: str) -> Countersignature:
    """A countersignature from the bytes of its file. Raises GateError at `where` for anything else."""
    bundle = signatures.parse(data, where=where)
    names = {"_type", "subject", "predicateType", "predicate"}
    statement = fields(load(bundle.payload, where=where), names, where=where)
    if (statement["_type"], statement["predicateType"]) != (STATEMENT_TYPE, PREDICATE_TYPE):
        raise GateError(f"no statement of type {PREDICATE_TYPE}", where=where)
    subject = statement["subject"]
    if not isinstance(subject, list) or len(subject) != 1:
        raise GateError("not exactly one subject", where=where)
    named = fields(subject[0], {"name", "digest"}, where=where)
    digest = fields(named["digest"], {"sha256"}, where=where)["sha256"]
    if named["name"] != RELEASE or not is_digest(digest):
        raise GateError(f"its subject is not {RELEASE}", where=where)
    said = fields(statement["predicate"], {"party", "segments", "stack", "tolerance", "made"}, where=where)
    texts = said["stack"].items() if isinstance(said["stack"], dict) else [(0, 0)]
    if not all(isinstance(text, str) for pair in texts for text in pair) or not isinstance(said["party"], str):
        raise GateError("its stack or its party is no text", where=where)
    if type(said["tolerance"]) not in (int, float) or not isinstance(said["made"], str):
        raise GateError("its tolerance or its time is of the wrong kind", where=where)
    if not isinstance(said["segments"], list) or not said["segments"]:
        raise GateError("it names no segments", where=where)
    return Countersignature(
        party=said["party"],
        release=digest,
        outcomes=tuple(outcome_of(row, where=where) for row in said["segments"]),
        stack=said["stack"],
        tolerance=said["tolerance"],
        bundle=bundle,
    )


def outcome_of(value: object, *, where: str) -> Outcome:
    """One segment of a countersignature. Raises GateError if a field is missing, unknown or of the wrong kind."""
    row: dict[str, Any] = fields(value, {*ROW, "distance"}, where=where)
    if wrong := [name for name, kind in ROW.items() if type(row[name]) is not kind]:
        raise GateError(f"{wrong[0]} of a segment is {row[wrong[0]]!r}", where=where)
    near = row["result"] == NEAR and type(row["distance"]) in (int, float) and 0 <= row["distance"] <= TOLERANCE
    if not near and not (row["result"] == EQUAL and row["distance"] is None):
        raise GateError("a segment that neither is equal nor within the tolerance", where=where)
    return Outcome(**row)
