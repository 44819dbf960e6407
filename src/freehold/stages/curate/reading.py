"""From one source file to raw parts of a few megabytes: the only step that meets the world's file formats.

Runs in a worker process, file by file; leaves `part-00000.parquet …`, `drops-00000.parquet …`, of an archive of the
web `notices-00000.parquet …`, and the mark `done.json`.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from freehold.stages.curate.parts import LEDGER, NOTICES, RAW, mark, marked, write_table
from freehold.stages.curate.readers import Dropped, Found, Notice, Raw, records
from freehold.stages.curate.streams import Bomb

PART_CHARACTERS: Final = 3_000_000  # small parts keep every core busy to the end
PART_ROWS: Final = 2_000
DROP_ROWS: Final = 50_000
NOTICE_ROWS: Final = 1_000
DONE: Final = "done.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One source file to read; every field survives JSON."""

    path: str
    name: str  # of the file in ids and in sources.jsonl: source/path below the source's folder
    source: str
    declared: str  # format
    limit: int  # characters of the longest record
    first_row: int  # of the file's records, so that rows are unique and in reading order
    folder: str  # of the file's parts
    sha256: str | None = None  # of the file when the stage was identified
    fault: str | None = None  # why it cannot be followed, found while listing
    retrieved: str | None = None  # what its surroundings say of every record that says nothing itself
    licence: str | None = None
    evidence: str | None = None


def read(task: str) -> str:
    """Read one source file into parts, unless that was done before. Takes a `Reading` as JSON, returns counts."""
    reading = Reading(**json.loads(task))
    folder = Path(reading.folder)
    counts = marked(folder / DONE)
    if counts is None or any(not path.is_file() for path in parts_of(folder, counts)):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        counts = Shelf(reading, folder).fill()
        mark(folder / DONE, counts)
    return json.dumps(counts, sort_keys=True)


def parts_of(folder: Path, counts: Mapping[str, int]) -> list[Path]:
    """Everything that a finished reading has left: records, drops, notices."""
    kinds = (("part", "parts"), ("drops", "drop_parts"), ("notices", "notices"))
    return [folder / f"{kind}-{number:05d}.parquet" for kind, count in kinds for number in range(counts[count])]


class Shelf:
    """The parts of one source file while they fill."""

    def __init__(self, reading: Reading, folder: Path) -> None:
        self.reading, self.folder = reading, folder
        self.rows: list[dict[str, Any]] = []
        self.drops: list[dict[str, Any]] = []
        self.notices: list[dict[str, Any]] = []
        self.held = self.parts = self.drop_parts = self.notice_parts = self.read = self.dropped = 0

    def fill(self) -> dict[str, Any]:
        """Read the file to its end, or to where it breaks."""
        path, name = Path(self.reading.path), self.reading.name
        sha256, size = "", 0
        try:
            if self.reading.fault is None:
                sha256, size = digest_file(path)
        except OSError as error:
            self.drop(Dropped(id=name, reason="unreadable-file", detail=error.strerror or "error"))
        if self.reading.fault is not None:
            self.drop(Dropped(id=name, reason=self.reading.fault, detail="not followed"))
        elif sha256 and self.reading.sha256 not in (None, sha256):
            self.drop(Dropped(id=name, reason="changed-file", detail="not the file that the stage began with"))
        elif sha256:
            self.read_records(path)
        if not self.read and not self.dropped:
            self.drop(Dropped(id=name, reason="empty-file", detail=f"{size} bytes, no text in them"))
        self.flush()
        self.flush_drops()
        self.flush_notices()
        counts = {"parts": self.parts, "drop_parts": self.drop_parts, "notices": self.notice_parts}
        return counts | {"read": self.read, "dropped": self.dropped, "sha256": sha256, "bytes": size}

    def read_records(self, path: Path) -> None:
        """Every record into a part; a file that breaks off keeps what was read and is dropped from there on."""
        reading = self.reading
        stream = records(path, name=reading.name, declared=reading.declared, limit=reading.limit)
        while True:
            try:
                record = next(stream, None)
            except (OSError, EOFError, ValueError, zlib.error, pa.ArrowException) as error:
                reason = "archive-bomb" if isinstance(error, Bomb) else "broken-file"
                detail = f"after {self.read} records: {fault_of(error).replace(str(path), reading.name)[:120]}"
                self.drop(Dropped(id=reading.name, reason=reason, detail=detail))
                return
            if record is None:
                return
            self.shelve(record)

    def shelve(self, found: Found) -> None:
        """What a reader found goes where it belongs."""
        if isinstance(found, Raw):
            self.add(found)
        elif isinstance(found, Notice):
            self.notices.append(asdict(found))
            if len(self.notices) >= NOTICE_ROWS:
                self.flush_notices()
        else:
            self.drop(found)

    def add(self, record: Raw) -> None:
        """One record more; full parts go to disk."""
        reading = self.reading
        if record.licence is None and reading.licence is not None:
            record = replace(record, licence=reading.licence, evidence=reading.evidence)
        if record.retrieved is None:
            record = replace(record, retrieved=reading.retrieved)
        self.rows.append(asdict(record) | {"row": reading.first_row + self.read})
        self.read += 1
        self.held += len(record.text)
        if self.held >= PART_CHARACTERS or len(self.rows) >= PART_ROWS:
            self.flush()

    def drop(self, dropped: Dropped) -> None:
        """One line of the ledger more."""
        self.drops.append(asdict(dropped) | {"source": self.reading.source})
        self.dropped += 1
        if len(self.drops) >= DROP_ROWS:
            self.flush_drops()

    def flush(self) -> None:
        """Write the records held as the next part."""
        if self.rows:
            write_table(self.folder / f"part-{self.parts:05d}.parquet", self.rows, RAW)
            self.parts += 1
            self.rows, self.held = [], 0

    def flush_drops(self) -> None:
        """Write the drops held as the next piece of the ledger."""
        if self.drops:
            write_table(self.folder / f"drops-{self.drop_parts:05d}.parquet", self.drops, LEDGER)
            self.drop_parts += 1
            self.drops = []

    def flush_notices(self) -> None:
        """Write the notices held."""
        if self.notices:
            write_table(self.folder / f"notices-{self.notice_parts:05d}.parquet", self.notices, NOTICES)
            self.notice_parts += 1
            self.notices = []


def fault_of(error: Exception) -> str:
    """A fault in one line. Messages of Arrow and of the system name the fault; others may quote the data."""
    if isinstance(error, OSError | pa.ArrowException):
        return (str(error).splitlines() or [type(error).__name__])[0]
    return type(error).__name__


def digest_file(path: Path) -> tuple[str, int]:
    """SHA-256 (hex) and size in bytes."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return sha256, file.tell()
