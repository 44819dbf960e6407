"""When a signature was really there: what the witnesses that the verifier supplies have seen, byte for byte."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from freehold.errors import GateError, InputError
from freehold.proof.bundle import MAX_RELEASE_BYTES, PARTY, RELEASE, is_signature
from freehold.proof.digests import Entry, read_bytes, sha256_bytes
from freehold.proof.parties import witness
from freehold.proof.parties.witness import WITNESS_SUFFIX, Testimony
from freehold.proof.signing.envelope import MAX_ENVELOPE_BYTES, instant, signed_by
from freehold.proof.signing.signatures import MAX_BUNDLE_BYTES, SIGNATURES
from freehold.stages.verify.report import Finding, finding
from freehold.stages.verify.trusted import Trusted

MAX_WITNESSES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What trusted witnesses saw of the release as it lies here."""

    first: Mapping[str, datetime] = field(default_factory=dict)  # signature file → the earliest time it was seen
    by: Mapping[str, str] = field(default_factory=dict)  # fingerprint of a witness → what it said, in words
    findings: tuple[Finding, ...] = ()


def witness_of(entry: Entry) -> str | None:
    """Whose testimony this file is, or None if it is none."""
    name = entry.path.removeprefix(f"{SIGNATURES}/")
    who = name.removesuffix(WITNESS_SUFFIX)
    well = is_signature(entry.path) and entry.kind == "file" and who != name and PARTY.fullmatch(who)
    return who if well else None


def seen(release: Path, entries: Sequence[Entry], *, witnesses: Sequence[Trusted]) -> Seen:
    """Read every testimony; believe those of `witnesses`. Each of these must have spoken of this very release."""
    paths = sorted(entry.path for entry in entries if witness_of(entry) is not None)
    if len(paths) > MAX_WITNESSES:
        message = f"{len(paths)} witnesses, at most {MAX_WITNESSES} are read"
        return Seen(findings=(Finding(where=SIGNATURES, message=message),))
    first: dict[str, datetime] = {}
    by: dict[str, str] = {}
    findings: list[Finding] = []
    for path in paths:
        try:
            said = witness.parse(read_bytes(release / path, max_bytes=MAX_ENVELOPE_BYTES), where=path)
            findings += believe(said, release, path=path, witnesses=witnesses, first=first, by=by)
        except (GateError, InputError) as error:
            findings.append(Finding(where=path, message=finding(error).message))
    voices = {one.holder for one in witnesses if one.fingerprint in by}
    for one in witnesses:
        if one.holder == one.fingerprint and one.holder not in voices:
            message = f"no testimony by the witness {one.path.name} ({one.fingerprint[:16]})"
            findings.append(Finding(where=SIGNATURES, message=message))
    return Seen(first=first, by=by, findings=tuple(findings))


def believe(
    said: Testimony,
    release: Path,
    *,
    path: str,
    witnesses: Sequence[Trusted],
    first: dict[str, datetime],
    by: dict[str, str],
) -> list[Finding]:
    """Take up one testimony in `first` and `by`, if a trusted witness gave it; what is wrong with it otherwise."""
    names = [one for one in witnesses if one.fingerprint in said.envelope.signatures]
    findings = []
    for one in names:
        if not signed_by(said.envelope, one.key):
            findings.append(Finding(where=path, message=f"not signed by the witness {one.path.name}"))
        elif one.revoked is not None:
            findings.append(Finding(where=path, message=f"the witness {one.path.name}: its key is {one.note}"))
        elif digest(release, RELEASE) != said.saw[RELEASE]:
            findings.append(Finding(where=path, message=f"the witness {one.path.name} saw another {RELEASE}"))
        else:
            same = [name for name, sha256 in said.saw.items() if is_signature(name) and digest(release, name) == sha256]
            for name in same:
                first[name] = min(said.time, first.get(name, said.time))
            by[one.fingerprint] = f"saw {len(same)} signatures at {instant(said.time)}"
    return findings


def digest(release: Path, path: str) -> str | None:
    """SHA-256 of a small file of the release; None if it is not there as a file of a bearable size."""
    try:
        return sha256_bytes(read_bytes(release / path, max_bytes=max(MAX_RELEASE_BYTES, MAX_BUNDLE_BYTES)))
    except InputError:
        return None
