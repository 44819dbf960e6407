"""Reads one record again, from the charter's files, and judges it again: by the same readers and rules as curation."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from freehold.charter import Charter
from freehold.stages.curate.judging import Judging, judge
from freehold.stages.curate.parts import RAW, read_rows, write_table
from freehold.stages.curate.readers import Raw
from freehold.stages.curate.reading import Reading, read
from freehold.stages.curate.units import readings


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record, or the place where a reader gave it up, and the file it stands in."""

    raw: Raw | None
    file: str  # as sources.jsonl names it
    sha256: str  # of the file
    number: int | None  # of the record in its file, from 1
    notices: tuple[Path, ...] = ()  # what hosts said, where the file is an archive of the web; there while it is read


def records_of(charter: Charter, *, source: str, identity: str, scratch: Path) -> Iterator[Record]:
    """Every record of this id in a source, in reading order; files whose name the id begins with come first.

    A file's records lie in `scratch` while it is looked through, so memory stays that of one part.
    """
    own = [reading for reading in readings(charter, scratch, digests={}) if reading.source == source]
    for reading in sorted(own, key=lambda reading: not identity.startswith(reading.name)):
        yield from in_file(reading, identity)
        shutil.rmtree(reading.folder, ignore_errors=True)


def in_file(reading: Reading, identity: str) -> Iterator[Record]:
    """The records of this id in one file."""
    counts, folder = json.loads(read(json.dumps(asdict(reading)))), Path(reading.folder)
    said = tuple(sorted(folder.glob("notices-*.parquet")))
    file = Record(raw=None, file=reading.name, sha256=counts["sha256"], number=None, notices=said)
    for part in range(counts["parts"]):
        path = folder / f"part-{part:05d}.parquet"
        for row in pq.read_table(path, filters=[("id", "=", identity)]).to_pylist():
            number = row.pop("row") - reading.first_row + 1
            yield replace(file, raw=Raw(**row), number=number)
    for part in range(counts["drop_parts"]):
        if any(row["id"] == identity for row in read_rows(folder / f"drops-{part:05d}.parquet")):
            yield file


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What judging makes of a record read again."""

    row: dict[str, Any]  # as in a judged part: text and facts, or reason and detail
    changes: dict[str, int]  # rule → replacements and repairs


def judged_again(record: Record, *, source: str, rules: Path, scratch: Path) -> list[Judgement]:
    """Judge one record; a text that was parted gives several."""
    if record.raw is None:
        return []
    raw, judged = scratch / "raw.parquet", scratch / "judged" / "part-00000.parquet"
    shutil.rmtree(judged.parent, ignore_errors=True)
    write_table(raw, [asdict(record.raw) | {"row": record.number}], RAW)
    done = judge(json.dumps(asdict(Judging(raw=str(raw), source=source, rules=str(rules), judged=str(judged)))))
    changes = {rule: count for rule, count in sorted(json.loads(done)["changes"].items()) if count}
    return [Judgement(row=row, changes=changes) for row in read_rows(judged)]
