"""The log of withdrawals: who asked for which documents to go, and what was promised; append-only and signed.

One line an entry, canonical JSON. Each names the line before it by SHA-256 and carries a signature of the
publisher's key (DSSE over the entry without its signature), so no line can be changed, dropped or moved without the
key, and not with the key either where somebody kept an earlier head (`consistency`).

    W0  received            W1  excluded from every future build
    W2  not emitted in serving            W3  not in the weights            W4  its adapter was removed

Levels above W0 are promises of their own, each with evidence of its own; none contains another.
"""

from __future__ import annotations

import base64
import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from freehold.errors import GateError, InputError
from freehold.proof import canonical, chain, consistency
from freehold.proof.canonical import canonical_json
from freehold.proof.consistency import Head
from freehold.proof.digests import read_bytes
from freehold.proof.keys import fingerprint
from freehold.proof.signatures import fields, pae, unbase64
from freehold.proof.statements import is_digest

PAYLOAD_TYPE = "application/vnd.freehold.withdrawal+json"
LEVELS = ("W0", "W1", "W2", "W3", "W4")
KINDS = ("document", "digest", "source", "url", "text")  # what a withdrawal was asked by
DUE = {"W2": {"filter"}, "W4": {"adapter"}}  # digests that an entry of a level must name
ALLOWED = {**DUE, "W3": {"weights"}}
MAX_LOG_BYTES = 16 << 20
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


def parse(data: bytes, *, where: str) -> tuple[Entry, ...]:
    """All entries of a log, every link checked; who signed them is `signed_by`'s to tell.

    Raises GateError with file and line: a line that is not canonical, a wrong number or link, a field of the wrong
    kind, a document that a level names twice, a log that was cut off within a line.
    """
    if data and not data.endswith(b"\n"):
        raise GateError("the log ends within a line", where=where)
    values = canonical.lines(data, where=where, max_bytes=MAX_LOG_BYTES)
    rows = data.removesuffix(b"\n").split(b"\n")
    entries: list[Entry] = []
    previous, seen = chain.GENESIS, set[tuple[str, str]]()
    for number, (value, row) in enumerate(zip(values, rows, strict=False), 1):
        place = f"{where}:{number}"
        entry = checked(value, where=place)
        if entry.line() != row:
            raise GateError("not written canonically: a byte in it means nothing", where=place)
        if (entry.number, entry.previous) != (number, previous):
            raise GateError("does not follow the entry before it", where=place)
        again = [one.id for one in entry.documents if (entry.level, one.id) in seen]
        if again:
            raise GateError(f"{again[0]} was withdrawn at {entry.level} before", where=place)
        seen |= {(entry.level, one.id) for one in entry.documents}
        entries.append(entry)
        previous = chain.line_digest(row)
    return tuple(entries)


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


def read(path: Path | None) -> tuple[Entry, ...]:
    """The log in a file; none where there is no file yet. Raises InputError where it is broken or was edited."""
    if path is None or not path.exists():
        return ()
    try:
        return parse(read_bytes(path, max_bytes=MAX_LOG_BYTES), where=str(path))
    except GateError as error:
        advice = "restore the log from a release or a copy: it is only ever added to, by freehold withdraw"
        raise InputError(
            f"the log of withdrawals is broken: {error.message}", where=error.where, remedy=advice
        ) from None


def append(path: Path, draft: Entry, *, key: ec.EllipticCurvePrivateKey) -> Entry:
    """Add an entry; number, link and signature are filled in. Returns it as it stands in the log.

    The file is replaced in one step and flushed, so a killed call leaves the old log or the new one. Raises
    InputError where the log is broken, another call is at it, or the entry is none that `parse` would take.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with alone(path):
        entries = read(path)
        linked = replace(
            draft,
            number=len(entries) + 1,
            documents=tuple(sorted(draft.documents, key=lambda one: one.id)),
            previous=chain.line_digest(entries[-1].line()) if entries else chain.GENESIS,
            keyid=fingerprint(key.public_key()),
        )
        algorithm = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
        entry = replace(linked, signature=key.sign(signed_bytes(linked), algorithm))
        data = b"".join(one.line() + b"\n" for one in (*entries, entry))
        try:
            parse(data, where=str(path))
        except GateError as error:
            raise InputError(error.message, where=error.where, remedy="correct the withdrawal") from None
        place(path, data)
    return entry


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the log's folder against every other `append`. Raises InputError at once where another holds it."""
    handle = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            advice = "wait for it, then run this again"
            raise InputError("another withdrawal is being written", where=str(path), remedy=advice) from None
        yield
    finally:
        os.close(handle)


def place(path: Path, data: bytes) -> None:
    """Replace a file in one step, flushed to disk with its name."""
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    handle = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def signed_bytes(entry: Entry) -> bytes:
    """What an entry's signature is over."""
    return pae(entry.payload(), kind=PAYLOAD_TYPE)


def signed_by(entry: Entry, key: ec.EllipticCurvePublicKey) -> bool:
    """Whether `key` signed the entry, and the entry says so."""
    if entry.keyid != fingerprint(key):
        return False
    try:
        key.verify(entry.signature, signed_bytes(entry), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def withdrawn(entries: Iterable[Entry], level: str) -> frozenset[str]:
    """Ids of the documents that have an entry of exactly this level."""
    return frozenset(one.id for one in documents(entries, level))


def documents(entries: Iterable[Entry], level: str) -> tuple[Withdrawn, ...]:
    """The documents that have an entry of exactly this level, by id."""
    found = (one for entry in entries if entry.level == level for one in entry.documents)
    return tuple(sorted(found, key=lambda one: one.id))


def levels_of(entries: Iterable[Entry], document: str) -> dict[str, Entry]:
    """What was promised of a document: level → its entry."""
    return {entry.level: entry for entry in entries for one in entry.documents if one.id == document}


def head(entries: Sequence[Entry]) -> Head:
    """The Merkle head over the entries' lines."""
    return consistency.head_of([entry.line() for entry in entries])


def as_json(entry: Entry) -> dict[str, Any]:
    """An entry for people and programs, without its signature's bytes."""
    value: dict[str, Any] = canonical.load(entry.payload(), where="entry")
    return {**value, "signed_by": entry.keyid}
