"""What a withdrawal will do and what it costs, before anything is written; and the writing down."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey as PrivateKey

from freehold.errors import InputError
from freehold.journey import JOURNEY
from freehold.proof.log import withdrawals
from freehold.proof.log.withdrawals import Entry, Withdrawn
from freehold.proof.signing import keys
from freehold.proof.signing.publisher import key_file, party_of
from freehold.stages.withdraw.likeness import Alike, alike
from freehold.stages.withdraw.resolve import Found, Request, asked_before, left_out, resolve, texts_of
from freehold.stages.withdraw.silence import Silence, keep, silence
from freehold.store.workspace import Workspace

LEVELS: Final = ("W0", "W1", "W2", "W3")  # W4 is written by what removes an adapter
LISTED: Final = 200  # documents of one request for which what is like them is looked up
PROMISES: Final = {
    "W0": "the request is on record, signed; nothing else changes",
    "W1": "every build from now on leaves them out, and the next release proves that they are not in it",
    "W2": "serving that reads the filter says none of their text from now on; the weights stay as they are",
    "W3": "the next weights do not depend on them: their slots are replaced and cut off, and training is replayed",
}
NEVER: Final = (
    "copies of a model or corpus that somebody has already",
    "paraphrases, quotations and near-duplicates in other documents",
    "models that were distilled from this one",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One withdrawal, not yet written down."""

    level: str
    request: Request
    documents: tuple[Found, ...]  # that are to go
    standing: tuple[Withdrawn, ...] = ()  # that the request also means and the log has at this level already
    alike: tuple[Alike, ...] | None = None  # None: too many documents to look for each
    cost: dict[str, Any] = field(default_factory=dict)
    silence: Silence | None = None  # at W2
    evidence: dict[str, str] = field(default_factory=dict)  # that the entry will name

    def told(self) -> dict[str, Any]:
        """The plan for people and programs."""
        names = ("id", "key", "source", "licence", "fate")
        return {
            "level": self.level,
            "asked": {"kind": self.request.kind, "value": self.request.value},
            "documents": [{name: getattr(one, name) for name in names} for one in self.documents],
            "standing": [one.id for one in self.standing],
            "alike": None
            if self.alike is None
            else [{"id": one.id, "of": one.of, "fate": one.fate, "similarity": one.similarity} for one in self.alike],
            "cost": self.cost,
            "promise": PROMISES[self.level],
            "never": list(NEVER),
        }


def plan(home: Workspace, log: Path | None, request: Request, *, level: str) -> Plan:
    """What withdrawing at a level would do, from the newest curated corpus of a workspace. Writes nothing.

    Raises InputError for a level that is none, a broken log, no corpus, no such document, or one whose level is past.
    """
    if level not in LEVELS:
        raise InputError(f"{level!r} is no level of this verb", where="--level", remedy=f"one of {', '.join(LEVELS)}")
    entries = withdrawals.read(log)
    sealed = home.latest("curate")
    if sealed is None:
        raise InputError("nothing is curated yet", where=str(home.folder), remedy="freehold curate CHARTER")
    found = resolve(sealed.path, request)
    before = asked_before(entries, request, level)
    if not found and not before:
        why = left_out(sealed.path, request)
        advice = why or "a document that is not in the corpus needs no withdrawal from it"
        raise InputError(f"the corpus has no {request.kind} {request.value!r}", where=str(sealed.path), remedy=advice)
    already = withdrawals.withdrawn(entries, level)
    new = tuple(one for one in found if one.id not in already)
    climbing(entries, new, level=level)
    standing = {one.id: one for one in (*before, *(one.withdrawn for one in found if one.id in already))}
    made = silence(sealed.path, ids={one.id for one in new}, gone=gone(entries, new)) if level == "W2" and new else None
    return Plan(
        level=level,
        request=request,
        documents=new,
        standing=tuple(standing[name] for name in sorted(standing)),
        alike=alike_of(sealed.path, new),
        cost=measures(made) if made else rebuilt(home) if level == "W1" and new else {},
        silence=made,
        evidence={"filter": made.digest} if made else left_weights(home) if level == "W3" else {},
    )


def alike_of(artifact: Path, new: Sequence[Found]) -> tuple[Alike, ...] | None:
    """What is like the documents; None where they are too many to look for each."""
    if len(new) > LISTED:
        return None
    return alike(artifact, texts_of(artifact, {one.id for one in new}))


def climbing(entries: Sequence[Entry], new: Sequence[Found], *, level: str) -> None:
    """Raise InputError where a request would be noted as received after it was acted upon."""
    for one in new if level == "W0" else ():
        if past := withdrawals.levels_of(entries, one.id):
            stands = ", ".join(sorted(past))
            advice = "the log says more of it than that already"
            raise InputError(f"{one.id} stands at {stands}, W0 is lower", where="--level", remedy=advice)


def gone(entries: Sequence[Entry], new: Sequence[Found]) -> set[str]:
    """Ids of all that is withdrawn: that another of them holds a window excuses nobody."""
    return {one.id for one in new} | withdrawals.tombstones(entries)


def measures(made: Silence) -> dict[str, Any]:
    """What a filter knows, and how often it is wrong."""
    return {
        "windows": made.windows,
        "windows_of_others_left_out": made.elsewhere,
        "filter_bytes": len(made.data),
        "held_out_documents": made.others,
        "of_them_stopped_somewhere": made.wronged,
        "share_of_their_text": round(made.share, 6),
    }


def rebuilt(home: Workspace) -> dict[str, Any]:
    """The stages that have to run again, and the seconds they took the last time."""
    seconds = {}
    for step in JOURNEY:
        if sealed := home.latest(step.name):
            told = sealed.statement()["predicate"]
            begun, ended = (datetime.fromisoformat(told[name]) for name in ("started", "finished"))
            seconds[step.name] = (ended - begun).total_seconds()
    return {"runs_again": list(seconds), "seconds_last_time": round(sum(seconds.values()), 1)}


def write_down(made: Plan, log: Path, *, reason: str, by: str, date: str, key: PrivateKey) -> Entry | None:
    """Add a plan to the log; None where nothing in it is new. Its filter, if it has one, is written first.

    Raises InputError as `withdrawals.append` does.
    """
    if not made.documents:
        return None
    if made.silence is not None:
        keep(log, made.silence)
    draft = Entry(
        number=0,
        level=made.level,
        kind=made.request.kind,
        asked=made.request.value,
        documents=tuple(one.withdrawn for one in made.documents),
        reason=reason,
        by=by,
        date=date,
        evidence=made.evidence,
    )
    return withdrawals.append(log, draft, key=key)


def signing_key(home: Workspace, responsible: str) -> PrivateKey:
    """The publisher's key in the workspace. Raises InputError where there is none: a withdrawal makes no key."""
    folder, party = home.folder / "keys", party_of(responsible)
    path = key_file(folder, party)
    if path is None:
        advice = f"freehold keys new {party} --folder {folder}, or make a release first"
        raise InputError("no key to sign the entry with", where=str(folder), remedy=advice)
    return keys.load_private(path)


def left_weights(home: Workspace) -> dict[str, str]:
    """The digest of the newest weights of train, which a document at W3 is to leave; nothing before the first."""
    sealed = home.latest("train")
    if sealed is None:
        return {}
    last = json.loads((sealed.path / "chain.jsonl").read_bytes().splitlines()[-1])
    return {"weights": last["checkpoint"]}
