"""From one source file to raw parts of a few megabytes: the only step that meets the world's file formats.

Runs in a worker process, file by file; leaves `part-00000.parquet …`, `drops-00000.parquet …` and the mark `done.json`.
"""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from freehold.stages.curate.parts import LEDGER, RAW, mark, marked, unfinished, write_table
from freehold.stages.curate.readers import Dropped, Raw, records

PART_CHARACTERS: Final = 3_000_000  # small parts keep every core busy to the end
PART_ROWS: Final = 2_000
DROP_ROWS: Final = 50_000
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


def read(task: str) -> str:
    """Read one source file into parts, unless that was done before. Takes a `Reading` as JSON, returns counts."""
    reading = Reading(**json.loads(task))
    folder = Path(reading.folder)
    counts = finished(folder)
    if counts is None:
        own = unfinished(folder)
        own.mkdir(parents=True)
        counts = Shelf(reading, own).fill()
        mark(own / DONE, counts)
        publish(own, folder)
    return json.dumps(counts, sort_keys=True)


def finished(folder: Path) -> dict[str, Any] | None:
    """What a unit counted when it was read, None while it is not or where a part of it is gone."""
    counts = marked(folder / DONE)
    whole = counts is not None and all(path.is_file() for path in parts_of(folder, counts))
    return counts if whole else None


def publish(own: Path, folder: Path) -> None:
    """Give a finished unit its name; what another machine has finished meanwhile is the same and stays."""
    if finished(folder) is None:
        shutil.rmtree(folder, ignore_errors=True)
    try:
        own.rename(folder)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        shutil.rmtree(own)


def parts_of(folder: Path, counts: Mapping[str, int]) -> list[Path]:
    """Everything that a finished reading has left, drops behind the records."""
    parts = [folder / f"part-{number:05d}.parquet" for number in range(counts["parts"])]
    return parts + [folder / f"drops-{number:05d}.parquet" for number in range(counts["drop_parts"])]


class Shelf:
    """The parts of one source file while they fill."""

    def __init__(self, reading: Reading, folder: Path) -> None:
        self.reading, self.folder = reading, folder
        self.rows: list[dict[str, Any]] = []
        self.drops: list[dict[str, Any]] = []
        self.held = self.parts = self.drop_parts = self.read = self.dropped = 0

    def fill(self) -> dict[str, Any]:
        """Read the file to its end, or to where it breaks."""
        path, name = Path(self.reading.path), self.reading.name
        try:
            sha256, size = digest_file(path)
        except OSError as error:
            sha256, size = "", 0
            self.drop(Dropped(id=name, reason="unreadable-file", detail=error.strerror or "error"))
        else:
            self.read_records(path)
        if not self.read and not self.dropped:
            self.drop(Dropped(id=name, reason="empty-file", detail=f"{size} bytes, no text in them"))
        self.flush()
        self.flush_drops()
        counts = {"parts": self.parts, "drop_parts": self.drop_parts, "read": self.read, "dropped": self.dropped}
        return counts | {"sha256": sha256, "bytes": size}

    def read_records(self, path: Path) -> None:
        """Every record into a part; a file that breaks off keeps what was read and is dropped from there on."""
        reading = self.reading
        stream = records(path, name=reading.name, declared=reading.declared, limit=reading.limit)
        while True:
            try:
                record = next(stream, None)
            except (OSError, EOFError, pa.ArrowException) as error:
                # Arrow's messages name the fault, never the data.
                fault = (str(error).splitlines() or [type(error).__name__])[0].replace(str(path), reading.name)
                detail = f"after {self.read} records: {fault[:120]}"
                self.drop(Dropped(id=reading.name, reason="broken-file", detail=detail))
                return
            if record is None:
                return
            if isinstance(record, Raw):
                self.add(record)
            else:
                self.drop(record)

    def add(self, record: Raw) -> None:
        """One record more; full parts go to disk."""
        self.rows.append(asdict(record) | {"row": self.reading.first_row + self.read})
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


def digest_file(path: Path) -> tuple[str, int]:
    """SHA-256 (hex) and size in bytes."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return sha256, file.tell()
