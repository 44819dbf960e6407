"""The verbs `profile` and `sweep`, in this process and over real text."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from freehold import stage as stages
from freehold.charter_tables import Base
from freehold.errors import InputError
from freehold.learn import memory
from freehold.stages.train import profile, sweep
from freehold.stages.train.attribution import REST, ROWS
from freehold.stages.train.room import needed
from freehold.stages.train.trial import Trial

GRID: dict[str, Any] = {"rates": [0.02, 0.04], "batches": [512], "depths": [1, 2], "tokens": [1024], "seeds": 1}


@pytest.fixture(scope="module")
def place(tiny_source: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Charter and workspace of a town that has curated and tokenized."""
    folder = Path(shutil.copytree(tiny_source, tmp_path_factory.mktemp("tuning") / "town"))
    given = {"charter": str(folder / "charter.toml"), "workspace": str(folder / ".freehold")}
    for stage in ("curate", "tokenize"):
        stages.perform(**given, stage=stage, run_folder=str(folder / ".freehold" / "runs" / stage))
    return given


def test_the_rows_of_a_profile_are_the_time_of_a_step(place: dict[str, str], tmp_path: Path) -> None:
    figures = profile.perform(**place, run_folder=str(tmp_path / "run"), steps=2)["figures"]
    rows = figures["where_a_step_goes"]
    assert list(rows) == [*ROWS, "together"]
    assert sum(rows[name]["ms"] for name in ROWS) == pytest.approx(rows["together"]["ms"], rel=0.01)
    assert all(rows[name]["ms"] > 0 for name in ROWS)
    assert rows[REST]["share"] < 0.9 and figures["covered"] == pytest.approx(1 - rows[REST]["share"], abs=1e-3)
    assert rows["head and loss"]["tflop_per_s"] > 0 and rows["data"]["tflop_per_s"] is None
    assert json.loads((tmp_path / "run" / "trace.json").read_text())["traceEvents"]


def test_a_sweep_remembers_its_trials_and_writes_down_what_it_found(place: dict[str, str], tmp_path: Path) -> None:
    given = {**place, "run_folder": str(tmp_path / "sweep")}
    assert sweep.forecast(**given, grid=GRID).items() >= {"trials": 4, "done_before": 0, "tokens": 4096}.items()
    log = tmp_path / "experiments.md"
    log.write_text("# Experiments\n")
    sweep.perform(**given, grid=GRID, append=str(log))
    found = json.loads((tmp_path / "sweep" / "sweep.json").read_text())
    assert [(row["depth"], row["rate"]) for row in found["trials"]] == [(1, 0.02), (1, 0.04), (2, 0.02), (2, 0.04)]
    first, second = found["trials"][:2]
    assert second["rates"]["head"] == pytest.approx(2 * first["rates"]["head"])  # the other rates scale along
    assert all(
        1 < row["bits_per_byte"] < 8 and set(row["bits_per_byte_by_language"]) == {"deu", "jpn"}
        for row in found["trials"]
    )
    assert first["width"] == 64 and found["trials"][2]["width"] == 128
    assert log.read_text().startswith("# Experiments\n\n## ") and "| depth | width |" in log.read_text()

    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "sweep" / "trials").iterdir()}
    wider = {**GRID, "rates": [0.01, 0.02, 0.04], "depths": [1]}
    assert sweep.forecast(**given, grid=wider).items() >= {"trials": 3, "done_before": 2, "tokens": 1024}.items()
    sweep.perform(**given, grid=wider, append=None)
    after = {path: path.stat().st_mtime_ns for path in (tmp_path / "sweep" / "trials").iterdir()}
    assert len(after) == 5 and before.items() <= after.items()


def test_a_trial_keeps_its_name_when_less_memory_is_free(
    place: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = stages.visit(**place, run_folder=str(tmp_path / "sweep"), needs=sweep.NEEDS)
    (plan,) = sweep.planned(stage, {**GRID, "rates": [0.02], "depths": [1]})
    seen: list[int] = []

    def taken(trial: Trial, recipe: dict[str, Any], **_: object) -> dict[str, Any]:
        seen.append(recipe["micro"])
        return {}

    monkeypatch.setattr(sweep, "taken", taken)
    monkeypatch.setattr(sweep, "peak", lambda precision, *, device: 1e12)
    halved = needed(plan.shape, plan.recipe, micro=4, sequence=64)
    monkeypatch.setattr(memory, "available", lambda device: halved)
    sweep.take(stage, [plan])
    assert seen == [4] and plan.recipe["samples"] == 8 and plan.path.is_file()
    lowered = replace(plan, recipe={**plan.recipe, "micro": 4})
    monkeypatch.setattr(sweep, "recipe_of", lambda stage, trial: lowered.recipe)
    assert [one.path for one in sweep.planned(stage, {**GRID, "rates": [0.02], "depths": [1]})] == [plan.path]
    monkeypatch.setattr(memory, "available", lambda device: 1000)
    with pytest.raises(InputError, match="training needs"):
        sweep.take(stage, [plan])


def test_the_same_trial_finds_the_same_bits(place: dict[str, str], tmp_path: Path) -> None:
    one = {**GRID, "rates": [0.02], "depths": [1]}
    found = []
    for name in ("a", "b"):
        sweep.perform(**place, run_folder=str(tmp_path / name), grid=one, append=None)
        found.append(json.loads((tmp_path / name / "sweep.json").read_text())["trials"][0]["bits_per_byte"])
    assert found[0] == found[1]


def test_a_trial_that_diverges_is_a_finding(place: dict[str, str], tmp_path: Path) -> None:
    grid = {**GRID, "rates": [0.02, 1e30], "depths": [1]}
    figures = sweep.perform(**place, run_folder=str(tmp_path / "sweep"), grid=grid, append=None)["figures"]
    found = json.loads((tmp_path / "sweep" / "sweep.json").read_text())
    assert [row["bits_per_byte"] is None for row in found["trials"]] == [False, True]
    assert [row["rate"] for row in found["best"]] == [0.02] and not found["best"][0]["inside"]
    assert "diverged" in (tmp_path / "sweep" / "sweep.md").read_text() and figures["best"]


@pytest.mark.parametrize("wrong", [{"rates": [0.0]}, {"batches": [-8]}, {"depths": [0]}])
def test_numbers_that_cannot_be_meant_are_refused(place: dict[str, str], tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="not a positive number"):
        sweep.perform(**place, run_folder=str(tmp_path / "sweep"), grid={**GRID, **wrong}, append=None)


def test_without_tokens_it_says_what_must_run_first(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="tokenize"):
        profile.perform(
            charter=str(tiny), workspace=str(tmp_path / "w"), run_folder=str(tmp_path / "w" / "run"), steps=1
        )


def test_a_sweep_does_not_begin_at_a_base(place: dict[str, str], tmp_path: Path) -> None:
    stage = stages.visit(**place, run_folder=str(tmp_path / "sweep"), needs=sweep.NEEDS)
    stage.charter = replace(stage.charter, base=Base(path="elsewhere"))
    with pytest.raises(InputError, match="random weights"):
        sweep.planned(stage, GRID)
