"""A curated corpus of real law, small enough to tokenize in a second, and stages to run over it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from corpora import StageMaker, document, write_part

from freehold import charter_file
from freehold.progress import Progress
from freehold.stage import Identity, Stage
from freehold.store.workspace import Sealed, Workspace


@pytest.fixture(scope="session")
def law(tiny_source: Path) -> list[dict[str, Any]]:
    """German and Japanese documents in no particular order."""
    found = []
    for language in ("jpn", "deu"):
        for line in (tiny_source / f"{language}.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            found.append(document(**(row | {"language": language, "source": f"{language}-law"})))
    return found


@pytest.fixture(scope="session")
def curated(law: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The artifact of curate: two parts of training documents, one of held-out ones."""
    folder = tmp_path_factory.mktemp("curated")
    held, rest = law[::10], [row for number, row in enumerate(law) if number % 10]
    write_part(folder / "documents" / "part-00000.parquet", rest[:30])
    write_part(folder / "documents" / "part-00001.parquet", rest[30:])
    write_part(folder / "held_out" / "part-00000.parquet", held)
    return folder


@pytest.fixture(scope="session")
def stage_at(tiny_source: Path) -> StageMaker:
    """Make a stage of the tiny charter: stage_at(output folder, name=…, curate=folder, …)."""

    def make(output: Path, *, name: str, charter: Path = tiny_source / "charter.toml", **inputs: Path) -> Stage:
        output.mkdir(parents=True, exist_ok=True)
        sealed = {
            key: Sealed(stage=key, key=key, digest="0" * 64, path=path, attestation=path)
            for key, path in inputs.items()
        }
        return Stage(
            charter=charter_file.load(charter),
            identity=Identity(stage=name, format=1, code="", parameters={}, inputs={}, files={}),
            inputs=sealed,
            workspace=Workspace(output.parent / "workspace"),
            output=output,
            run_folder=output.parent,
            progress=Progress(quiet=True),
        )

    return make


@pytest.fixture(scope="session")
def tokenized(curated: Path, stage_at: StageMaker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The artifact of tokenize over `curated`."""
    from freehold.stages.tokenize.run import run

    stage = stage_at(tmp_path_factory.mktemp("tokenized") / "out", name="tokenize", curate=curated)
    run(stage)
    return stage.output
