"""Documents withdrawn at W1 stay out, under their own name or another, and nothing else goes with them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from legal_prose import prose

from freehold.proof.tree.sparse import key_of_text
from freehold.stage import Stage
from freehold.stages.curate.rules import Withdrawn

Write = Callable[..., Path]
SOURCE = {"path": "law.jsonl", "origin": "o", "licence": "public-domain-law", "language": "deu"}


def written(path: Path, records: dict[str, str]) -> None:
    rows = [{"id": name, "text": text} for name, text in records.items()]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def ids(stage: Stage) -> set[str]:
    folders = (stage.output / "documents", stage.output / "held_out")
    return {name for folder in folders for path in folder.glob("*") for name in pq.read_table(path)["id"].to_pylist()}


@pytest.fixture
def curated(charter_of: Write, stage_at: Any, tmp_path: Path) -> Callable[..., Stage]:
    """Curate records, some documents withdrawn: curated(records, [(id, key), …])."""
    from freehold.stages.curate.run import run

    numbers = iter(range(9))

    def curate(records: dict[str, str], gone: list[tuple[str, str]]) -> Stage:
        written(tmp_path / "law.jsonl", records)
        output = tmp_path / f"out{next(numbers)}" / "out"
        stage: Stage = stage_at(output, name="curate", charter=charter_of({"law": SOURCE}))
        rows = [{"level": "W1", "id": name, "key": key} for name, key in gone]
        stage.identity = replace(stage.identity, parameters={"withdrawn": rows} if rows else {})
        run(stage)
        return stage

    return curate


def test_a_withdrawn_document_stays_out_under_any_name_and_with_any_text(curated: Callable[..., Stage]) -> None:
    records = {f"law/{number}": prose("deu", number) for number in range(12)}
    assert ids(curated(records, [])) == set(records)
    gone = [("law/3", key_of_text(records["law/3"]).hex()), ("law/4", key_of_text(records["law/4"]).hex())]
    changed = {**records, "law/4": prose("deu", 77), "law/99": f"  {records['law/3']}\n\n"}
    stage = curated({name: text for name, text in changed.items() if name != "law/3"}, gone)
    assert ids(stage) == set(records) - {"law/3", "law/4"}
    drops = pq.read_table(stage.output / "ledger.parquet").to_pylist()
    told = {row["id"]: row["detail"] for row in drops if row["reason"] == "withdrawn"}
    assert told == {"law/4": "named by its id", "law/99": "named by its text"}


def test_a_copy_comes_in_when_the_document_it_repeats_was_withdrawn(curated: Callable[..., Stage]) -> None:
    records = {f"law/{number}": prose("deu", number) for number in range(12)} | {"copy/1": prose("deu", 1) + " Zusatz."}
    assert ids(curated(records, [])) == set(records) - {"copy/1"} or ids(curated(records, [])) == set(records) - {
        "law/1"
    }
    stage = curated(records, [("law/1", "0" * 64)])
    assert "copy/1" in ids(stage)


def test_nobody_withdrawn_names_nobody() -> None:
    assert Withdrawn().names("law/1", "any text") is None
