"""Withdrawal at W3 from end to end: release, withdraw, run again, and a stranger who holds both releases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from freehold.cli.main import app
from freehold.journey import JOURNEY
from freehold.learn import utilisation
from freehold.stage import perform
from freehold.stages.verify.asked import Asked
from freehold.stages.verify.report import Check
from freehold.stages.verify.run import verify
from freehold.store.care import publish
from freehold.store.workspace import Workspace

MASKED = "tokens = 12_288\ndocument_mask = true\nkeep_every = 8"


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    """Nobody looks at the utilisation here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(utilisation, "SECONDS", 1e-3)
        yield


def released(charter: Path, target: Path) -> Path:
    """The release after every stage that was not done, in this process."""
    home = charter.parent / ".freehold"
    for step in JOURNEY:
        folder = home / "runs" / step.name
        perform(charter=str(charter), workspace=str(home), stage=step.name, run_folder=str(folder))
    sealed = Workspace(home).latest("release")
    assert sealed is not None
    return publish(sealed, target)


def checks(release: Path, key: Path, **asked: Path) -> dict[int, Check]:
    """What verify says, by the number of the check; nothing may have failed or been left open."""
    report = verify(release, trust=[key], asked=Asked(**asked))
    assert {check.verdict for check in report.checks} == {"PASS"}, report.checks
    return {check.number: check for check in report.checks}


def withdrawn(charter: Path) -> str:
    """Withdraw at W3 the first document that learning met only after a kept checkpoint; its text."""
    ask = ["withdraw", str(charter), "--level", "W3", "--reason", "the author asked", "--json"]
    for line in (charter.parent / "deu.jsonl").read_text(encoding="utf-8").splitlines():
        named = [*ask, "--document", json.loads(line)["id"]]
        priced = CliRunner().invoke(app, [*named, "--dry-run"])
        if priced.exit_code == 0 and "from the checkpoint of step" in priced.stdout:
            assert CliRunner().invoke(app, named).exit_code == 0
            return str(json.loads(line)["text"])
    raise AssertionError("every document was met before the first kept checkpoint")


def test_a_document_leaves_the_weights_and_a_stranger_sees_it(tiny: Path, tmp_path: Path) -> None:
    tiny.write_text(tiny.read_text(encoding="utf-8").replace("tokens = 24_576", MASKED), encoding="utf-8")
    before = released(tiny, tmp_path / "before")
    (key,) = (tiny.parent / ".freehold" / "keys").glob("*.pub")
    text = tmp_path / "text.txt"
    text.write_text(withdrawn(tiny), encoding="utf-8")
    assert checks(before, key, document=text)[5].detail.startswith("INCLUDED")

    after = released(tiny, tmp_path / "after")
    found = checks(after, key, document=text, earlier=before)
    assert {1, 2, 3, 4, 5, 9, 10} <= set(found)
    assert found[5].detail.startswith("ABSENT")
    weights = [(folder / "model" / "model.safetensors").read_bytes() for folder in (before, after)]
    assert weights[0] != weights[1]
    lines = [(folder / "evidence" / "train" / "chain.jsonl").read_bytes().splitlines() for folder in (before, after)]
    assert lines[0][:2] == lines[1][:2]  # steps before the first use stay
