"""W3 as a person has it: the log, the price, the run from the checkpoint before the first use, and the same bytes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from freehold import stage as stages
from freehold.errors import InputError
from freehold.learn import setting, utilisation
from freehold.learn.guard import Guard
from freehold.learn.phases import Curriculum
from freehold.learn.shards import Shards
from freehold.learn.uses import first_steps
from freehold.proof import chain
from freehold.proof.log import withdrawals
from freehold.stages.train import recipe as recipes
from freehold.stages.train.price import Cost, Use, cost
from freehold.store.workspace import Sealed, Workspace

KEY = ec.derive_private_key(7, ec.SECP256R1())


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """Nobody looks at the utilisation here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(utilisation, "SECONDS", 1e-3)
        yield


def perform(charter: Path, stage: str) -> Sealed:
    """One stage, in this process; its artifact."""
    home = charter.parent / ".freehold"
    folder = home / "runs" / stage
    stages.perform(charter=str(charter), workspace=str(home), stage=stage, run_folder=str(folder))
    found = Workspace(home).latest(stage)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def town(tiny_source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The charter of a town that trained with document masks and kept checkpoints; do not change it: copy it."""
    charter = Path(shutil.copytree(tiny_source, tmp_path_factory.mktemp("w3") / "town")) / "charter.toml"
    masked = "tokens = 12_288\ndocument_mask = true\nkeep_every = 8\ngoldfish = 20"
    charter.write_text(charter.read_text(encoding="utf-8").replace("tokens = 24_576", masked), encoding="utf-8")
    for stage in ("curate", "tokenize", "train"):
        perform(charter, stage)
    return charter


@pytest.fixture
def copy(town: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(town.parent, tmp_path / "town")) / "charter.toml"


def latest(charter: Path, stage: str) -> Path:
    found = Workspace(charter.parent / ".freehold").latest(stage)
    assert found is not None
    return found.path


@pytest.fixture(scope="module")
def first(town: Path) -> dict[str, int | None]:
    """The first step that used each document."""
    shards = Shards.open(latest(town, "tokenize"))
    recipe = json.loads((latest(town, "train") / "recipe.json").read_bytes())
    return first_steps(Curriculum(shards, recipe), shards.documents)


def withdraw(charter: Path, *ids: str, level: str = "W3") -> None:
    entry = withdrawals.Entry(
        number=0,
        level=level,
        kind="document",
        asked=ids[0],
        documents=tuple(withdrawals.Withdrawn(id=name, key="a" * 64) for name in ids),
        reason="asked",
        by="author",
        date="2026-11-21",
    )
    withdrawals.append(charter.parent / "withdrawals.jsonl", entry, key=KEY)


def late(first: dict[str, int | None], *, after: int) -> list[str]:
    """Documents first used after a step, the earliest first."""
    found = [(step, name) for name, step in first.items() if step is not None and step > after]
    return [name for _, name in sorted(found)]


def from_the_seed(charter: Path) -> Sealed:
    """The same run where no older one is known."""
    shutil.rmtree(charter.parent / ".freehold" / "artifacts" / "train")
    shutil.rmtree(charter.parent / ".freehold" / "attestations" / "train")
    return perform(charter, "train")


def lines(artifact: Path) -> list[bytes]:
    return (artifact / "chain.jsonl").read_bytes().splitlines()


def test_it_goes_on_from_the_checkpoint_before_and_ends_with_the_bytes_of_a_run_from_the_seed(
    copy: Path, first: dict[str, int | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    old, gone = latest(copy, "train"), late(first, after=9)[:2]
    withdraw(copy, *gone)
    steps: list[int] = []
    plain = Guard.admits

    def dying(guard: Guard, loss: float, **facts: Any) -> bool:
        steps.append(facts["step"])
        if facts["step"] == 18:
            raise KeyboardInterrupt
        return plain(guard, loss, **facts)

    monkeypatch.setattr(Guard, "admits", dying)
    with pytest.raises(KeyboardInterrupt):
        perform(copy, "train")
    monkeypatch.setattr(Guard, "admits", plain)
    assert steps == list(range(8, 19))  # not one of the first eight again
    new = perform(copy, "train")  # killed, it goes on
    assert lines(new.path)[:2] == lines(old)[:2] and lines(new.path)[2] != lines(old)[2]
    segments = chain.parse([("chain.jsonl", (new.path / "chain.jsonl").read_bytes())])
    assert [segment.withdrawn for segment in segments[:2]] == [None, None]
    assert segments[-1].withdrawn == chain.withdrawn_root(gone)
    assert segments[-1].checkpoint != json.loads(lines(old)[-1])["checkpoint"]
    assert not set(gone) & set(json.loads((new.path / "consumed.json").read_bytes())["languages"]["deu"])
    assert json.loads((new.path / "withdrawn.json").read_bytes())["documents"] == {name: first[name] for name in gone}
    seed = from_the_seed(copy)
    assert seed.digest == new.digest  # every file: weights, chain, curve, kept checkpoints, accounts


def test_a_second_withdrawal_goes_on_from_the_first(copy: Path, first: dict[str, int | None]) -> None:
    withdraw(copy, late(first, after=8)[0])
    one = perform(copy, "train").path
    withdraw(copy, late(first, after=17)[0])
    two = perform(copy, "train")
    assert lines(two.path)[:3] == lines(one)[:3] and lines(two.path)[3] != lines(one)[3]
    assert from_the_seed(copy).digest == two.digest


def test_a_document_that_no_step_used_costs_nothing(copy: Path, first: dict[str, int | None]) -> None:
    unused = next(name for name, step in first.items() if step is None)
    price = cost(charter=copy, workspace=copy.parent / ".freehold", documents=[unused])
    assert price.again == 0 and "stay as they are" in price.verdict
    old = latest(copy, "train")
    withdraw(copy, unused)
    new = perform(copy, "train").path
    assert (new / "model" / "model.safetensors").samefile(old / "model" / "model.safetensors")
    assert lines(new) == lines(old)
    assert json.loads((new / "recipe.json").read_bytes())["withdrawn"] == [unused]
    assert from_the_seed(copy).path.name == new.name


def test_the_price_is_told_before_anything_is_written(copy: Path, first: dict[str, int | None]) -> None:
    early, tardy = late(first, after=0)[0], late(first, after=17)[0]
    place: dict[str, Any] = {"charter": copy, "workspace": copy.parent / ".freehold"}
    dear, cheap = cost(**place, documents=[early, tardy]), cost(**place, documents=[tardy, "unknown"])
    assert (dear.checkpoint, dear.again, dear.share) == (0, 24, 1.0) and "nearly a full retrain" in dear.verdict
    assert (cheap.checkpoint, cheap.again) == (16, 8) and "nearly" not in cheap.verdict
    assert [(use.document, use.first_step) for use in cheap.uses] == [(tardy, first[tardy]), ("unknown", None)]
    assert cheap.hours is not None and 0 < cheap.hours < 1
    assert not (copy.parent / "withdrawals.jsonl").exists()


def test_a_run_that_cannot_go_on_here_is_begun_at_the_seed(
    copy: Path, first: dict[str, int | None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old, unused = latest(copy, "train"), next(name for name, step in first.items() if step is None)
    monkeypatch.setattr(setting, "kernels", lambda: "vax")
    monkeypatch.setattr(recipes, "kernels", lambda: "vax")
    price = cost(charter=copy, workspace=copy.parent / ".freehold", documents=late(first, after=9)[:1])
    assert "from the seed" in price.verdict
    withdraw(copy, unused)
    kept = perform(copy, "train").path  # where no step is taken, none has to be possible
    assert (kept / "model" / "model.safetensors").samefile(old / "model" / "model.safetensors")
    withdraw(copy, late(first, after=9)[0])
    new = perform(copy, "train").path
    assert "training begins at the seed: this run began with the kernels" in capsys.readouterr().err
    assert json.loads((new / "recipe.json").read_bytes())["kernels"] == "vax"
    assert from_the_seed(copy).path.name == new.name


def test_without_masks_neither_price_nor_run(copy: Path, first: dict[str, int | None]) -> None:
    copy.write_text(copy.read_text(encoding="utf-8").replace("document_mask = true", ""), encoding="utf-8")
    with pytest.raises(InputError, match="has not run"):
        cost(charter=copy, workspace=copy.parent / ".freehold", documents=[late(first, after=0)[0]])
    withdraw(copy, late(first, after=0)[0])
    with pytest.raises(InputError, match="no document masks"):
        perform(copy, "train")


def test_a_checkpoint_that_was_changed_is_not_gone_on_from(copy: Path, first: dict[str, int | None]) -> None:
    path = latest(copy, "train") / "checkpoints" / "step-00000008.safetensors"
    path.write_bytes(path.read_bytes()[:-4] + b"\0\1\2\3")
    withdraw(copy, late(first, after=9)[0])
    with pytest.raises(InputError, match="step-00000008"):
        perform(copy, "train")


def test_what_is_not_in_the_log_changes_no_identity(copy: Path, first: dict[str, int | None]) -> None:
    before = latest(copy, "train")
    withdraw(copy, late(first, after=0)[0], level="W0")
    assert perform(copy, "train").path == before


@pytest.mark.parametrize(("checkpoint", "words"), [(0, "from the seed"), (40, "checkpoint of step 40")])
def test_hours_and_share(checkpoint: int, words: str) -> None:
    found = Cost(
        uses=(Use(document="a", first_step=41, steps=3),), checkpoint=checkpoint, steps=50, seconds_per_step=72
    )
    assert found.hours == pytest.approx((50 - checkpoint) / 50) and words in found.verdict
