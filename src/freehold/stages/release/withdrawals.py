"""The log of withdrawals as a release carries it: a copy, its head, and the filters that it names."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

import pyarrow.parquet as pq

from freehold import stage as stages
from freehold.errors import InputError
from freehold.journey import STEPS
from freehold.proof import bundle, canonical
from freehold.proof.form import is_digest
from freehold.proof.log import withdrawals
from freehold.proof.log.withdrawals import Entry
from freehold.proof.tree import sparse
from freehold.proof.writing import write
from freehold.stage import Stage


def carry(stage: Stage) -> None:
    """Copy log and filters into a release; nothing where nothing was withdrawn.

    Raises InputError where the log grew while the release was made, or a filter is gone.
    """
    log = stage.charter.withdrawals
    entries = withdrawals.read(log)
    if log is None or not entries:
        return
    known = stages.withdrawn(stage.charter, STEPS["release"]).get("withdrawn")
    if known != stage.identity.parameters.get("withdrawn"):
        raise InputError("the log grew while the release was made", where=str(log), remedy="make the release again")
    lines = [entry.line() for entry in entries]
    write(stage.output / bundle.WITHDRAWALS, b"".join(line + b"\n" for line in lines))
    write(stage.output / bundle.WITHDRAWALS_HEAD, withdrawals.head(entries).line())
    lighten(stage, entries)
    for digest in sorted({entry.evidence["filter"] for entry in entries if entry.level == "W2"}):
        source, target = withdrawals.filter_path(log, digest), stage.output / bundle.filter_path(digest)
        if not source.is_file():
            advice = "restore it, or withdraw the documents anew in another log"
            raise InputError("the filter that serving reads is gone", where=str(source), remedy=advice)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def lighten(stage: Stage, entries: Sequence[Entry]) -> None:
    """Take what was withdrawn at W3 out of the tree, for curate has it still, and say which keys those were."""
    gone = withdrawals.documents(entries, "W3")
    if not gone:
        return
    keys = {bytes.fromhex(one.key) for one in gone} | files_of(stage, {one.id for one in gone})
    place = stage.output / bundle.TREE
    with sparse.Tree.open(stage.input("curate") / "documents.smt") as tree:
        out = sorted(keys.intersection(tree))
        place.unlink(missing_ok=True)
        sparse.write(place, sparse.without(tree, out))
    write(stage.output / bundle.WITHDRAWN_KEYS, canonical.canonical_json([key.hex() for key in out]))


def files_of(stage: Stage, ids: set[str]) -> set[bytes]:
    """The SHA-256 of the files that some documents are, where they are whole files."""
    rows = (
        row
        for path in sorted((stage.input("curate") / "documents").glob("part-*.parquet"))
        for row in pq.read_table(path, columns=["id", "checksum"], filters=[("id", "in", ids)]).to_pylist()
    )
    return {bytes.fromhex(row["checksum"]) for row in rows if is_digest(row["checksum"])}
