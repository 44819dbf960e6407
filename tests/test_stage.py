"""A stage is cached by what it is a function of, sealed in one rename, and attested."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from freehold import charter_file
from freehold import stage as stages
from freehold.errors import InputError, WorkspaceBusy
from freehold.journey import STEPS, until
from freehold.store.closure import closure_of, code_digest
from freehold.store.workspace import Workspace


def identity(charter: Path, step: str = "curate") -> stages.Identity:
    """The identity of a stage without inputs."""
    return stages.identify(charter_file.load(charter), STEPS[step], {})


def test_the_key_follows_parameters_and_files_but_not_unrelated_tables(tiny: Path) -> None:
    before = identity(tiny).key
    tiny.write_text(tiny.read_text().replace("depth = 1", "depth = 2"))
    assert identity(tiny).key == before
    tiny.write_text(tiny.read_text().replace("held_out_bytes = 6000", "held_out_bytes = 7000"))
    changed = identity(tiny).key
    assert changed != before
    with (tiny.parent / "deu.jsonl").open("a") as file:
        file.write("\n")
    assert identity(tiny).key not in (before, changed)


def test_a_missing_earlier_stage_is_named(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="tokenize needs curate"):
        stages.inputs_of(Workspace(tmp_path / "w"), charter_file.load(tiny), STEPS["tokenize"])


def test_an_unknown_stage_is_named() -> None:
    with pytest.raises(InputError, match="one of: curate, tokenize"):
        until("bake")


def test_the_code_digest_ignores_serving_when_training() -> None:
    seen = closure_of("freehold.stages.train.run")
    assert "freehold.learn.loop" in seen
    assert not any(
        name.startswith(("freehold.stages.serve", "freehold.cli", "freehold.proof.signatures")) for name in seen
    )
    assert code_digest("freehold.stages.train.run") != code_digest("freehold.stages.curate.run")


def test_two_runs_in_one_workspace_are_refused_with_the_holder(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "w")
    with (
        workspace.lock("train"),
        pytest.raises(WorkspaceBusy, match="process"),
        Workspace(tmp_path / "w").lock("train"),
    ):
        pass
    with workspace.lock("train"):  # free again
        pass


def test_a_workspace_of_another_format_is_refused(tmp_path: Path) -> None:
    Workspace(tmp_path)
    (tmp_path / "workspace.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(InputError, match="format 99"):
        Workspace(tmp_path)


def test_a_workspace_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "w").write_text("")
    with pytest.raises(InputError, match="not a folder"):
        Workspace(tmp_path / "w")


def test_keeping_is_repeatable_after_a_kill_between_rename_and_attestation(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    for _ in range(2):  # the second time the sealed folder is already there
        partial = workspace.partial("curate", "k" * 64)
        partial.mkdir(parents=True)
        (partial / "curate.json").write_text("{}")
        statement = json.dumps({"subject": [{"digest": {"sha256": "d" * 64}}]}).encode()
        workspace.keep("curate", "k" * 64, digest="d" * 64, statement=statement)
    found = workspace.find("curate", "k" * 64)
    assert found is not None
    assert (found.path / "curate.json").read_text() == "{}"
    assert workspace.latest("curate") == found
