"""The files of all sources as units of work: what is to be read, and what reading left of each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from freehold.charter import Charter
from freehold.stage import Stage
from freehold.stages.curate import frame, notices, output
from freehold.stages.curate.listing import listed
from freehold.stages.curate.reading import Reading, read
from freehold.text.notices import Notice
from freehold.text.privacy import redact_address

ROWS_PER_FILE: Final = 1 << 40  # rows are numbered file by file in reading order
ALONE_BYTES: Final = 2_000_000  # below this, starting worker processes costs more than it saves


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A source file, its parts, and what reading it counted."""

    source: str
    name: str
    folder: Path
    judged: tuple[Path, ...]
    counts: dict[str, Any]

    def drop_parts(self) -> list[Path]:
        """What the reader dropped."""
        return [self.folder / f"drops-{part:05d}.parquet" for part in range(self.counts["drop_parts"])]

    def notices(self) -> list[Path]:
        """What the reader found of hosts' robots.txt and tdmrep.json."""
        return [self.folder / f"notices-{part:05d}.parquet" for part in range(self.counts.get("notices", 0))]


def readings(charter: Charter, folder: Path, *, digests: Mapping[str, str]) -> list[Reading]:
    """Every file of every source, numbered in reading order; `digests` are those that the attestation names."""
    entries = [(source, entry) for source in charter.sources for entry in listed(charter, source)]
    return [
        Reading(
            path=str(entry.path),
            name=entry.name,
            source=source.name,
            declared=source.format,
            limit=charter.curate.max_characters,
            first_row=number * ROWS_PER_FILE,
            folder=str(folder / f"{number:06d}"),
            sha256=digests.get(entry.name),
            fault=entry.fault,
            retrieved=entry.retrieved,
            licence=entry.licence,
            evidence=entry.evidence,
        )
        for number, (source, entry) in enumerate(entries)
    ]


def unit_of(reading: Reading, scratch: Path) -> Unit:
    """The unit that a finished reading has become."""
    folder = Path(reading.folder)
    counts = json.loads(read(json.dumps(asdict(reading))))  # it is done: this only looks at its mark
    judged = tuple(scratch / "judged" / folder.name / f"part-{part:05d}.parquet" for part in range(counts["parts"]))
    return Unit(source=reading.source, name=reading.name, folder=folder, judged=judged, counts=counts)


def read_sources(stage: Stage, tasks: list[Reading]) -> list[Unit]:
    """Source files as raw parts."""
    size = sum(size_of(Path(reading.path)) for reading in tasks)
    with stage.progress.task("read", total=len(tasks), unit="files") as task:
        records = 0
        for result in frame.each(read, [json.dumps(asdict(reading)) for reading in tasks], processes=cores(size)):
            records += json.loads(result)["read"]
            task.advance(1, records=records)
    return [unit_of(reading, stage.scratch) for reading in tasks]


def said_in(charter: Charter, units: list[Unit]) -> list[Notice]:
    """What the owners of the texts say in notices, archived or brought along."""
    return notices.gather(charter, [path for unit in units for path in unit.notices()])


def drops_of(units: list[Unit], redact: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """The ledger's lines for what readers and rules turned away, file by file, without addresses of people."""
    for unit in units:
        for line in output.ledger_rows(unit.drop_parts(), unit.judged):
            yield line | {"id": redact_address(line["id"], rules=redact).text}


def size_of(path: Path) -> int:
    """Bytes of a file; none where it has vanished, which its reading will say."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def cores(size: int) -> int:
    """Processes worth starting for so many bytes of work."""
    return frame.cores() if size > ALONE_BYTES or frame.on_ray() else 1
