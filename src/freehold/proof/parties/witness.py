"""What a witness says: at this time, by my clock, release.json and these signatures were there, byte for byte.

A witness vouches for a time and for nothing else. Its file lies beside the signatures, in the one folder they do not
cover: `evidence/signatures/NAME.witness.json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from freehold.errors import GateError, InputError
from freehold.proof.bundle import PARTY, RELEASE, sealed_index
from freehold.proof.digests import opened, sha256_stream
from freehold.proof.form import fields
from freehold.proof.signing import envelope
from freehold.proof.signing.signatures import SIGNATURES, SUFFIX
from freehold.proof.writing import write

WITNESS = "https://freehold/witness/v1"
WITNESS_SUFFIX = ".witness.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Testimony:
    """One witness's statement, its form checked."""

    time: datetime
    saw: Mapping[str, str]  # path → SHA-256: release.json and the signatures that lay there
    envelope: envelope.Envelope


def witness_path(name: str) -> str:
    """Where a witness's statement stands in a release."""
    return f"{SIGNATURES}/{name}{WITNESS_SUFFIX}"


def testify(release: Path, *, name: str, key: ec.EllipticCurvePrivateKey, time: datetime) -> Path:
    """Write what lies in a sealed and signed release at `time`; the file it stands in.

    Raises InputError if the folder is no sealed release, differs from its release.json, bears no signature yet, or
    if the witness has spoken already: what was seen first must stay.
    """
    if not PARTY.fullmatch(name):
        raise InputError(f"{name!r} cannot stand in a file name", where="--party", remedy="use letters and digits")
    target = release / witness_path(name)
    if target.exists() or target.is_symlink():
        raise InputError("this witness has spoken already", where=str(target), remedy="choose another name")
    sealed_index(release)
    signatures = sorted((release / SIGNATURES).glob(f"*{SUFFIX}"))
    if not signatures:
        raise InputError("nobody has signed yet", where=str(release), remedy="freehold sign RELEASE comes first")
    saw = {path.relative_to(release).as_posix(): digest(path) for path in (release / RELEASE, *signatures)}
    predicate = {"time": envelope.instant(time)}
    write(target, envelope.sign(WITNESS, subject=saw, predicate=predicate, keys=[key]))
    return target


def parse(data: bytes, *, where: str) -> Testimony:
    """A witness's statement. Raises GateError if it is none."""
    found = envelope.parse(data, where=where)
    if found.kind != WITNESS or RELEASE not in found.subject:
        raise GateError("no statement of a witness", where=where)
    time = envelope.parse_instant(fields(found.predicate, {"time"}, where=where)["time"], where=where)
    return Testimony(time=time, saw=found.subject, envelope=found)


def digest(path: Path) -> str:
    """SHA-256 of a file of the release. Raises InputError if it cannot be read."""
    with opened(path) as file:
        return sha256_stream(file)[0]
