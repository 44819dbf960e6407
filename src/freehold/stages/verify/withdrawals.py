"""Check 10: the log of withdrawals is append-only, and what each entry promises holds."""

from __future__ import annotations

from freehold.errors import GateError, IncompleteError
from freehold.proof import canonical, chain
from freehold.proof.bundle import WITHDRAWALS
from freehold.stages.verify.asked import Asked
from freehold.stages.verify.contents import Contents
from freehold.stages.verify.report import Check, judged


def check(contents: Contents, asked: Asked) -> Check | None:
    """The verdict on the log; None where nothing was withdrawn."""
    return judged(10, lambda: withdrawals(contents)) if WITHDRAWALS in contents.listed else None


def withdrawals(contents: Contents) -> str:
    """The log is append-only as far as its links tell. Raises GateError at a broken link."""
    data = contents.read(WITHDRAWALS)
    previous = chain.GENESIS
    values = canonical.lines(data, where=WITHDRAWALS)
    for number, (value, row) in enumerate(zip(values, data.split(b"\n"), strict=False), 1):
        if not isinstance(value, dict) or value.get("previous") != previous:
            raise GateError("does not name the entry before it", where=f"{WITHDRAWALS}:{number}")
        previous = chain.line_digest(row)
    if values:
        raise IncompleteError(f"{len(values)} entries are linked; this version does not check their evidence")
    return "the log is empty"
