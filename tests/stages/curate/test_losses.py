"""Faults of files are counted, the rest goes on, and too many of them stop the stage; what surrounds a file is told."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import made_files as made
import pyarrow.parquet as pq
import pytest
from legal_prose import prose

from freehold import charter_file
from freehold.errors import InputError
from freehold.stage import Stage
from freehold.stages.curate.listing import listed
from freehold.stages.curate.parts import read_rows
from freehold.stages.curate.reading import Shelf
from freehold.stages.curate.units import readings as tasks

Write = Callable[..., Path]
Curate = Callable[[Path], Stage]
FACTS = {"path": "laws", "origin": "o", "licence": "CC0-1.0", "language": "deu"}


def rows(stage: Stage, name: str) -> list[dict[str, Any]]:
    return [row for path in sorted((stage.output / name).glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


@pytest.fixture
def laws(tmp_path: Path) -> Path:
    """Twenty good files, and a fault of every kind among them."""
    folder = tmp_path / "laws"
    folder.mkdir()
    for number in range(20):
        (folder / f"g{number:02d}.txt").write_text(prose("deu", number), encoding="utf-8")
    (folder / "bomb.txt.gz").write_bytes(gzip.compress(b"\0" * 100_000_000))
    (folder / "cut.txt.gz").write_bytes(gzip.compress(prose("deu", 50).encode())[:-40])
    (folder / "book.epub").write_bytes(b"PK\x03\x04 no zip")
    (folder / "paper.pdf").write_bytes(made.pdf([""]))
    (folder / "latin.txt").write_bytes("Grüße".encode("latin-1"))
    (folder / "deep.html").write_text("<div>" * 300_000, encoding="utf-8")
    (folder / "loop").symlink_to(folder)
    return folder


def test_every_fault_has_its_reason(laws: Path, charter_of: Write, curated_from: Curate) -> None:
    stage = curated_from(charter_of({"laws": FACTS}, curate="max_lost = 0.5"))
    told = {
        row["id"]: row["reason"]
        for row in pq.read_table(stage.output / "ledger.parquet").to_pylist()
        if row["id"].startswith("laws/")
    }
    assert told == {
        "laws/bomb.txt.gz": "archive-bomb",
        "laws/cut.txt.gz": "broken-file",
        "laws/book.epub": "broken-archive",
        "laws/paper.pdf": "no-text",
        "laws/latin.txt": "invalid-utf8",
        "laws/deep.html": "hostile-markup",
        "laws/loop": "symlink-loop",
    }
    assert len(rows(stage, "documents")) + len(rows(stage, "held_out")) == 20


def test_too_many_faults_stop_the_stage(laws: Path, charter_of: Write, curated_from: Curate) -> None:
    charter = charter_of({"laws": FACTS})
    with pytest.raises(InputError, match=r'"laws" lost 6 of 27 records to faults of its files.*max_lost = 0.1'):
        curated_from(charter)


def test_what_a_rule_turns_away_is_not_lost(tmp_path: Path, charter_of: Write, curated_from: Curate) -> None:
    (tmp_path / "laws").mkdir()
    (tmp_path / "laws" / "long.txt").write_text(prose("deu", 1), encoding="utf-8")
    for number in range(9):
        (tmp_path / "laws" / f"{number}.txt").write_text("zu kurz", encoding="utf-8")
    assert len(rows(curated_from(charter_of({"laws": FACTS}, curate="max_lost = 0.0")), "documents")) == 1


def test_a_file_that_changed_since_the_start_is_not_read(tmp_path: Path, charter_of: Write) -> None:
    (tmp_path / "laws").mkdir()
    for number in range(3):
        (tmp_path / "laws" / f"{number}.txt").write_text(prose("deu", number), encoding="utf-8")
    declared = charter_file.load(charter_of({"laws": FACTS}))
    (task, *_) = tasks(declared, tmp_path / "raw", digests={"laws/0.txt": "0" * 64})
    shelf = Shelf(task, Path(task.folder))
    shelf.folder.mkdir(parents=True)
    shelf.fill()
    (drop,) = read_rows(shelf.folder / "drops-00000.parquet")
    assert drop["reason"] == "changed-file"


def test_a_licence_file_speaks_where_the_charter_does_not(tmp_path: Path, charter_of: Write) -> None:
    (tmp_path / "laws").mkdir()
    (tmp_path / "laws" / "LICENSE").write_text("CC0 1.0 Universal\n\nStatement of Purpose", encoding="utf-8")
    (tmp_path / "laws" / "a.txt").write_text(prose("deu", 1), encoding="utf-8")
    silent = charter_file.load(charter_of({"laws": {key: FACTS[key] for key in ("path", "origin")}}))
    _, entry = listed(silent, silent.sources[0])
    assert (entry.name, entry.licence) == ("laws/a.txt", "CC0-1.0")
    assert (entry.evidence or "").startswith("LICENSE (SHA-256 ")
    spoken = charter_file.load(charter_of({"laws": FACTS}))
    assert listed(spoken, spoken.sources[0])[1].licence is None


def test_an_archive_of_the_web(tmp_path: Path, charter_of: Write, curated_from: Curate) -> None:
    pages: list[made.Response] = [
        (f"https://e.org/{n}", 200, "text/html", made.html(prose("deu", n)), {"TDM-Reservation": "0"}) for n in range(3)
    ]
    robots: made.Response = ("https://e.org/robots.txt", 200, "text/plain", b"User-agent: *", {})
    (tmp_path / "crawl.warc.gz").write_bytes(made.warc([robots, *pages]))
    stage = curated_from(charter_of({"web": FACTS | {"path": "crawl.warc.gz"}}))
    kept = rows(stage, "documents")
    assert {row["retrieved"] for row in kept} == {"2024-05-01T12:00:00Z"}
    assert {row["evidence"] for row in kept} == {"charter"}
    assert all(len(row["checksum"]) == 64 for row in kept)
    (notices,) = (stage.output / ".scratch" / "raw").glob("*/notices-*.parquet")
    assert [(row["host"], row["kind"], row["status"]) for row in read_rows(notices)] == [("e.org", "robots", 200)]
