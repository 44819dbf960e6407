"""Countersign: a second party verifies a release, computes segments again and signs that they hold."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from freehold.errors import GateError, IncompleteError, InputError
from freehold.proof import replays
from freehold.proof.bundle import PARTY, RELEASE
from freehold.proof.digests import walk
from freehold.proof.parties import countersignatures
from freehold.proof.parties.countersignatures import replay_path
from freehold.proof.replays import Outcome, Replayed
from freehold.proof.writing import write
from freehold.stages.verify import contents, replay
from freehold.stages.verify.asked import Asked
from freehold.stages.verify.contents import Contents
from freehold.stages.verify.run import verify


@dataclass(frozen=True, slots=True, kw_only=True)
class Countersigned:
    """A countersignature that was made."""

    path: Path
    replayed: Replayed
    seed: str  # by which segments were drawn; empty: they were named


def countersign(
    release: Path,
    *,
    party: str,
    key: ec.EllipticCurvePrivateKey,
    asked: Asked,
    time: datetime,
    trust: Sequence[Path] = (),
    threshold: int | None = None,
) -> Countersigned:
    """Verify, replay the segments asked for, and sign the outcomes beside the release's signatures at `time`.

    A countersignature that the same party made before is replaced. Raises InputError before anything is computed where
    nothing is asked for or the party has no usable name, GateError if the release or a segment does not hold, and
    IncompleteError if a segment could not be computed: only what was computed is signed.
    """
    if not PARTY.fullmatch(party):
        raise InputError(f"{party!r} is no party's name", where="--party", remedy="letters, digits, . _ and -")
    if asked.replay is None and not asked.segments:
        raise InputError("no segment is named", remedy="name them with --segments, or have some drawn with --replay")
    report = verify(release, trust=trust, threshold=threshold)
    if wrong := [check for check in report.checks if check.verdict == "FAIL"]:
        raise GateError(f"check {wrong[0].number} failed: {wrong[0].detail}", where=str(release))
    whole = contents.check(release, tuple(walk(release)), manifest=None)
    sealed = whole.required_index().digest
    if report.subject is None or report.subject.digest != sealed:
        raise GateError("changed while it was being checked", where=RELEASE)
    found, seed = replayed(whole, asked)
    if found.missing:
        name, reason = next(iter(found.missing.items()))
        raise IncompleteError(f"{name} was not computed again, nothing is signed: {reason}")
    target = release / replay_path(party)
    write(
        target,
        countersignatures.sign(
            party=party, release=sealed, outcomes=found.outcomes, stack=found.stack, time=time, key=key
        ),
    )
    return Countersigned(path=target, replayed=found, seed=seed)


def replayed(whole: Contents, asked: Asked) -> tuple[Replayed, str]:
    """The outcomes of the segments asked for, and the seed by which they were drawn."""
    segments = replay.segments_of(whole)
    seed = secrets.token_hex(8) if asked.replay is not None else ""
    chosen = replays.choose(segments, named=asked.segments, count=asked.replay, seed=seed)
    holdings = replay.holdings_of(whole.release, asked)
    return replay.recompute(whole, segments, chosen, holdings=holdings, base=asked.base), seed


def rows(outcomes: Sequence[Outcome]) -> dict[str, dict[str, object]]:
    """Outcomes by segment, as the command shows them."""
    return {one.name: {"began": one.began, "last_step": one.last_step, "result": one.result} for one in outcomes}
