"""Check 10: the log of withdrawals is append-only and signed, and what each entry promises holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from freehold.errors import GateError, IncompleteError, InputError
from freehold.proof import bundle, canonical, chain
from freehold.proof.bundle import (
    CHAINS,
    CUT_OFF,
    POLICY,
    TREE,
    WITHDRAWALS,
    WITHDRAWALS_HEAD,
    WITHDRAWN_KEYS,
    step_path,
)
from freehold.proof.chain import MAX_CHAIN_BYTES
from freehold.proof.digests import read_bytes
from freehold.proof.form import is_digest
from freehold.proof.log import consistency, withdrawals, withdrawn_filter
from freehold.proof.log.consistency import EMPTY, Head
from freehold.proof.log.withdrawals import Entry
from freehold.proof.statements import StageStatement
from freehold.proof.tree import sparse
from freehold.stages.verify.asked import Asked
from freehold.stages.verify.contents import Contents
from freehold.stages.verify.documents import opened
from freehold.stages.verify.lineage import read_steps, source_rows
from freehold.stages.verify.report import Check, judged

STAGES = {"curate": "W1", "train": "W3"}  # stage → the level that it acts upon


def check(contents: Contents, asked: Asked) -> Check | None:
    """The verdict on the log; None where nothing was withdrawn and no earlier log was given."""
    if asked.earlier is None and not concerned(contents):
        return None
    earlier = None if asked.earlier is None else earlier_head(asked.earlier)
    keys = {one.fingerprint: one.key for one in asked.holders}
    return judged(10, lambda: held(contents, keys=keys, earlier=earlier))


def concerned(contents: Contents) -> bool:
    """Whether a release carries a log, or a stage says that it acted upon one."""
    if any(path == CUT_OFF or path.startswith("evidence/withdrawals/") for path in contents.listed):
        return True
    try:
        return any("withdrawn" in step.parameters for step in read_steps(contents).values())
    except (GateError, IncompleteError, InputError):
        return False  # check 3 tells


def held(contents: Contents, *, keys: Mapping[str, Any], earlier: Head | None) -> str:
    """What held, in words. Raises GateError at the first thing that does not, IncompleteError without a key."""
    entries: tuple[Entry, ...] = ()
    if concerned(contents):
        entries = withdrawals.parse(contents.read(WITHDRAWALS), where=WITHDRAWALS)
        if consistency.parse_head(contents.read(WITHDRAWALS_HEAD), where=WITHDRAWALS_HEAD) != withdrawals.head(entries):
            raise GateError("is not the head of the log", where=WITHDRAWALS_HEAD)
    unknown = signed(contents, entries, keys=keys)
    acted_upon(read_steps(contents), entries)
    filtered(contents, entries)
    absent(contents, entries)
    left(contents, entries)
    grown = "" if earlier is None else grew(entries, earlier)
    counts = {level: len(withdrawals.withdrawn(entries, level)) for level in withdrawals.LEVELS}
    told = ", ".join(f"{count} at {level}" for level, count in counts.items() if count) or "nothing"
    detail = f"{len(entries)} entries; withdrawn documents: {told}{grown}"
    if unknown:
        raise IncompleteError(f"{detail}; who signed was not checked: no --trust key is that of entry {unknown[0]}")
    return detail


def signed(contents: Contents, entries: Sequence[Entry], *, keys: Mapping[str, Any]) -> list[int]:
    """Numbers of the entries whose key was not supplied, though the release's policy names it or none was supplied.

    Raises GateError for a signature that is not by its key, or by a key that nobody vouches for.
    """
    named = set(bundle.parse_policy(contents.read(POLICY), where=POLICY).parties.values())
    unknown = []
    for entry in entries:
        where = f"{WITHDRAWALS}:{entry.number}"
        if entry.keyid in keys:
            if not withdrawals.signed_by(entry, keys[entry.keyid]):
                raise GateError("its signature is not by the key that it names", where=where)
        elif keys and entry.keyid not in named:
            advice = "if it is an earlier key of the publisher's, trust it too"
            message = f"signed by the key {entry.keyid[:16]}, which is neither trusted nor in the policy"
            raise GateError(message, where=where, remedy=advice)
        else:
            unknown.append(entry.number)
    return unknown


def acted_upon(steps: Mapping[str, StageStatement], entries: Sequence[Entry]) -> None:
    """Raise GateError unless each stage was made with exactly the documents of its level."""
    for stage, level in STAGES.items():
        if stage not in steps:
            continue
        due = [
            {"level": level, "id": one.id, "key": one.key}
            for entry in entries
            if entry.level == level
            for one in entry.documents
        ]
        if steps[stage].parameters.get("withdrawn", []) != due:
            raise GateError(
                f"{stage} was made with other withdrawals than the log has at {level}", where=step_path(stage)
            )


def filtered(contents: Contents, entries: Sequence[Entry]) -> None:
    """Raise GateError unless every filter that the log names is there, and no other."""
    named = {entry.evidence["filter"] for entry in entries if entry.level == "W2"}
    for digest in sorted(named):
        path = bundle.filter_path(digest)
        data = contents.read(path, max_bytes=withdrawn_filter.MAX_FILTER_BYTES)
        if withdrawn_filter.digest(data) != digest:
            raise GateError("is not the filter that the log names", where=path)
        withdrawn_filter.parse(data, where=path)
    folder, due = bundle.filter_path("").removesuffix(".filter"), {bundle.filter_path(digest) for digest in named}
    if spare := sorted(path for path in contents.listed.keys() - due if path.startswith(folder)):
        raise GateError("a filter that no entry names", where=spare[0])


def absent(contents: Contents, entries: Sequence[Entry]) -> None:
    """Raise GateError unless the tree has no document of W1 and W3, and is else the tree that curate made."""
    gone = [one for level in ("W1", "W3") for one in withdrawals.documents(entries, level)]
    if not gone and WITHDRAWN_KEYS not in contents.listed:
        return
    ids = {bytes.fromhex(one.key): one.id for one in gone}
    with opened(contents) as tree:
        tree.check()
        if present := [ids[key] for key in tree if key in ids]:
            raise GateError(f"{present[0]} was withdrawn and is in the tree", where=TREE)
        if WITHDRAWN_KEYS in contents.listed:
            whole(contents, tree, cut={one.key for one in withdrawals.documents(entries, "W3")})


def whole(contents: Contents, tree: sparse.Tree, *, cut: set[str]) -> None:
    """Raise GateError unless the tree with the keys that were taken out of it is the one that curate made.

    Only keys of documents at W3 may have been taken out, and those of source files.
    """
    keys = canonical.load(contents.read(WITHDRAWN_KEYS), where=WITHDRAWN_KEYS)
    if not isinstance(keys, list) or not all(map(is_digest, keys)):
        raise GateError("is no list of keys", where=WITHDRAWN_KEYS)
    files = {file["sha256"] for row in source_rows(contents) for file in row["files"]}
    if strange := sorted(set(keys) - cut - files):
        raise GateError(f"{strange[0]} was taken out of the tree, and no entry says so", where=WITHDRAWN_KEYS)
    made = read_steps(contents)["curate"].manifest.get("documents.smt", {}).get("sha256")
    if sparse.with_keys(tree, [bytes.fromhex(key) for key in keys]) != made:
        raise GateError("is not curate's tree less what was withdrawn", where=TREE)


def left(contents: Contents, entries: Sequence[Entry]) -> None:
    """Raise GateError where training cut documents off and came to the weights they were to leave all the same.

    That statement, recipe, account and chain name the same documents is check 4.
    """
    weights = {entry.evidence["weights"] for entry in entries if entry.level == "W3" and "weights" in entry.evidence}
    path = CHAINS[0]
    if not weights or path not in contents.listed:
        return
    last = chain.parse([(path, contents.read(path, max_bytes=MAX_CHAIN_BYTES))])[-1]
    if last.withdrawn is not None and last.checkpoint in weights:
        raise GateError("ends with the weights that documents were withdrawn from", where=path)


def grew(entries: Sequence[Entry], earlier: Head) -> str:
    """That the log begins with an earlier one. Raises GateError if it does not."""
    if earlier.size > len(entries) or withdrawals.head(entries[: earlier.size]) != earlier:
        message = f"does not begin with the {earlier.size} entries of the earlier one: the log was rewritten"
        raise GateError(message, where=WITHDRAWALS)
    return f"; the first {earlier.size} are those of the earlier log"


def earlier_head(path: Path) -> Head:
    """The head in a file, or that of an earlier release: empty where it has no log. Raises InputError otherwise."""
    place = path / WITHDRAWALS_HEAD if path.is_dir() else path
    if path.is_dir() and not place.exists():
        if (path / bundle.RELEASE).is_file() and not (path / WITHDRAWALS).exists():
            return EMPTY
        raise InputError("no earlier release", where=str(path), remedy="give a release folder or a head.json")
    try:
        data = read_bytes(place, max_bytes=consistency.MAX_HEAD_BYTES)
        return consistency.parse_head(data, where=str(place))
    except GateError as error:
        raise InputError(error.message, where=error.where, remedy="give a release folder or a head.json") from None
