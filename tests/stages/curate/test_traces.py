"""What curation leaves beside the documents: clusters, sketches for a later run, the packs' report."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from legal_prose import edited, prose

from freehold.errors import InputError
from freehold.stage import Stage

GUID = "3f2b8c1e-0000-4000-8000-0123456789ab"
QUESTION = {
    "id": "q1",
    "question": "In welchem Jahr trat das Gesetz über die Ordnung der Gewässer des Landes am ersten Mai in Kraft?",
    "choices": ["1957", "1960"],
    "answer": 0,
}
SHORT = {"id": "q2", "question": "Ja?", "choices": ["Ja", "Nein"], "answer": 1, "canary": GUID}
FACTS = {"origin": "o", "licence": "CC0-1.0", "language": "deu"}


def write_jsonl(path: Path, records: list[dict[str, Any]]) -> None:
    """A JSON Lines file."""
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")


def ledger(stage: Stage) -> dict[str, tuple[str, str]]:
    """Id → reason and detail."""
    rows = pq.read_table(stage.output / "ledger.parquet").to_pylist()
    return {row["id"]: (row["reason"], row["detail"]) for row in rows}


def test_clusters_packs_and_an_earlier_corpus(
    charter_of: Callable[..., Path], curated_from: Callable[[Path], Stage], tmp_path: Path
) -> None:
    texts = [{"id": f"d{number}", "text": prose("deu", number)} for number in range(20)]
    asked = f"{QUESTION['question']} 1957.\n"
    texts += [
        {"id": "same", "text": texts[2]["text"]},
        {"id": "near", "text": edited(texts[3]["text"], share=0.1, seed=1, spaced=True)},
        {"id": "leak", "text": prose("deu", 30) + asked},
        {"id": "copied", "text": f"{prose('deu', 32)} canary GUID {GUID}"},
        {"id": "quotation", "text": f"{prose('deu', 31)} {asked[:-50]}"},
    ]
    write_jsonl(tmp_path / "a.jsonl", texts)
    write_jsonl(tmp_path / "pack.jsonl", [QUESTION, SHORT])
    charter = charter_of({"law": FACTS | {"path": "a.jsonl"}})
    charter.write_text(charter.read_text() + '[evaluate]\npacks = ["pack.jsonl"]\n')
    first = curated_from(charter)
    assert {name: reason for name, (reason, _) in ledger(first).items()} == {
        "same": "exact-duplicate",
        "near": "near-duplicate",
        "leak": "contaminated",
        "copied": "contaminated",
    }
    assert ledger(first)["copied"][1] == "pack.jsonl, its canary"
    assert ledger(first)["leak"][1] == "pack.jsonl q1, 1 items"
    report = json.loads((first.output / "decontamination.json").read_text())
    assert report["packs"]["pack.jsonl"] == {
        "items": 2,
        "items_too_short": 1,
        "items_overlapping": 1,
        "items_contaminating": 1,
        "documents_overlapping": 1,
        "documents_contaminated": 1,
        "documents_dropped": 1,
        "canaries": {GUID: 1},
    }
    clusters = pq.read_table(first.output / "clusters.parquet").to_pylist()
    assert [(row["cluster"], row["id"], row["kind"], row["kept"]) for row in clusters] == [
        (0, "d2", "exact", True),
        (0, "same", "exact", False),
        (1, "d3", "near", True),
        (1, "near", "near", False),
    ]
    sketches = pq.read_table(first.output / "sketches.parquet")
    assert len(sketches) == 21
    assert "text" not in sketches.column_names

    write_jsonl(tmp_path / "a.jsonl", [texts[1], {"id": "again", "text": texts[21]["text"]}, *texts[-1:], *later()])
    again = charter_of({"law": FACTS | {"path": "a.jsonl"}}, curate=f'against = ["{first.output}"]')
    second = curated_from(again)
    found = ledger(second)
    assert found["d1"] == ("exact-duplicate", "of d1 in an earlier corpus")
    assert found["again"][0] == "near-duplicate"
    assert found["quotation"][0] == "exact-duplicate"
    assert len(found) == 3


def later() -> list[dict[str, Any]]:
    """Documents that no earlier corpus has."""
    return [{"id": f"new{number}", "text": prose("deu", 50 + number)} for number in range(12)]


def test_a_pack_or_corpus_that_cannot_be_read_is_told_at_once(
    charter_of: Callable[..., Path], curated_from: Callable[[Path], Stage], tmp_path: Path
) -> None:
    write_jsonl(tmp_path / "a.jsonl", later())
    (tmp_path / "bad.jsonl").write_text('{"id": "q"}\n')
    (tmp_path / "sketches.parquet").write_text("no Parquet")
    packs = charter_of({"law": FACTS | {"path": "a.jsonl"}})
    packs.write_text(packs.read_text() + '[evaluate]\npacks = ["bad.jsonl"]\n')
    with pytest.raises(InputError, match=r"bad\.jsonl:1: not a question"):
        curated_from(packs)
    against = charter_of({"law": FACTS | {"path": "a.jsonl"}}, curate='against = ["."]')
    with pytest.raises(InputError, match="the sketches of an earlier release cannot be read"):
        curated_from(against)


def test_repairs_are_logged_of_kept_documents_and_without_addresses(
    charter_of: Callable[..., Path], curated_from: Callable[[Path], Stage], tmp_path: Path
) -> None:
    soft = "ver\u00adordnung "
    texts = [{"id": f"d{n}", "text": prose("deu", n)} for n in range(12)]
    texts.append({"id": "anna@example.org/1", "text": soft + prose("deu", 20)})
    texts.append({"id": "leak", "text": f"{soft}{prose('deu', 21)} {QUESTION['question']} {QUESTION['choices'][0]}"})
    write_jsonl(tmp_path / "a.jsonl", texts)
    write_jsonl(tmp_path / "pack.jsonl", [QUESTION | {"answer": 0}])
    charter = charter_of({"law": FACTS | {"path": "a.jsonl"}})
    charter.write_text(charter.read_text() + '[evaluate]\npacks = ["pack.jsonl"]\n')
    stage = curated_from(charter)
    assert ledger(stage)["leak"][0] == "contaminated"
    assert {row["id"] for row in pq.read_table(stage.output / "repairs.parquet").to_pylist()} == {"<EMAIL>/1"}
