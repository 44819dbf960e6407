"""The log of withdrawals as a release carries it: a copy, its head, and the filters that it names."""

from __future__ import annotations

import shutil

from freehold import stage as stages
from freehold.errors import InputError
from freehold.journey import STEPS
from freehold.proof import bundle, withdrawals
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
    bundle.write(stage.output / bundle.WITHDRAWALS, b"".join(line + b"\n" for line in lines))
    bundle.write(stage.output / bundle.WITHDRAWALS_HEAD, withdrawals.head(entries).line())
    for digest in sorted({entry.evidence["filter"] for entry in entries if entry.level == "W2"}):
        source, target = withdrawals.filter_path(log, digest), stage.output / bundle.filter_path(digest)
        if not source.is_file():
            advice = "restore it, or withdraw the documents anew in another log"
            raise InputError("the filter that serving reads is gone", where=str(source), remedy=advice)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
