from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from corpora import StageMaker

from freehold.stages.train import run as train


def curve(output: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (output / "curve.jsonl").read_text().splitlines()]


@pytest.mark.long
def test_two_ranks_leave_what_one_leaves(tokenized: Path, tmp_path: Path, stage_at: StageMaker) -> None:
    for ranks in (1, 2):
        stage = stage_at(tmp_path / str(ranks) / "out", name="train", tokenize=tokenized)
        chosen = replace(stage.charter.train, ranks=ranks, precision="fp32", compile=False)
        stage.charter = replace(stage.charter, train=chosen)
        train.run(stage)
    one, two = tmp_path / "1" / "out", tmp_path / "2" / "out"
    assert (one / "consumed.json").read_bytes() == (two / "consumed.json").read_bytes()
    assert curve(two)[0] == pytest.approx(curve(one)[0], abs=1e-5)
    assert curve(two)[-1] == pytest.approx(curve(one)[-1], abs=2e-2)
    assert (tmp_path / "2" / "rank-1" / "result.json").read_text() == "null"
