"""Verify a release by the ten checks that apply to it (`report.NAMES`); each PASS, FAIL or NOT CHECKED."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from freehold.errors import InputError
from freehold.proof.bundle import RELEASE
from freehold.proof.digests import Entry, readable, walk
from freehold.stages.verify import (
    contents,
    documents,
    evaluation,
    law,
    licences,
    lineage,
    replay,
    signed,
    training,
    withdrawals,
)
from freehold.stages.verify.asked import Asked
from freehold.stages.verify.contents import Contents
from freehold.stages.verify.report import KeyUse, Report, Subject, judged
from freehold.stages.verify.signed import Signed
from freehold.stages.verify.trusted import Trusted, trusted
from freehold.stages.verify.witnessed import Seen, seen

# Checks 5 to 10; one that does not apply to a release, or was not asked for, says nothing.
FURTHER = (documents.check, replay.check, evaluation.check, law.check, licences.check, withdrawals.check)


def verify(
    release: Path,
    *,
    trust: Sequence[Path] = (),
    threshold: int | None = None,
    statements: Sequence[Path] = (),
    witnesses: Sequence[Path] = (),
    asked: Asked | None = None,
) -> Report:
    """Check a release folder offline; nothing in it is executed, followed or believed before it is checked.

    `trust`: public key files, or folders of them. `threshold`: how many of these keys must have signed; all of them
    when None. `statements`: what keys said of their successors and of themselves, files or folders. `witnesses`: keys
    believed about time and nothing else; each of them must have seen the release. `asked`: what else the verifier
    wants to know. Raises InputError when there is nothing to check: no release, unusable keys, more signatures asked
    for than keys given. A release that does not hold is no error but a Report whose `exit_code` is 3.
    """
    holders = trusted(trust, threshold=threshold, statements=statements)
    watchers = trusted(witnesses, threshold=None, statements=statements)
    entries = entries_of(release)
    saw = seen(release, entries, witnesses=watchers)
    one = signed.check(release, entries, trust=holders, threshold=threshold, seen=saw)
    if one.claimed is None and not any(entry.path == RELEASE for entry in entries):
        raise InputError(
            f"not a release: it has no {RELEASE}", where=str(release), remedy="give the folder of a release"
        )
    two = contents.check(release, entries, manifest=one.manifest or one.claimed)
    one = signed.traced(one, release, index=two.index, trust=holders)
    three = judged(3, lambda: lineage.check(two))
    four = judged(4, lambda: training.check(two))
    asked = asked or Asked()
    auditors = trusted(asked.auditors, threshold=None, statements=statements)
    countersigners = tuple(one for one in (*auditors, *holders) if one.revoked is None)
    asked = replace(asked, holders=holders, countersigners=countersigners)
    further = (check(two, asked) for check in FURTHER)
    checks = (one.check, two.check, three, four, *(found for found in further if found))
    return Report(checks=checks, subject=subject_of(two, entries), keys=keys_of(holders, one, watchers, saw))


def entries_of(release: Path) -> tuple[Entry, ...]:
    """Everything in the folder. Raises InputError if there is no such folder."""
    with readable(release):
        present = release.is_dir()
    if not present:
        raise InputError("no such folder", where=str(release), remedy="give the folder of a release")
    return tuple(walk(release))


def subject_of(found: Contents, entries: Sequence[Entry]) -> Subject | None:
    """What release.json says it is; None where it cannot be believed or read."""
    if found.index is None:
        return None
    index = found.index
    return Subject(
        name=index.name,
        version=index.version,
        licence=index.licence,
        digest=index.digest,
        files=len(entries),
        size=sum(entry.size for entry in entries),
    )


def keys_of(holders: Sequence[Trusted], one: Signed, watchers: Sequence[Trusted], saw: Seen) -> tuple[KeyUse, ...]:
    """Every key that was supplied or handed over to, and what came of it."""
    signers = {found.signer.fingerprint: found.party for found in one.signers.values() if found.signer}
    trusting = [
        KeyUse(
            file=key.path.name,
            fingerprint=key.fingerprint,
            role="trusted",
            party=signers.get(key.fingerprint),
            note=key.note,
        )
        for key in holders
    ]
    watching = [
        KeyUse(
            file=key.path.name,
            fingerprint=key.fingerprint,
            role="witness",
            party=None,
            note="; ".join(filter(None, (saw.by.get(key.fingerprint), key.note))),
        )
        for key in watchers
    ]
    return (*trusting, *watching)
