"""Whom the verifier trusts: keys given by hand, and what those keys said since of their successors and of themselves.

One holder has one voice, however many keys rotation gave it. A statement counts only if a key that is trusted
already signed it, so a folder of statements may come from anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from freehold.errors import GateError, InputError
from freehold.proof.digests import read_bytes
from freehold.proof.parties import key_statements
from freehold.proof.parties.key_statements import Revocation, Rotation
from freehold.proof.signing import keys
from freehold.proof.signing.envelope import MAX_ENVELOPE_BYTES, instant, signed_by

MAX_STATEMENTS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Trusted:
    """A key that the verifier supplied, or one that such a key named as its successor."""

    path: Path  # of the key that was supplied
    key: ec.EllipticCurvePublicKey
    fingerprint: str
    holder: str  # fingerprint of the key that was supplied: whose voice this is
    chain: tuple[str, ...] = ()  # fingerprints from the supplied key to the one before this
    revoked: Revocation | None = None

    def __str__(self) -> str:
        after = f", by rotation from {' to '.join(name[:16] for name in self.chain)}" if self.chain else ""
        return f"{self.fingerprint[:16]}{after}"

    @property
    def note(self) -> str:
        """What its own statements say of this key; empty where there are none."""
        told = [f"by rotation from {' to '.join(name[:16] for name in self.chain)}"] if self.chain else []
        if self.revoked is not None:
            told.append(f"revoked since {instant(self.revoked.since)}: {self.revoked.reason}")
        return "; ".join(told)


def trusted(paths: Sequence[Path], *, threshold: int | None, statements: Sequence[Path] = ()) -> tuple[Trusted, ...]:
    """The supplied keys with their successors; a folder stands for every *.pub in it.

    Raises InputError for unusable keys, statements that contradict one another, or a threshold that the holders
    cannot reach.
    """
    found: dict[str, Trusted] = {}
    for path in key_files(paths):
        key = keys.load_public(path)
        name = keys.fingerprint(key)
        if other := found.get(name):
            raise InputError(f"the same key as {other.path}", where=str(path), remedy="give each key once")
        found[name] = Trusted(path=path, key=key, fingerprint=name, holder=name)
    rotations, revocations = read_statements(statements)
    found = succeeded(ended(found, revocations), rotations, revocations)
    voices = len({one.holder for one in found.values()})
    if threshold is not None and not 1 <= threshold <= max(voices, 1):
        advice = "give more keys or a lower --threshold"
        raise InputError(f"{threshold} signatures cannot come from {voices} keys", where="--threshold", remedy=advice)
    return tuple(found.values())


def key_files(paths: Sequence[Path]) -> list[Path]:
    """Every key file meant. Raises InputError for a folder without one."""
    files: list[Path] = []
    for path in paths:
        inside = sorted(path.glob(f"*{keys.PUBLIC}")) if path.is_dir() else [path]
        if not inside:
            raise InputError("no public key in this folder", where=str(path), remedy=f"give a *{keys.PUBLIC} file")
        files += inside
    return files


def read_statements(paths: Sequence[Path]) -> tuple[list[Rotation], list[Revocation]]:
    """The statements about keys in files, or in the *.json files of folders. Raises InputError for anything else."""
    files = [file for path in paths for file in (sorted(path.glob("*.json")) if path.is_dir() else [path])]
    if len(files) > MAX_STATEMENTS:
        raise InputError(f"{len(files)} statements, at most {MAX_STATEMENTS} are read", where="--statements")
    rotations, revocations = [], []
    for file in files:
        try:
            said = key_statements.parse(read_bytes(file.resolve(), max_bytes=MAX_ENVELOPE_BYTES), where=str(file))
        except GateError as error:
            advice = "give statements that freehold keys rotate or revoke wrote"
            raise InputError(error.message, where=error.where, remedy=advice) from None
        if isinstance(said, Rotation):
            rotations.append(said)
        else:
            revocations.append(said)
    return rotations, revocations


def ended(found: Mapping[str, Trusted], revocations: Sequence[Revocation]) -> dict[str, Trusted]:
    """The keys, with the earliest revocation that each of them signed."""
    known = dict(found)
    for said in sorted(revocations, key=lambda said: said.since):
        one = known.get(said.key)
        if one is not None and one.revoked is None and signed_by(said.envelope, one.key):
            known[said.key] = replace(one, revoked=said)
    return known


def succeeded(
    found: Mapping[str, Trusted], rotations: Sequence[Rotation], revocations: Sequence[Revocation]
) -> dict[str, Trusted]:
    """The keys and every key that one of them handed over to, directly or not.

    A revoked key hands over to nobody: whoever stole it could have written the rotation, and any date in it. Raises
    InputError where a key handed over to two: one of them is a thief's, and nothing here tells which.
    """
    known, pending = dict(found), list(found)
    while pending:
        one = known[pending.pop(0)]
        heirs = {
            said.new: said for said in rotations if said.old == one.fingerprint and signed_by(said.envelope, one.key)
        }
        if len(heirs) > 1:
            names = " and ".join(name[:16] for name in sorted(heirs))
            advice = "ask the key's owner, and trust the right one by hand"
            raise InputError(
                f"the key {one.fingerprint[:16]} hands over to {names}", where="--statements", remedy=advice
            )
        for name, said in heirs.items():
            if one.revoked is not None or name in one.chain or name == one.holder:
                continue
            chain = (*one.chain, one.fingerprint)
            path = known[name].path if name in known else one.path
            known[name] = Trusted(path=path, key=said.key, fingerprint=name, holder=one.holder, chain=chain)
            known = ended(known, revocations)
            pending.append(name)
    return known
