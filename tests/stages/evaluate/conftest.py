from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from corpora import StageMaker

from freehold.stage import Stage
from freehold.stages.evaluate.judged import Judged


@pytest.fixture(scope="session")
def trained(tokenized: Path, stage_at: StageMaker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The artifact of train over the tiny corpus; its model stands in for the refined one too."""
    from freehold.stages.train.run import run

    stage = stage_at(tmp_path_factory.mktemp("trained") / "out", name="train", tokenize=tokenized)
    run(stage)
    return stage.output


@pytest.fixture(scope="session")
def judged(trained: Path) -> Judged:
    return Judged.open(trained / "model", precision="fp32")


@pytest.fixture
def evaluate_at(curated: Path, tokenized: Path, trained: Path, stage_at: StageMaker) -> Callable[[Path], Stage]:
    def make(output: Path) -> Stage:
        return stage_at(output, name="evaluate", curate=curated, tokenize=tokenized, train=trained, refine=trained)

    return make
