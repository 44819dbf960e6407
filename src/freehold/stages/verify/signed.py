"""Check 1: enough of the keys that the verifier supplies have signed this release.

Keys and the number of signatures come from the verifier; whatever the bundle says about itself can only make it
fail. Without a threshold every supplied key must have signed: a default read from the bundle would let one stolen
key lower it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from freehold.errors import GateError, InputError
from freehold.proof.bundle import (
    MAX_POLICY_BYTES,
    PARTY,
    POLICY,
    Policy,
    ReleaseIndex,
    is_signature,
    manifest_for,
    parse_policy,
)
from freehold.proof.digests import Entry, read_bytes
from freehold.proof.parties.key_statements import Revocation
from freehold.proof.signing import signatures
from freehold.proof.signing.signature_damage import changed_byte
from freehold.proof.signing.signatures import MAX_BUNDLE_BYTES, SIGNATURES, SUFFIX, Bundle, Manifest
from freehold.stages.verify.report import SHOWN, Check, Finding, failed, finding
from freehold.stages.verify.trusted import Trusted
from freehold.stages.verify.witnessed import Seen

MAX_PARTIES, MAX_SIGNATURES_BYTES = 64, 16 << 20  # of all parties together


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One party's signature file as judged; of the lists that were signed only the first two are kept."""

    party: str
    path: str
    bundle: Bundle  # its payload left out: it was read
    signer: Trusted | None  # whose good signature it is
    forged: tuple[Finding, ...]  # where it claims a trusted key that did not sign it
    differs: str | None  # a file of which it says something else than the first signature


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What the signatures say: `manifest` under a supplied key, `claimed` under any or none."""

    check: Check
    manifest: Manifest | None
    claimed: Manifest | None
    signers: Mapping[str, Signature] = field(default_factory=dict)  # holder → the signature that counts for it


@dataclass(slots=True, kw_only=True)
class Found:
    """Everything in the signatures' folder."""

    signatures: list[Signature] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    claimed: Manifest | None = None  # by the first signature that can be read
    listed: Manifest | None = None  # by the first one of a trusted key


def check(
    release: Path,
    entries: Sequence[Entry],
    *,
    trust: Sequence[Trusted],
    threshold: int | None,
    seen: Seen | None = None,
) -> Signed:
    """Judge every signature file in the release; `seen` is what witnesses saw of them."""
    seen = seen or Seen()
    policy, wrong = read_policy(release)
    found = collect(release, entries, trust=trust, policy=policy)
    findings = [*found.findings, *(wrong if found.signatures or found.findings else []), *seen.findings]
    signers: dict[str, Signature] = {}
    late: list[str] = []
    for one in found.signatures:
        findings += odd(one, first=found.signatures[0], policy=policy) + list(one.forged)
        if one.signer is None:
            continue
        findings += agree(one, one.signer, policy=policy, earlier=signers.get(one.signer.holder))
        if one.signer.revoked is not None and not before(seen.first.get(one.path), one.signer.revoked):
            late.append(f"that of {one.party} does not count: its key is {one.signer.note}")
        else:
            signers[one.signer.holder] = one
    valid = found.listed if signers else None
    if findings:
        return Signed(check=failed(1, findings), manifest=valid, claimed=found.claimed)
    verdict = enough(found.signatures, signers, trust=trust, threshold=threshold, policy=policy, late=late)
    if seen.by and verdict.verdict == "PASS":
        told = "; ".join(f"witness {one[:16]} {what}" for one, what in seen.by.items())
        verdict = replace(verdict, detail=f"{verdict.detail}; {told}")
    return Signed(check=verdict, manifest=valid, claimed=found.claimed, signers=signers)


def before(time: datetime | None, revoked: Revocation) -> bool:
    """Whether a witness saw a signature before its key was revoked; what no witness saw may be younger."""
    return time is not None and time < revoked.since


def read_policy(release: Path) -> tuple[Policy | None, list[Finding]]:
    """policy.json, or what is wrong with it."""
    try:
        return parse_policy(read_bytes(release / POLICY, max_bytes=MAX_POLICY_BYTES), where=POLICY), []
    except (GateError, InputError) as error:
        return None, [Finding(where=POLICY, message=error.message)]


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


def collect(release: Path, entries: Sequence[Entry], *, trust: Sequence[Trusted], policy: Policy | None) -> Found:
    """Every signature file that can be read, and what is wrong with the others; one file's list in memory at a time."""
    found = Found()
    files = sorted((entry.path, party) for entry in entries if (party := party_of(entry)) is not None)
    if len(files) > MAX_PARTIES:
        message = f"{len(files)} signatures, at most {MAX_PARTIES} are read"
        return Found(findings=[Finding(where=SIGNATURES, message=message)])
    if (size := sum(entry.size for entry in entries if party_of(entry) is not None)) > MAX_SIGNATURES_BYTES:
        message = f"signatures of {size:,} bytes, at most {MAX_SIGNATURES_BYTES:,} are read"
        return Found(findings=[Finding(where=SIGNATURES, message=message)])
    for path, party in files:
        try:
            bundle = signatures.parse(read_bytes(release / path, max_bytes=MAX_BUNDLE_BYTES), where=path)
            manifest = signatures.manifest_of(bundle, where=path)
        except (GateError, InputError) as error:
            found.findings.append(Finding(where=path, message=finding(error).message))
            continue
        found.claimed = found.claimed or manifest
        if manifest.files == found.claimed.files and manifest.locators == found.claimed.locators:
            manifest = found.claimed
        one = judge(bundle, manifest, party=party, path=path, trust=trust, policy=policy, first=found.claimed)
        found.signatures.append(one)
        if one.signer is not None:
            found.listed = found.listed or manifest
    return found


def judge(
    bundle: Bundle,
    manifest: Manifest,
    *,
    party: str,
    path: str,
    trust: Sequence[Trusted],
    policy: Policy | None,
    first: Manifest,
) -> Signature:
    """Whose signature this is, and whose it claims to be."""
    given = policy.parties.get(party) if policy else None
    signer = next((holder for holder in trust if signatures.verifies(bundle, holder.key)), None)
    forged = tuple(
        Finding(where=path, message=f"not a signature by {holder.path.name} over this payload")
        for holder in trust
        if holder is not signer and claims(bundle, holder, given=given)
    )
    differing = sorted(set(manifest.files.items()) ^ set(first.files.items())) if manifest is not first else []
    return Signature(
        party=party,
        path=path,
        bundle=replace(bundle, payload=b""),
        signer=signer,
        forged=forged,
        differs=differing[0][0] if differing else None,
    )


def party_of(entry: Entry) -> str | None:
    """Whose signature file this is, or None if it is none."""
    name = entry.path.removeprefix(f"{SIGNATURES}/")
    party = name.removesuffix(SUFFIX)
    well = is_signature(entry.path) and entry.kind == "file" and party != name and PARTY.fullmatch(party)
    return party if well else None


def odd(one: Signature, *, first: Signature, policy: Policy | None) -> list[Finding]:
    """What is wrong with a signature whoever made it: an unknown party, another list of files than its neighbour's."""
    findings = []
    if one.differs is not None:
        findings.append(Finding(where=one.path, message=f"signs another {one.differs} than {first.path}"))
    if policy is not None and one.party not in policy.parties:
        findings.append(Finding(where=one.path, message=f"{POLICY} names no party {one.party!r}"))
    elif policy is not None and one.bundle.keyid not in ("", policy.parties[one.party]):
        findings.append(Finding(where=one.path, message=f"claims another key than {POLICY} gives {one.party!r}"))
    return findings


def claims(bundle: Bundle, holder: Trusted, *, given: str | None) -> bool:
    """Whether a signature file says that it is by this key: by its hint, its key id, or the party it stands under."""
    return signatures.names_key(bundle, holder.key) or holder.fingerprint in (bundle.keyid, given)


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
    late: Sequence[str],
) -> Check:
    """The verdict on the number of signatures, once each of them is sound; `late` are those that do not count."""
    by = "; ".join([", ".join(f"{one.party} (key {keyid(one)})" for one in found) or "nobody", *late])
    if not trust:
        detail = f"no key was given (--trust KEY); the release says it is signed by {by}"
        return Check(number=1, verdict="NOT CHECKED", detail=detail)
    holders = [one for one in trust if one.holder == one.fingerprint]
    due = len(holders) if threshold is None else threshold
    if len(signers) < due:
        absent = [one for one in holders if one.holder not in signers]
        names = ", ".join(f"{holder.path.name} ({holder.fingerprint[:16]})" for holder in absent)
        message = f"{len(signers)} of {due} signatures; no signature by {names}; signed by {by}"
        return failed(1, [Finding(where=SIGNATURES, message=message)])
    if threshold is None and policy is not None and len(signers) < policy.threshold:
        detail = (
            f"{len(signers)} valid signatures, the release's own policy asks for {policy.threshold}: "
            f"give the other parties' keys, or --threshold {len(signers)}"
        )
        return Check(number=1, verdict="NOT CHECKED", detail=detail)
    names = ", ".join(f"{one.party} ({one.signer})" for one in signers.values())
    return Check(number=1, verdict="PASS", detail="; ".join([f"{len(signers)} of {due} signatures: {names}", *late]))


def keyid(one: Signature) -> str:
    """How a signature file names its key, shortened; nothing vouches for it."""
    return (one.bundle.keyid or one.bundle.hint)[:16]
