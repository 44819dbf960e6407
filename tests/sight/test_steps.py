from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from freehold.learn.batches import Batch
from freehold.learn.loop import Taken
from freehold.learn.observers import Observers
from freehold.sight.history import History
from freehold.sight.steps import FILE, Steps, rows

MEASURES = {
    "loss": 2.5,
    "bits_per_byte": 1.2,
    "learning_rate": 0.02,
    "tokens": 64.0,
    "tokens_per_s": 900.0,
    "utilisation": 0.25,
    "memory_gb": 0.5,
}


def taken(step: int, *, admitted: bool = True) -> Taken:
    none = torch.zeros(1, 1, dtype=torch.int64)
    batch = Batch(tokens=none, targets=none, documents=(f"doc-{step}",))
    return Taken(step=step, loss=2.5, rate=1.0, taken=admitted, batch=batch)


def test_a_line_a_step_and_the_documents_of_a_skipped_one(tmp_path: Path) -> None:
    steps = Steps(tmp_path, scratch=tmp_path)
    steps(taken(0), MEASURES)
    steps(taken(1, admitted=False), MEASURES)
    first, second = rows(tmp_path / FILE)
    assert first.items() >= {**MEASURES, "step": 1, "tokens": 64}.items() and "documents" not in first
    assert (second["step"], second["skipped"], second["documents"]) == (2, True, ["doc-1"])


def test_a_resumed_run_begins_with_the_lines_before_it(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    steps = Steps(tmp_path / "one", scratch=tmp_path)
    for number in range(5):
        steps(taken(number), MEASURES)
    with (tmp_path / "one" / FILE).open("a") as file:
        file.write('{"step": 6, "lo')  # the kill
    Steps(tmp_path / "two", scratch=tmp_path)(taken(3), MEASURES)  # resumed at a checkpoint after step 3
    assert [row["step"] for row in rows(tmp_path / "two" / FILE)] == [1, 2, 3, 4]


def test_an_observer_that_fails_is_reported_once_and_dropped(tmp_path: Path) -> None:
    said: list[str] = []
    steps = Steps(tmp_path / "no such folder", scratch=tmp_path)
    seen: list[int] = []

    def spoil(_: Taken, measures: dict[str, float]) -> None:
        measures.clear()

    observers = Observers([steps, spoil, lambda one, told: seen.append(len(told))], report=said.append)
    for number in range(3):
        observers.tell(taken(number), MEASURES)
    assert len(said) == 1 and "the log of the steps" in said[0]
    assert seen == [len(MEASURES)] * 3  # neither the failure nor the spoiled copy reaches the others


@pytest.mark.parametrize("steps", [10, 5000])
def test_a_history_stays_small_and_keeps_the_ends(steps: int) -> None:
    history = History(most=64)
    for number in range(1, steps + 1):
        row = {"step": number, "tokens": number * 8, "loss": 1.0}
        history.add(row if number != 7 else {**row, "skipped": True})
    points = history.points("loss")
    assert len(points) <= 65 and points[-1][0] == steps * 8
    assert [row["step"] for row in history.skipped] == [7]
    assert json.dumps(history.last)
