"""Check 1: enough of the keys that the verifier supplies have signed this release.

Keys and the number of signatures come from the verifier; whatever the bundle says about itself can only make it
fail. Without a threshold every supplied key must have signed: a default read from the bundle would let one stolen
key lower it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from freehold.errors import GateError, InputError
from freehold.proof import keys, signatures
from freehold.proof.bundle import (
    MAX_RELEASE_BYTES,
    PARTY,
    POLICY,
    Policy,
    ReleaseIndex,
    is_signature,
    manifest_for,
    parse_policy,
)
from freehold.proof.digests import Entry, read_bytes
from freehold.proof.signature_damage import changed_byte
from freehold.proof.signatures import MAX_BUNDLE_BYTES, SIGNATURES, SUFFIX, Bundle, Manifest
from freehold.stages.verify.report import SHOWN, Check, Finding, failed, finding

MAX_PARTIES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Trusted:
    """A key that the verifier supplied."""

    path: Path
    key: ec.EllipticCurvePublicKey
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One party's signature file."""

    party: str
    path: str
    bundle: Bundle
    manifest: Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What the signatures say: `manifest` under a supplied key, `claimed` under any or none."""

    check: Check
    manifest: Manifest | None
    claimed: Manifest | None


def trusted(paths: Sequence[Path], *, threshold: int | None) -> tuple[Trusted, ...]:
    """The supplied keys; a folder stands for every *.pub in it. Raises InputError for unusable keys or threshold."""
    files: list[Path] = []
    for path in paths:
        inside = sorted(path.glob(f"*{keys.PUBLIC}")) if path.is_dir() else [path]
        if not inside:
            raise InputError("no public key in this folder", where=str(path), remedy=f"give a *{keys.PUBLIC} file")
        files += inside
    found: dict[str, Trusted] = {}
    for path in files:
        key = keys.load_public(path)
        one = Trusted(path=path, key=key, fingerprint=keys.fingerprint(key))
        if other := found.get(one.fingerprint):
            raise InputError(f"the same key as {other.path}", where=str(path), remedy="give each key once")
        found[one.fingerprint] = one
    if threshold is not None and not 1 <= threshold <= max(len(found), 1):
        advice = "give more keys or a lower --threshold"
        raise InputError(
            f"{threshold} signatures cannot come from {len(found)} keys", where="--threshold", remedy=advice
        )
    return tuple(found.values())


def check(release: Path, entries: Sequence[Entry], *, trust: Sequence[Trusted], threshold: int | None) -> Signed:
    """Judge every signature file in the release."""
    found, findings = collect(release, entries)
    policy: Policy | None = None
    if found or findings:
        try:
            policy = parse_policy(read_bytes(release / POLICY, max_bytes=MAX_RELEASE_BYTES), where=POLICY)
        except (GateError, InputError) as error:
            findings.append(Finding(where=POLICY, message=error.message))
    signers: dict[str, Signature] = {}
    for one in found:
        findings += odd(one, first=found[0], policy=policy)
        for holder in trust:
            if signatures.verifies(one.bundle, holder.key):
                findings += agree(one, holder, policy=policy, earlier=signers.get(holder.fingerprint))
                signers[holder.fingerprint] = one
            elif claims(one, holder, policy=policy):
                findings.append(
                    Finding(where=one.path, message=f"not a signature by {holder.path.name} over this payload")
                )
    valid = next(iter(signers.values())).manifest if signers else None
    claimed = found[0].manifest if found else None
    if findings:
        return Signed(check=failed(1, findings), manifest=valid, claimed=claimed)
    verdict = enough(found, signers, trust=trust, threshold=threshold, policy=policy)
    return Signed(check=verdict, manifest=valid, claimed=claimed)


def traced(signed: Signed, release: Path, *, index: ReleaseIndex | None, trust: Sequence[Trusted]) -> Signed:
    """The same, with the changed byte named where one byte of a signature file is all that is wrong with it."""
    if index is None or not any(is_signature(found.where) for found in signed.check.findings):
        return signed
    findings = list(signed.check.findings)
    for position, found in enumerate(findings[:SHOWN]):
        try:
            data = read_bytes(release / found.where, max_bytes=MAX_BUNDLE_BYTES) if is_signature(found.where) else b""
            changes = [changed_byte(data, manifest_for(release, index), key=holder.key) for holder in trust]
        except InputError:
            continue
        if known := [change for change in changes if change]:
            findings[position] = Finding(where=found.where, message=str(known[0]))
    return replace(signed, check=failed(1, findings))


def collect(release: Path, entries: Sequence[Entry]) -> tuple[list[Signature], list[Finding]]:
    """Every signature file that can be read, and what is wrong with the others."""
    found, findings = [], []
    files = sorted((entry.path, party) for entry in entries if (party := party_of(entry)) is not None)
    if len(files) > MAX_PARTIES:
        message = f"{len(files)} signatures, at most {MAX_PARTIES} are read"
        return [], [Finding(where=SIGNATURES, message=message)]
    for path, party in files:
        try:
            data = read_bytes(release / path, max_bytes=MAX_BUNDLE_BYTES)
            bundle = signatures.parse(data, where=path)
            manifest = signatures.manifest_of(bundle, where=path)
            found.append(Signature(party=party, path=path, bundle=bundle, manifest=manifest))
        except (GateError, InputError) as error:
            findings.append(Finding(where=path, message=finding(error).message))
    return found, findings


def party_of(entry: Entry) -> str | None:
    """Whose signature file this is, or None if it is none."""
    name = entry.path.removeprefix(f"{SIGNATURES}/")
    party = name.removesuffix(SUFFIX)
    well = is_signature(entry.path) and entry.kind == "file" and party != name and PARTY.fullmatch(party)
    return party if well else None


def odd(one: Signature, *, first: Signature, policy: Policy | None) -> list[Finding]:
    """What is wrong with a signature whoever made it: an unknown party, another list of files than its neighbour's."""
    findings = []
    if one.manifest.files != first.manifest.files:
        differing = sorted(set(one.manifest.files.items()) ^ set(first.manifest.files.items()))[0][0]
        findings.append(Finding(where=one.path, message=f"signs another {differing} than {first.path}"))
    if policy is not None and one.party not in policy.parties:
        findings.append(Finding(where=one.path, message=f"{POLICY} names no party {one.party!r}"))
    elif policy is not None and one.bundle.keyid not in ("", policy.parties[one.party]):
        findings.append(Finding(where=one.path, message=f"claims another key than {POLICY} gives {one.party!r}"))
    return findings


def claims(one: Signature, holder: Trusted, *, policy: Policy | None) -> bool:
    """Whether a signature file says that it is by this key, in one way or another."""
    given = policy.parties.get(one.party) if policy else None
    return signatures.names_key(one.bundle, holder.key) or holder.fingerprint in (one.bundle.keyid, given)


def agree(one: Signature, holder: Trusted, *, policy: Policy | None, earlier: Signature | None) -> list[Finding]:
    """What is wrong with a valid signature: it stands under another party's name, or twice."""
    if earlier is not None:
        return [Finding(where=one.path, message=f"the same key signed {earlier.path}: one key counts once")]
    if policy is not None and policy.parties.get(one.party, holder.fingerprint) != holder.fingerprint:
        return [
            Finding(where=one.path, message=f"signed by {holder.path.name}, which is not {one.party!r} in {POLICY}")
        ]
    return []


def enough(
    found: Sequence[Signature],
    signers: Mapping[str, Signature],
    *,
    trust: Sequence[Trusted],
    threshold: int | None,
    policy: Policy | None,
) -> Check:
    """The verdict on the number of signatures, once each of them is sound."""
    by = ", ".join(f"{one.party} (key {keyid(one)})" for one in found) or "nobody"
    if not trust:
        detail = f"no key was given (--trust KEY); the release says it is signed by {by}"
        return Check(number=1, verdict="NOT CHECKED", detail=detail)
    due = len(trust) if threshold is None else threshold
    if len(signers) < due:
        absent = [holder for holder in trust if holder.fingerprint not in signers]
        names = ", ".join(f"{holder.path.name} ({holder.fingerprint[:16]})" for holder in absent)
        message = f"{len(signers)} of {due} signatures; no signature by {names}; signed by {by}"
        return failed(1, [Finding(where=SIGNATURES, message=message)])
    if threshold is None and policy is not None and len(signers) < policy.threshold:
        detail = (
            f"{len(signers)} valid signatures, the release's own policy asks for {policy.threshold}: "
            f"give the other parties' keys, or --threshold {len(signers)}"
        )
        return Check(number=1, verdict="NOT CHECKED", detail=detail)
    names = ", ".join(f"{one.party} ({fingerprint[:16]})" for fingerprint, one in signers.items())
    return Check(number=1, verdict="PASS", detail=f"{len(signers)} of {due} signatures: {names}")


def keyid(one: Signature) -> str:
    """How a signature file names its key, shortened; nothing vouches for it."""
    return (one.bundle.keyid or one.bundle.hint)[:16]
