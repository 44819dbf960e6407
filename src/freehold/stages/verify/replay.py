"""Check 6: segments of training are computed again and end at the same weights; countersignatures say who else did.

The computing needs torch and the private tokens. It is reached by name, so that a verifier without them still makes
every other check and is told what this one lacks.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from freehold.errors import GateError, IncompleteError, InputError, MissingExtra
from freehold.plugins import part
from freehold.proof import chain, replays
from freehold.proof.bundle import CHAINS
from freehold.proof.chain import MAX_CHAIN_BYTES, Segment
from freehold.proof.replays import Name, Replayed
from freehold.stages.verify import countersigned
from freehold.stages.verify.asked import Asked
from freehold.stages.verify.contents import Contents
from freehold.stages.verify.lineage import read_steps
from freehold.stages.verify.report import Check, failed, finding

WORKSPACE, MARKER = ".freehold", "workspace.json"


def check(contents: Contents, asked: Asked) -> Check | None:
    """The verdict on the segments asked for and on countersignatures; None where there are neither.

    Raises InputError for a segment that the chain does not have: nothing is computed then.
    """
    wanted = asked.replay is not None or bool(asked.segments)
    try:
        vouched = countersigned.told(contents, asked.countersigners)
        if not wanted:
            return Check(number=6, verdict="PASS", detail=vouched) if vouched else None
        segments = segments_of(contents)
    except (GateError, InputError) as error:
        return failed(6, [finding(error)])
    except IncompleteError as error:
        return Check(number=6, verdict="NOT CHECKED", detail=str(error))
    seed = secrets.token_hex(8) if asked.replay is not None else ""  # drawn now: the chain is fixed
    chosen = replays.choose(segments, named=asked.segments, count=asked.replay, seed=seed)
    drawn = f"drawn by the seed {seed}: " if seed else ""
    try:
        found = recompute(contents, segments, chosen, holdings=holdings_of(contents.release, asked), base=asked.base)
    except GateError as error:
        return failed(6, [finding(error)])
    except (IncompleteError, InputError) as error:
        detail = "; ".join(filter(None, [f"{drawn}{error}", vouched]))
        return Check(number=6, verdict="NOT CHECKED", detail=detail)
    detail = "; ".join(filter(None, [drawn + words(found), vouched]))
    return Check(number=6, verdict="NOT CHECKED" if found.missing else "PASS", detail=detail)


def segments_of(contents: Contents) -> tuple[Segment, ...]:
    """The whole chain. Raises GateError where it breaks, IncompleteError if it is damaged."""
    files = [path for path in CHAINS if path in contents.listed]
    return chain.parse([(path, contents.read(path, max_bytes=MAX_CHAIN_BYTES)) for path in files])


def recompute(
    contents: Contents, segments: tuple[Segment, ...], chosen: tuple[Name, ...], *, holdings: Path, base: Path | None
) -> Replayed:
    """Compute segments again. Raises GateError where one does not hold, IncompleteError where that cannot be done."""
    steps = read_steps(contents)
    try:
        compute = part("freehold.stages.replay.run:replay")
    except MissingExtra as missing:
        raise IncompleteError(f"segments cannot be computed again: {missing.message}", remedy=missing.remedy) from None
    except ModuleNotFoundError:
        advice = "verify with an installed Freehold: pip install 'freehold[train]'"
        raise IncompleteError("this verifier stands alone and computes nothing again", remedy=advice) from None
    chains = {path.split("/")[1]: path for path in CHAINS}
    found: Replayed = compute(
        steps=steps, segments=segments, chosen=chosen, chains=chains, holdings=holdings, base=base
    )
    return found


def holdings_of(release: Path, asked: Asked) -> Path:
    """The workspace with the private artifacts: the one named, or the nearest around the current folder or the release.

    Raises IncompleteError where there is none.
    """
    if asked.holdings is not None:
        places = [asked.holdings, asked.holdings / WORKSPACE]
    else:
        around = [Path.cwd(), release.resolve(), *release.resolve().parents]
        places = [place for folder in around for place in (folder / WORKSPACE, folder)]
    for place in places:
        if (place / MARKER).is_file():
            return place.resolve()
    advice = "whoever may see the tokens names their workspace with --holdings"
    raise IncompleteError("no workspace holds what this model learned from", remedy=advice)


def words(found: Replayed) -> str:
    """What a replay found, for a reader."""
    parts = [replays.told(found.outcomes)]
    if found.differs:
        parts.append(f"other stack: {'; '.join(found.differs)}")
    parts += [f"{name} not computed: {reason}" for name, reason in found.missing.items()]
    return "; ".join(filter(None, parts))
