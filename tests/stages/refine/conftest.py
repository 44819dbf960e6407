"""A model trained for seconds on the tiny corpus, and instructions cut to its size."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from corpora import StageMaker
from questions import MESSAGES


def rows(*, licence: str = "public-domain-law") -> str:
    """A small instruction set as JSON Lines."""
    made = [
        {
            "messages": [{"role": "user", "content": f"{asked} {n}"}, {"role": "assistant", "content": answer}],
            "language": "jpn" if "憲法" in asked else "deu",
            "licence": licence,
            "document": None,
        }
        for n in range(8)
        for asked, answer in MESSAGES
    ]
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in made)


@pytest.fixture(scope="session")
def trained(tokenized: Path, stage_at: StageMaker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The artifact of train over the tiny corpus."""
    from freehold.stages.train.run import run

    stage = stage_at(tmp_path_factory.mktemp("trained") / "out", name="train", tokenize=tokenized)
    run(stage)
    return stage.output


@pytest.fixture
def charter(tiny: Path) -> Path:
    """The tiny charter with the small instruction set."""
    (tiny.parent / "instructions.jsonl").write_text(rows(), encoding="utf-8")
    settings = tiny.read_text(encoding="utf-8").replace("checkpoint_steps = 8", "checkpoint_steps = 3")
    tiny.write_text(settings, encoding="utf-8")
    return tiny
