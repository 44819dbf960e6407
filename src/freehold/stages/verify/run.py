"""Verify a release: signatures, files, lineage, training chain, licences; each PASS, FAIL or NOT CHECKED."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from freehold.errors import InputError
from freehold.proof.bundle import RELEASE
from freehold.proof.digests import readable, walk
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
from freehold.stages.verify.report import Report, judged

# Checks 5 to 10; one that does not apply to a release, or was not asked for, says nothing.
FURTHER = (documents.check, replay.check, evaluation.check, law.check, licences.check, withdrawals.check)


def verify(
    release: Path,
    *,
    trust: Sequence[Path] = (),
    threshold: int | None = None,
    asked: Asked | None = None,
) -> Report:
    """Check a release folder offline; nothing in it is executed, followed or believed before it is checked.

    `trust`: public key files, or folders of them. `threshold`: how many of these keys must have signed; all of them
    when None. `asked`: what else the verifier wants to know. Raises InputError when there is nothing to check: no
    release, unusable keys, more signatures asked for than keys given. A release that does not hold is no error but
    a Report whose `exit_code` is 3.
    """
    holders = signed.trusted(trust, threshold=threshold)
    with readable(release):
        present = release.is_dir()
    if not present:
        raise InputError("no such folder", where=str(release), remedy="give the folder of a release")
    entries = tuple(walk(release))
    one = signed.check(release, entries, trust=holders, threshold=threshold)
    if one.claimed is None and not any(entry.path == RELEASE for entry in entries):
        raise InputError(
            f"not a release: it has no {RELEASE}", where=str(release), remedy="give the folder of a release"
        )
    two = contents.check(release, entries, manifest=one.manifest or one.claimed)
    one = signed.traced(one, release, index=two.index, trust=holders)
    three = judged(3, lambda: lineage.check(two))
    four = judged(4, lambda: training.check(two))
    questions = replace(asked or Asked(), keys={holder.fingerprint: holder.key for holder in holders})
    further = (check(two, questions) for check in FURTHER)
    return Report(checks=(one.check, two.check, three, four, *(found for found in further if found)))
