"""Canaries are a source of their own: counted, licensed, never judged, never held out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from legal_prose import prose

from freehold import charter_file
from freehold.errors import InputError
from freehold.stage import Stage
from freehold.text import canaries

FACTS = {"origin": "o", "licence": "public-domain-law", "language": "deu"}
CALM = {"path": "a.jsonl"} | FACTS


@pytest.fixture
def texts(tmp_path: Path) -> None:
    rows = [{"id": f"d{number}", "text": prose("deu", number)} for number in range(20)]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def rows_in(folder: Path) -> list[dict[str, Any]]:
    return [row for path in sorted(folder.glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


@pytest.mark.usefixtures("texts")
def test_canaries_join_the_training_text_alone(
    charter_of: Callable[..., Path], curated_from: Callable[[Path], Stage]
) -> None:
    stage = curated_from(charter_of({"law": CALM}, curate="canaries = 3"))
    planted = canaries.planted(["deu"], seed=stage.charter.train.seed, count=3)
    found = [row for row in rows_in(stage.output / "documents") if row["source"] == canaries.SOURCE]
    assert {row["id"]: row["text"] for row in found} == {
        name: canary.text for canary in planted for name in canary.documents
    }
    assert {(row["licence"], row["language"]) for row in found} == {("CC0-1.0", "deu")}
    assert not any(row["source"] == canaries.SOURCE for row in rows_in(stage.output / "held_out"))
    told = json.loads((stage.output / "canaries.json").read_text())
    assert canaries.planted(told["languages"], seed=told["seed"], count=told["count"]) == planted


@pytest.mark.usefixtures("texts")
def test_every_account_names_them(charter_of: Callable[..., Path], curated_from: Callable[[Path], Stage]) -> None:
    stage = curated_from(charter_of({"law": CALM}, curate="canaries = 2"))
    number = 2 * sum(canaries.TIMES)
    lines = (stage.output / "sources.jsonl").read_text(encoding="utf-8").splitlines()
    source = {row["name"]: row for row in map(json.loads, lines)}[canaries.SOURCE]
    assert (source["documents_kept"], source["licence"], source["files"]) == (number, "CC0-1.0", [])
    assert source["synthetic"].startswith("synthetic:")
    summary = json.loads((stage.output / "curate.json").read_text())
    assert summary["documents_kept"] == 20 + number
    rights = json.loads((stage.output / "rights.json").read_text())
    assert sum(row["documents"] for row in rights["rows"] if row["source"] == canaries.SOURCE) == number
    croissant = json.loads((stage.output / "croissant.json").read_text())
    assert any("synthetic" in part["sourceOrganization"] for part in croissant["isBasedOn"])


@pytest.mark.usefixtures("texts")
def test_they_change_nothing_else(charter_of: Callable[..., Path], curated_from: Callable[[Path], Stage]) -> None:
    plain = curated_from(charter_of({"law": CALM}))
    kept, apart = rows_in(plain.output / "documents"), rows_in(plain.output / "held_out")
    assert not (plain.output / "canaries.json").exists()
    planted = curated_from(charter_of({"law": CALM}, curate="canaries = 1"))
    with_them = rows_in(planted.output / "documents")
    assert [row for row in with_them if row["source"] != canaries.SOURCE] == kept
    assert rows_in(planted.output / "held_out") == apart


@pytest.mark.usefixtures("texts")
def test_they_need_a_licence_and_their_name(charter_of: Callable[..., Path]) -> None:
    path = charter_of({"law": CALM}, curate="canaries = 1")
    path.write_text(path.read_text().replace(', "CC0-1.0"]', "]"))
    with pytest.raises(InputError, match=r"curate.canaries: canaries are under CC0-1.0"):
        charter_file.load(path)
    with pytest.raises(InputError, match="a name of ours"):
        charter_file.load(charter_of({"canaries": CALM}))


@pytest.mark.usefixtures("texts")
def test_where_domains_are_mixed_they_go_along_with_one_that_is_read(charter_of: Callable[..., Path]) -> None:
    path = charter_of({"law": CALM | {"domain": "statutes"}}, curate="canaries = 1")
    path.write_text(path.read_text() + "[mixture.domains]\nstatutes = 1.0\n")
    assert charter_file.load(path).domains == {"law": "statutes", "canaries": "statutes"}
