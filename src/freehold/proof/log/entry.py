"""One entry of the log of withdrawals: its fields, its one spelling, and who signed it.

DSSE over the canonical entry without its signature; `withdrawals` links entries to a log.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import pairwise

from cryptography.hazmat.primitives.asymmetric import ec

from freehold.errors import GateError
from freehold.proof import canonical, chain
from freehold.proof.canonical import canonical_json
from freehold.proof.form import fields, is_digest, unbase64
from freehold.proof.signing import dsse
from freehold.proof.signing.keys import fingerprint

PAYLOAD_TYPE = "application/vnd.freehold.withdrawal+json"
LEVELS = ("W0", "W1", "W2", "W3", "W4")
KINDS = ("document", "digest", "source", "url", "text")  # what a withdrawal was asked by
DUE = {"W2": {"filter"}, "W4": {"adapter"}}  # digests that an entry of a level must name
ALLOWED = {**DUE, "W3": {"weights"}}
MAX_DOCUMENTS = 50_000  # of one entry
MAX_CHARACTERS = 2_000  # of a text that a person wrote
UNSIGNED = {"number", "level", "asked", "documents", "reason", "by", "date", "evidence", "previous"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """One document that is to go."""

    id: str
    key: str  # hex; its key in the tree of documents (`sparse.key_of_text`): known even when the id changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the log."""

    number: int  # from 1
    level: str
    kind: str  # one of KINDS
    asked: str  # an id, a SHA-256, a source's name, a pattern of URLs; of a text its key
    documents: tuple[Withdrawn, ...]
    reason: str
    by: str  # who asked: a role, not a person
    date: str  # YYYY-MM-DD
    evidence: Mapping[str, str] = field(default_factory=dict)
    # SHA-256 by name. filter: of the file that serving reads (W2); weights: of the model they are to leave (W3);
    # adapter: of the manifest of the adapter that was removed (W4)
    previous: str = chain.GENESIS  # SHA-256 of the line before
    keyid: str = ""  # fingerprint of the key
    signature: bytes = b""  # ECDSA, DER

    def payload(self) -> bytes:
        """What is signed: everything but the signature."""
        return canonical_json(
            {
                "number": self.number,
                "level": self.level,
                "asked": {"kind": self.kind, "value": self.asked},
                "documents": [{"id": one.id, "key": one.key} for one in self.documents],
                "reason": self.reason,
                "by": self.by,
                "date": self.date,
                "evidence": dict(self.evidence),
                "previous": self.previous,
            }
        )

    def line(self) -> bytes:
        """The entry as it stands in the log, without the line feed."""
        signature = {"keyid": self.keyid, "sig": base64.b64encode(self.signature).decode()}
        return canonical_json({**canonical.load(self.payload(), where="entry"), "signature": signature})


def checked(value: object, *, where: str) -> Entry:
    """One line's value as an Entry. Raises GateError if a field is missing, unknown or of the wrong kind."""

    def hold(condition: bool, message: str) -> None:
        if not condition:
            raise GateError(message, where=where)

    found = fields(value, UNSIGNED | {"signature"}, where=where)
    asked = fields(found["asked"], {"kind", "value"}, where=where)
    signature = fields(found["signature"], {"keyid", "sig"}, where=where)
    evidence = found["evidence"]
    hold(type(found["number"]) is int, "the number is none")
    hold(found["level"] in LEVELS, f"the level is none of {', '.join(LEVELS)}")
    hold(asked["kind"] in KINDS, f"asked by none of {', '.join(KINDS)}")
    hold(all(is_text(text) for text in (asked["value"], found["reason"], found["by"])), "a text is missing or too long")
    hold(is_date(found["date"]), "the date is not YYYY-MM-DD")
    hold(is_digest(found["previous"]) and is_digest(signature["keyid"]), "a digest that is none")
    hold(isinstance(evidence, dict) and all(map(is_digest, evidence.values())), "the evidence is no table of SHA-256")
    due, allowed = DUE.get(found["level"], set()), ALLOWED.get(found["level"], set())
    hold(due <= set(evidence) <= allowed, f"the evidence of {found['level']} is {', '.join(sorted(allowed)) or 'none'}")
    return Entry(
        number=found["number"],
        level=found["level"],
        kind=asked["kind"],
        asked=asked["value"],
        documents=documents_of(found["documents"], where=where),
        reason=found["reason"],
        by=found["by"],
        date=found["date"],
        evidence=evidence,
        previous=found["previous"],
        keyid=signature["keyid"],
        signature=unbase64(signature["sig"], where=where),
    )


def documents_of(value: object, *, where: str) -> tuple[Withdrawn, ...]:
    """The documents of an entry. Raises GateError unless they are some, in order, each once, with id and key."""
    if not isinstance(value, list) or not 0 < len(value) <= MAX_DOCUMENTS:
        raise GateError(f"names no documents, or more than {MAX_DOCUMENTS:,}", where=where)
    rows = [fields(row, {"id", "key"}, where=where) for row in value]
    if not all(is_text(row["id"]) and is_digest(row["key"]) for row in rows):
        raise GateError("a document without id or key", where=where)
    if any(one["id"] >= other["id"] for one, other in pairwise(rows)):
        raise GateError("its documents are not in order, or one is named twice", where=where)
    return tuple(Withdrawn(**row) for row in rows)


def is_text(value: object) -> bool:
    """Whether a value is a text that a person may have written."""
    return isinstance(value, str) and bool(value.strip()) and len(value) <= MAX_CHARACTERS


def is_date(value: object) -> bool:
    """Whether a value is a day, YYYY-MM-DD."""
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def signed(entry: Entry, key: ec.EllipticCurvePrivateKey) -> Entry:
    """The entry with the signature of `key`."""
    named = replace(entry, keyid=fingerprint(key.public_key()))
    return replace(named, signature=dsse.sign(named.payload(), key, kind=PAYLOAD_TYPE))


def signed_by(entry: Entry, key: ec.EllipticCurvePublicKey) -> bool:
    """Whether `key` signed the entry, and the entry says so."""
    return entry.keyid == fingerprint(key) and dsse.signed(entry.payload(), entry.signature, key, kind=PAYLOAD_TYPE)
