"""Countersignatures: a second party's word that it computed segments of a release's training again.

A signed statement about release.json (see `envelope`). It lies beside the signatures, in the one folder they do not
cover, for it is made when everything else is sealed: `evidence/signatures/PARTY.replay.json`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from freehold.errors import GateError
from freehold.proof.bundle import PARTY, RELEASE
from freehold.proof.form import fields
from freehold.proof.replays import EQUAL, NEAR, TOLERANCE, Outcome
from freehold.proof.signing import envelope
from freehold.proof.signing.envelope import Envelope
from freehold.proof.signing.signatures import SIGNATURES

REPLAY = "https://freehold/replay/v1"
REPLAY_SUFFIX = ".replay.json"
ROW = {"stage": str, "number": int, "first_step": int, "last_step": int, "began": int, "result": str}


@dataclass(frozen=True, slots=True, kw_only=True)
class Countersignature:
    """One party's statement, its form checked and nothing in it believed yet."""

    party: str
    release: str  # SHA-256 of evidence/release.json
    outcomes: tuple[Outcome, ...]
    stack: Mapping[str, str]
    time: datetime
    envelope: Envelope


def replay_path(party: str) -> str:
    """Where a party's countersignature stands in a release."""
    return f"{SIGNATURES}/{party}{REPLAY_SUFFIX}"


def party_at(path: str) -> str | None:
    """Whose countersignature stands at a path; None for any other path.

    >>> party_at("evidence/signatures/archive.replay.json"), party_at("evidence/signatures/a/b.replay.json")
    ('archive', None)
    """
    party = path.removeprefix(f"{SIGNATURES}/").removesuffix(REPLAY_SUFFIX)
    return party if PARTY.fullmatch(party) and path == replay_path(party) else None


def sign(
    *,
    party: str,
    release: str,
    outcomes: Sequence[Outcome],
    stack: Mapping[str, str],
    time: datetime,
    key: ec.EllipticCurvePrivateKey,
) -> bytes:
    """The file of one party over a release, by the SHA-256 of its release.json."""
    predicate = {
        "party": party,
        "segments": [asdict(outcome) for outcome in outcomes],
        "stack": dict(stack),
        "time": envelope.instant(time),
    }
    return envelope.sign(REPLAY, subject={RELEASE: release}, predicate=predicate, keys=[key])


def parse(data: bytes, *, where: str) -> Countersignature:
    """A countersignature from the bytes of its file. Raises GateError at `where` for anything else."""
    found = envelope.parse(data, where=where)
    if found.kind != REPLAY or set(found.subject) != {RELEASE}:
        raise GateError(f"no statement of type {REPLAY} about {RELEASE}", where=where)
    said = fields(found.predicate, {"party", "segments", "stack", "time"}, where=where)
    stack, rows = said["stack"], said["segments"]
    if not isinstance(stack, dict) or not all(isinstance(value, str) for value in stack.values()):
        raise GateError("its stack is no table of texts", where=where)
    if not isinstance(said["party"], str) or not isinstance(rows, list) or not rows:
        raise GateError("it names no party or no segments", where=where)
    return Countersignature(
        party=said["party"],
        release=found.subject[RELEASE],
        outcomes=tuple(outcome_of(row, where=where) for row in rows),
        stack=stack,
        time=envelope.parse_instant(said["time"], where=where),
        envelope=found,
    )


def outcome_of(value: object, *, where: str) -> Outcome:
    """One segment of a countersignature. Raises GateError if a field is missing, unknown or of the wrong kind."""
    row: dict[str, Any] = fields(value, {*ROW, "distance"}, where=where)
    if wrong := [name for name, kind in ROW.items() if type(row[name]) is not kind]:
        raise GateError(f"{wrong[0]} of a segment is {row[wrong[0]]!r}", where=where)
    near = row["result"] == NEAR and type(row["distance"]) in (int, float) and 0 <= row["distance"] <= TOLERANCE
    if not near and not (row["result"] == EQUAL and row["distance"] is None):
        raise GateError("a segment that is neither equal nor within the tolerance", where=where)
    return Outcome(**row)
