"""Some hundred mutations of each kind, drawn from a fixed seed; bench/mutations.py makes the thousands."""

from __future__ import annotations

import importlib
import random
import shutil
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from freehold.proof.log.entry import Entry, Withdrawn
from freehold.proof.signing import keys
from freehold.proof.signing.keys import KeyFiles
from freehold.stages.verify.run import verify

from .releases import Recipe, build

BENCH = Path(__file__).parents[3] / "bench"
SEED = 5
DRAFT = Entry(
    number=0,
    level="W0",
    kind="document",
    asked="laws/3",
    documents=(Withdrawn(id="laws/3", key="3" * 64),),
    reason="asked for",
    by="author",
    date=date(2026, 11, 1).isoformat(),
)


def part(name: str) -> Any:
    """A module of the bench."""
    if str(BENCH) not in sys.path:
        sys.path.insert(0, str(BENCH))
    return importlib.import_module(f"forgeries.{name}")


@pytest.fixture
def sealed(tmp_path: Path, pairs: dict[str, KeyFiles]) -> Path:
    """A release that one key signed, with a log of withdrawals."""
    return build(tmp_path / "tiny-0.1.0", Recipe(withdrawals=(DRAFT,)), {"ministry": pairs["ministry"]})


@pytest.fixture
def judge(pairs: dict[str, KeyFiles]) -> Callable[[Path], set[int]]:
    """The checks of a release that fail."""

    def failing(release: Path) -> set[int]:
        report = verify(release, trust=[pairs["ministry"].public])
        return {check.number for check in report.checks if check.verdict == "FAIL"}

    return failing


def test_no_mutation_of_bytes_or_files_survives(
    sealed: Path, judge: Callable[[Path], set[int]], tmp_path: Path
) -> None:
    folder = part("folder").Folder(sealed)
    assert judge(sealed) == set()
    survivors = [
        (number, said)
        for number, (_, said, failed) in enumerate(
            part("stray").trials(folder, judge, count=160, chance=random.Random(SEED))
        )
        if not failed & {1, 2}
    ]
    assert not survivors, f"seed {SEED}"
    assert judge(sealed) == set()


@pytest.mark.parametrize("depth", ["sealed", "carried"])
def test_no_mutation_of_meaning_survives(
    depth: str, sealed: Path, judge: Callable[[Path], set[int]], pairs: dict[str, KeyFiles]
) -> None:
    """Everything is signed again with the trusted key: the check that should catch it does, or it is exempt by name."""
    meaning, due = part("meaning"), part("due")
    folder = part("folder").Folder(sealed)
    forger = part("forger").Forger(folder, party="ministry", key=keys.load_private(pairs["ministry"].private))
    assert meaning.after(forger, {}, depth="carried") is None
    found = list(
        meaning.trials(folder, forger, judge, depth=depth, files=meaning.evidence(folder), most=150, seed=SEED)
    )
    assert len(found) > 120
    assert not [str(trial) for trial in found if not due.caught(trial)], f"seed {SEED}"


def test_what_nobody_named_is_not_exempt() -> None:
    exempted = part("exempt").exempted
    assert exempted("evidence/train/chain.jsonl", "*.documents") is not None
    for file in ("evidence/train/chain.jsonl", "evidence/evaluation/results.json", "evidence/new.json"):
        assert exempted(file, "*.a_new_field") is None and exempted(file, "a_new_field") is None


@pytest.fixture(autouse=True)
def clean(tmp_path: Path) -> Any:
    yield
    shutil.rmtree(tmp_path, ignore_errors=True)
