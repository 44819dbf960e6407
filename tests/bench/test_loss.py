"""The loss bench on the tests' tiny town: equal trials, remembered runs, and no verdict before all are there."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).parent.parent.parent / "bench"
SMALL = (
    "--depth=1", "--vocabulary=700", "--batch-tokens=512", "--tokens=4096", "--trial-tokens=2048", "--trials=2",
    "--seeds=1",
)  # fmt: skip
KINDS = ("ours", "adamw", "published")


def test_runs_are_remembered_and_repeat(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    loss = importlib.import_module("loss")
    runs = tmp_path / "work" / "runs"

    def bench(*more: str) -> dict[str, dict[str, Any]]:
        loss.main([*SMALL, f"--charter={tiny}", f"--folder={tmp_path / 'work'}", "--json", *more])
        return {row["figure"]: row for row in json.loads(capsys.readouterr().out)}

    early = bench("--minutes=0.0000001")
    assert not list(runs.iterdir()) and all(row["holds"] is None for row in early.values())
    assert early["loss: ours against AdamW"]["why"] == "not all runs are there"

    found = bench()
    made = {path: path.stat().st_mtime_ns for path in runs.iterdir()}
    trials = {kind: [path for path in made if path.name.startswith(f"{kind}-")] for kind in KINDS}
    assert {len(paths) for paths in trials.values()} == {2 + 1}
    assert all(1 < found[f"loss: {name}"]["value"] < 8 for name in ("ours", "AdamW", "torch.optim.Muon"))
    assert found["loss: ours against AdamW"]["holds"] in (True, False)
    assert found["loss: most passes over a text"]["value"] > 0

    lost = next(path for path in made if "-t4096-" in path.name and path.name.startswith("published"))
    before = json.loads(lost.read_bytes())
    lost.unlink()
    again = bench()
    assert again == found and json.loads(lost.read_bytes())["bits_per_byte"] == before["bits_per_byte"]
    assert all(path.stat().st_mtime_ns == then for path, then in made.items() if path != lost)


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_run_goes_on(kind: str, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    loss, courses = importlib.import_module("loss"), importlib.import_module("loss_runs.course")
    monkeypatch.setattr(courses, "SAVED_EVERY", 3)
    options = loss.arguments([*SMALL, f"--charter={tiny}", f"--folder={tmp_path / 'work'}"])
    course = courses.Course(courses.prepared(options), options, float("inf"))
    recipe, unfinished = course.recipe(kind, rate=0.01, seed=1, tokens=4096), tmp_path / "unfinished"
    calm = course.train(courses.KINDS[kind], recipe, unfinished=unfinished)
    learn, firsts = courses.learn, list[int]()

    def watched(*given: Any, first: int, **more: Any) -> None:
        firsts.append(first)
        learn(*given, first=first, **more)

    monkeypatch.setattr(courses, "learn", watched)
    again = course.train(courses.KINDS[kind], recipe, unfinished=unfinished)
    assert firsts == [6]
    assert {**calm, "seconds": 0} == {**again, "seconds": 0}


def test_rates_are_a_factor_of_two_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    ladder = importlib.import_module("loss").ladder
    assert ladder(0.02, 1) == [0.02] and ladder(0.02, 5) == [0.005, 0.01, 0.02, 0.04, 0.08]
