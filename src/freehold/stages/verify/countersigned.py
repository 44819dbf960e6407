"""Countersignatures in a release: which of them are by a key that the verifier trusts, and what they say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from freehold.errors import GateError
from freehold.proof import replays
from freehold.proof.bundle import CHAINS, RELEASE
from freehold.proof.chain import MAX_CHAIN_BYTES
from freehold.proof.chain import parse as parse_chain
from freehold.proof.digests import read_bytes, walk
from freehold.proof.parties import countersignatures
from freehold.proof.parties.countersignatures import Countersignature, party_at
from freehold.proof.signing.envelope import MAX_ENVELOPE_BYTES, signed_by
from freehold.proof.signing.signatures import SIGNATURES
from freehold.stages.verify.contents import Contents
from freehold.stages.verify.trusted import Trusted

MAX_COUNTERSIGNATURES = 64


def told(contents: Contents, auditors: Sequence[Trusted]) -> str:
    """What trusted parties countersigned, in words; empty where none did.

    Raises GateError for a file that is no countersignature of this release, or is not by the key that it names.
    """
    found = collect(contents)
    valid = {path: one for path, one in found.items() if by_trusted(one, auditors, where=path)}
    if valid:
        lines = segments_by_name(contents)
        for path, one in valid.items():
            covers(one, lines, where=path)
    return "; ".join(f"countersigned by {one.party}: {replays.told(one.outcomes)}" for one in valid.values())


def collect(contents: Contents) -> dict[str, Countersignature]:
    """Every countersignature of the release by its path, its form checked and its subject compared."""
    named = {entry.path: party for entry in walk(contents.release) if (party := party_at(entry.path))}
    if len(named) > MAX_COUNTERSIGNATURES:
        raise GateError(f"{len(named)} countersignatures, at most {MAX_COUNTERSIGNATURES} are read", where=SIGNATURES)
    if not named:
        return {}
    release = contents.required_index().digest
    found = {}
    for path, party in sorted(named.items()):
        one = countersignatures.parse(read_bytes(contents.release / path, max_bytes=MAX_ENVELOPE_BYTES), where=path)
        if one.release != release:
            raise GateError(f"countersigns another release, whose {RELEASE} is {one.release}", where=path)
        if one.party != party:
            raise GateError(f"is by {one.party!r}", where=path)
        found[path] = one
    return found


def by_trusted(one: Countersignature, auditors: Iterable[Trusted], *, where: str) -> bool:
    """Whether a trusted key signed. Raises GateError where it is named but did not."""
    named = [auditor for auditor in auditors if auditor.fingerprint in one.envelope.signatures]
    for auditor in named:
        if not signed_by(one.envelope, auditor.key):
            raise GateError(f"not signed by {auditor.path.name}", where=where)
    return bool(named)


def segments_by_name(contents: Contents) -> Mapping[replays.Name, tuple[int, int]]:
    """First and last step of every segment of the chain."""
    files = [(path, contents.read(path, max_bytes=MAX_CHAIN_BYTES)) for path in CHAINS if path in contents.listed]
    known = replays.numbered(parse_chain(files))
    return {name: (segment.first_step, segment.last_step) for name, segment in known.items()}


def covers(one: Countersignature, known: Mapping[replays.Name, tuple[int, int]], *, where: str) -> None:
    """Raise GateError unless every segment named is one of the chain's."""
    for outcome in one.outcomes:
        if known.get((outcome.stage, outcome.number)) != (outcome.first_step, outcome.last_step):
            raise GateError(f"names a segment {outcome.name} that the chain does not have", where=where)
