"""Lineage: the steps that learned a document, as looking into every batch finds them; the story; the drawing."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

from freehold.errors import InputError
from freehold.learn.phases import Curriculum
from freehold.learn.shards import Shards
from freehold.proof.statements import stage_statement
from freehold.records import canonical_json
from freehold.stages.lineage.drawing import cut, drawing
from freehold.stages.lineage.story import lines, story
from freehold.stages.train.run import consumption
from freehold.store.workspace import Workspace, seal

RECIPE = {
    "data": "d" * 64,
    "seed": 7,
    "steps": 12,
    "sequence": 64,
    "samples": 2,
    "micro": 2,
    "shares": {"deu": 0.5, "jpn": 0.5},
}


def keep(home: Workspace, stage: str, files: dict[str, bytes], **inputs: str) -> str:
    """Seal a small artifact with its attestation; its digest."""
    partial = home.partial(stage, "k" * 64)
    for name, data in files.items():
        (partial / name).parent.mkdir(parents=True, exist_ok=True)
        (partial / name).write_bytes(data)
    return attest(home, stage, partial, **inputs)


def attest(home: Workspace, stage: str, partial: Path, **inputs: str) -> str:
    digest, manifest = seal(partial)
    statement = stage_statement(
        stage=stage, format=1, code="c" * 64, parameters={}, inputs=inputs, files={}, output=digest,
        manifest=manifest, figures={}, environment={}, started=1.0, finished=2.0,
    )  # fmt: skip
    home.keep(stage, "k" * 64, digest=digest, statement=statement)
    return digest


@pytest.fixture
def home(curated: Path, tokenized: Path, tmp_path: Path) -> tuple[Workspace, dict[str, str]]:
    """A workspace with a whole journey, weights made up; and the digests of its artifacts."""
    import shutil

    home = Workspace(tmp_path / ".freehold")
    for name, folder in (("curate", curated), ("tokenize", tokenized)):
        shutil.copytree(folder, home.partial(name, "k" * 64), ignore=shutil.ignore_patterns(".scratch"))
    rows = [{"name": "deu-law", "licence": "CC0-1.0", "origin": "o"}, {"name": "jpn-law", "licences": {"CC-BY-4.0": 2}}]
    (home.partial("curate", "k" * 64) / "sources.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    made = {"curate": attest(home, "curate", home.partial("curate", "k" * 64))}
    made["tokenize"] = attest(home, "tokenize", home.partial("tokenize", "k" * 64), curate=made["curate"])
    shards = Shards.open(tokenized)
    consumed = consumption(Curriculum(shards, RECIPE).consumed(), shards=shards)
    files = {"recipe.json": canonical_json(RECIPE), "consumed.json": canonical_json(consumed)}
    made["train"] = keep(home, "train", files | {"model/model.safetensors": b"w"}, tokenize=made["tokenize"])
    made["evaluate"] = keep(home, "evaluate", {"results.json": b"{}"}, curate=made["curate"], train=made["train"])
    made["release"] = keep(home, "release", {"report.html": b"x"}, curate=made["curate"], evaluate=made["evaluate"])
    return home, made


def test_the_steps_are_those_whose_batches_hold_the_document(home: Any, tokenized: Path) -> None:
    workspace, made = home
    shards = Shards.open(tokenized)
    curriculum = Curriculum(shards, RECIPE)
    batches = {step: curriculum.at(step - 1).documents for step in range(1, 13)}
    for document in shards.documents[:12]:
        found = story(workspace, document)
        (run,) = found["learned"]
        assert run["artifact"] == made["train"] and run["of"] == 12
        assert run["steps"] == [step for step, held in batches.items() if document in held]
        assert found["releases"] == [made["release"]] and found["document"]["fate"] == "trained on"
        assert bool(run["ranges"]) or not run["steps"] or len(run["steps"]) <= 2  # as a target alone


def test_a_held_out_document_was_measured_and_never_learned(home: Any, law: list[dict[str, Any]]) -> None:
    found = story(home[0], law[0]["id"])
    assert found["document"]["fate"] == "held out" and found["evaluated"] == [home[1]["evaluate"]]
    assert found["learned"][0]["steps"] == []


def test_weights_lead_back_to_sources_with_their_licences(home: Any) -> None:
    workspace, made = home
    weights = __import__("hashlib").sha256(b"w").hexdigest()
    for question in (weights, weights[:12], made["train"], str(workspace.folder)):
        found = story(workspace, question)
        assert {row["name"]: row["licences"] for row in found["sources"]} == {
            "deu-law": ["CC0-1.0"],
            "jpn-law": ["CC-BY-4.0"],
        }
        assert {step["stage"] for step in found["steps"]} == set(made)
        assert any("CC-BY-4.0" in line for line in lines(found))


@pytest.mark.parametrize("where", ["nothing", "0" * 64, "deadbee"])
def test_what_the_ledger_does_not_know_is_named(home: Any, where: str) -> None:
    with pytest.raises(InputError, match="knows nothing called"):
        story(home[0], where)


def test_the_drawing_has_every_step_and_no_line_twice(home: Any, tokenized: Path) -> None:
    workspace, made = home
    for question in (made["train"], Shards.open(tokenized).documents[0]):
        drawn = ElementTree.fromstring(drawing(story(workspace, question)))
        texts = {text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")}
        assert {"curate", "tokenize", "train", "evaluate", "release"} <= texts
        paths = [path.get("d") for path in drawn.iter("{http://www.w3.org/2000/svg}path")]
        first = 2 if question == made["train"] else 1
        assert len(paths) == len(set(paths)) == first + 4  # the release follows from the evaluation


def test_hostile_names_are_text(home: Any) -> None:
    found = story(home[0], home[1]["train"])
    found["sources"][0]["name"] = "<script>alert(1)</script>"
    assert b"<script" not in drawing(found)
    assert len(cut("x" * 500, 20)) == 20
