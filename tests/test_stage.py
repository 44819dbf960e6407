"""A stage is cached by what it is a function of, sealed in one rename, and attested."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from freehold import charter_file
from freehold import stage as stages
from freehold.errors import InputError, WorkspaceBusy
from freehold.journey import STEPS, until
from freehold.proof.log import withdrawals
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
        name.startswith(("freehold.stages.serve", "freehold.cli", "freehold.proof.signing.signatures")) for name in seen
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


def withdraw(charter: Path, level: str, **evidence: str) -> None:
    """Add an entry to the log beside a charter."""
    entry = withdrawals.Entry(
        number=0,
        level=level,
        kind="document",
        asked="law/1",
        documents=(withdrawals.Withdrawn(id="law/1", key="a" * 64),),
        reason="asked",
        by="author",
        date="2026-11-21",
        evidence=evidence,
    )
    withdrawals.append(charter.parent / "withdrawals.jsonl", entry, key=ec.derive_private_key(7, ec.SECP256R1()))


def test_a_withdrawal_changes_the_stages_that_it_concerns_and_no_other(tiny: Path) -> None:
    before = {step: identity(tiny, step).key for step in STEPS}
    withdraw(tiny, "W0")
    received = {step: identity(tiny, step).key for step in STEPS}
    assert {step for step in STEPS if received[step] != before[step]} == {"release"}
    withdraw(tiny, "W3")
    learned = {step: identity(tiny, step).key for step in STEPS}
    assert {step for step in STEPS if learned[step] != received[step]} == {"train", "release"}
    withdraw(tiny, "W1")
    curated = {step: identity(tiny, step).key for step in STEPS}
    assert {step for step in STEPS if curated[step] != learned[step]} == {"curate", "release"}
    assert identity(tiny).parameters["withdrawn"] == [{"level": "W1", "id": "law/1", "key": "a" * 64}]


def test_a_log_without_entries_changes_no_identity(tiny: Path) -> None:
    before = identity(tiny, "release")
    (tiny.parent / "withdrawals.jsonl").write_bytes(b"")
    assert identity(tiny, "release").key == before.key
    assert "withdrawn" not in before.parameters


def test_a_broken_log_stops_the_journey_before_it_begins(tiny: Path) -> None:
    withdraw(tiny, "W1")
    log = tiny.parent / "withdrawals.jsonl"
    log.write_bytes(log.read_bytes().replace(b"author", b"nobody").replace(b'"number":1', b'"number":2'))
    with pytest.raises(InputError, match="log of withdrawals is broken"):
        identity(tiny)
    tiny.write_text('withdrawals = "elsewhere.jsonl"\n' + tiny.read_text())
    assert "withdrawn" not in identity(tiny).parameters
