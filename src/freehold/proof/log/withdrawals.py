"""The log of withdrawals: who asked for which documents to go, and what was promised; append-only and signed.

One line an entry, canonical JSON. Each names the line before it by SHA-256 and carries a signature of the
publisher's key (DSSE over the entry without its signature), so no line can be changed, dropped or moved without the
key, and not with the key either where somebody kept an earlier head (`consistency`).

    W0  received            W1  excluded from every future build
    W2  not emitted in serving            W3  not in the weights            W4  its adapter was removed

Levels above W0 are promises of their own, each with evidence of its own; none contains another.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from freehold.errors import GateError, InputError
from freehold.proof import canonical, chain
from freehold.proof.digests import read_bytes
from freehold.proof.log import consistency
from freehold.proof.log.consistency import Head
from freehold.proof.log.entry import LEVELS, Entry, Withdrawn, checked, signed, signed_by
from freehold.proof.writing import write

__all__ = ["LEVELS", "Entry", "Withdrawn", "signed_by"]

MAX_LOG_BYTES = 16 << 20


def parse(data: bytes, *, where: str) -> tuple[Entry, ...]:
    """All entries of a log, every link checked; who signed them is `signed_by`'s to tell.

    Raises GateError with file and line: a line that is not canonical, a wrong number or link, a field of the wrong
    kind, a document that a level names twice, a log that was cut off within a line.
    """
    if data and not data.endswith(b"\n"):
        raise GateError("the log ends within a line", where=where)
    values = canonical.lines(data, where=where, max_bytes=MAX_LOG_BYTES)
    rows = data.removesuffix(b"\n").split(b"\n")
    entries: list[Entry] = []
    previous, seen = chain.GENESIS, set[tuple[str, str]]()
    for number, (value, row) in enumerate(zip(values, rows, strict=False), 1):
        place = f"{where}:{number}"
        entry = checked(value, where=place)
        if entry.line() != row:
            raise GateError("not written canonically: a byte in it means nothing", where=place)
        if (entry.number, entry.previous) != (number, previous):
            raise GateError("does not follow the entry before it", where=place)
        again = [one.id for one in entry.documents if (entry.level, one.id) in seen]
        if again:
            raise GateError(f"{again[0]} was withdrawn at {entry.level} before", where=place)
        seen |= {(entry.level, one.id) for one in entry.documents}
        entries.append(entry)
        previous = chain.line_digest(row)
    return tuple(entries)


def read(path: Path | None) -> tuple[Entry, ...]:
    """The log in a file; none where there is no file yet. Raises InputError where it is broken or was edited."""
    if path is None or not path.exists():
        return ()
    try:
        return parse(read_bytes(path, max_bytes=MAX_LOG_BYTES), where=str(path))
    except GateError as error:
        advice = "restore the log from a release or a copy: it is only ever added to, by freehold withdraw"
        raise InputError(
            f"the log of withdrawals is broken: {error.message}", where=error.where, remedy=advice
        ) from None


def append(path: Path, draft: Entry, *, key: ec.EllipticCurvePrivateKey) -> Entry:
    """Add an entry; number, link and signature are filled in. Returns it as it stands in the log.

    The file is replaced in one step and flushed, so a killed call leaves the old log or the new one. Raises
    InputError where the log is broken, another call is at it, or the entry is none that `parse` would take.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with alone(path):
        entries = read(path)
        linked = replace(
            draft,
            number=len(entries) + 1,
            documents=tuple(sorted(draft.documents, key=lambda one: one.id)),
            previous=chain.line_digest(entries[-1].line()) if entries else chain.GENESIS,
        )
        entry = signed(linked, key)
        data = b"".join(one.line() + b"\n" for one in (*entries, entry))
        try:
            parse(data, where=str(path))
        except GateError as error:
            raise InputError(error.message, where=error.where, remedy="correct the withdrawal") from None
        write(path, data)
    return entry


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the log's folder against every other `append`. Raises InputError at once where another holds it."""
    handle = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            advice = "wait for it, then run this again"
            raise InputError("another withdrawal is being written", where=str(path), remedy=advice) from None
        yield
    finally:
        os.close(handle)


def withdrawn(entries: Iterable[Entry], level: str) -> frozenset[str]:
    """Ids of the documents that have an entry of exactly this level."""
    return frozenset(one.id for one in documents(entries, level))


def documents(entries: Iterable[Entry], level: str) -> tuple[Withdrawn, ...]:
    """The documents that have an entry of exactly this level, by id."""
    found = (one for entry in entries if entry.level == level for one in entry.documents)
    return tuple(sorted(found, key=lambda one: one.id))


def filter_path(log: Path, digest: str) -> Path:
    """Where a filter stands: beside the log, under its digest."""
    return log.parent / "withdrawn-filters" / f"{digest}.filter"


def tombstones(entries: Iterable[Entry]) -> frozenset[str]:
    """Ids of the documents whose text is shown to nobody any more: every level but W0, which promises nothing yet."""
    return frozenset(one.id for entry in entries if entry.level != "W0" for one in entry.documents)


def levels_of(entries: Iterable[Entry], document: str) -> dict[str, Entry]:
    """What was promised of a document: level → its entry."""
    return {entry.level: entry for entry in entries for one in entry.documents if one.id == document}


def head(entries: Sequence[Entry]) -> Head:
    """The Merkle head over the entries' lines."""
    return consistency.head_of([entry.line() for entry in entries])
