from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from corpus import VOCABULARY, mixed, write_shards

from freehold.errors import GateError, InputError
from freehold.learn import checkpoint, utilisation
from freehold.learn.batches import Batch, Batches, Corpus
from freehold.learn.course import follow
from freehold.learn.diary import Diary
from freehold.learn.guard import REMEMBERED
from freehold.learn.loop import Taken, learn
from freehold.learn.optimizer import Rates
from freehold.learn.schedule import Schedule
from freehold.learn.session import Session
from freehold.learn.start import initialise
from freehold.model.config import ModelConfig
from freehold.model.transformer import Transformer
from freehold.progress import Progress

STEPS = 30


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return mixed(write_shards(tmp_path_factory.mktemp("loop") / "tokens"))


def fresh(precision: str = "fp32", *, tied: bool = False) -> Session:
    shape = {"vocabulary": VOCABULARY, "context": 32, "width": 32, "head_size": 16}
    model = Transformer(ModelConfig.from_depth(2, **shape, tied=tied))
    initialise(model, seed=1)
    return Session.of(model, rates=Rates(), precision=precision, compiled=False)


def run(session: Session, corpus: Corpus, *, first: int = 0, steps: int = STEPS, micro: int = 0) -> list[Taken]:
    taken: list[Taken] = []
    learn(
        session.model,
        batches=corpus,
        optimizer=session.optimizer,
        schedule=Schedule(steps=steps),
        guard=session.guard,
        first=first,
        micro=micro,
        after=taken.append,
    )
    return taken


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_it_learns(precision: str, corpus: Corpus) -> None:
    taken = run(fresh(precision), corpus)
    assert abs(taken[0].loss - torch.log(torch.tensor(float(VOCABULARY)))) < 0.05  # a small head knows nothing
    assert taken[-1].loss < 2.0


def test_a_tied_model_learns_at_the_rate_of_a_head(corpus: Corpus) -> None:
    session = fresh(tied=True)
    table, rates = session.optimizer.groups["model.embed_tokens.weight"], Rates().scaled(32)
    assert table.rate == rates.head != rates.embedding
    taken = run(session, corpus, steps=40)
    assert taken[-1].loss < 2.0 < taken[0].loss


def test_micro_batches_give_the_gradient_of_the_whole(corpus: Corpus) -> None:
    whole, parts = fresh(), fresh()
    run(whole, corpus, steps=2)
    run(parts, corpus, steps=2, micro=3)
    for name, weight in whole.weights().items():
        torch.testing.assert_close(parts.weights()[name], weight, atol=2e-3, rtol=1e-2)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_resume_is_bit_equal(precision: str, corpus: Corpus, tmp_path: Path) -> None:
    whole, broken, resumed = fresh(precision), fresh(precision), fresh(precision)
    run(whole, corpus)

    def stop(taken: Taken) -> None:
        if taken.step == 12:
            broken.save(tmp_path, step=13, facts={})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learn(
            broken.model,
            batches=corpus,
            optimizer=broken.optimizer,
            schedule=Schedule(steps=STEPS),
            guard=broken.guard,
            after=stop,
        )
    found = checkpoint.latest(tmp_path)
    assert found is not None
    resumed.restore(found)
    run(resumed, corpus, first=found.step)
    assert list(resumed.guard.losses) == list(whole.guard.losses)
    for name, weight in whole.weights().items():
        assert torch.equal(resumed.weights()[name], weight), name


def test_the_start_is_a_function_of_seed_and_name() -> None:
    shape = {"vocabulary": VOCABULARY, "context": 32, "width": 32, "head_size": 16}
    shallow, deep = (Transformer(ModelConfig.from_depth(depth, **shape)) for depth in (1, 2))
    for model in (shallow, deep):
        initialise(model, seed=9)
    for name, weight in shallow.named_parameters():
        assert torch.equal(weight, dict(deep.named_parameters())[name])


class Poisoned:
    """A corpus one of whose batches is noise, far from anything that was learned."""

    def __init__(self, corpus: Corpus, *, step: int) -> None:
        self.corpus, self.step = corpus, step

    def at(self, step: int) -> Batch:
        batch = self.corpus.at(step)
        if step != self.step:
            return batch
        noise_BT = torch.randint(0, VOCABULARY, batch.targets.shape, generator=torch.Generator().manual_seed(1))
        return replace(batch, targets=noise_BT, documents=("poison/1", *batch.documents))

    def check(self) -> None:
        self.corpus.check()


def recipe_of(steps: int) -> dict[str, Any]:
    shape = {
        "sequence": 32,
        "samples": 8,
        "micro": 0,
        "steps": steps,
        "seed": 1,
        "precision": "fp32",
        "device": "cpu",
        "dtype": "float32",
    }
    rates = {"rates": {"matrix": 0.02}, "warmup_steps": 0, "decay_share": 0.5}
    return {**shape, **rates, "checkpoint_steps": 4, "dtype": "float32"}


def test_a_poisoned_batch_is_skipped_named_and_still_skipped_after_a_resume(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(utilisation, "SECONDS", 1e-3)
    recipe, poisoned = recipe_of(REMEMBERED + 12), Poisoned(corpus, step=REMEMBERED + 6)
    notes: list[str] = []
    progress = Progress(quiet=True)
    monkeypatch.setattr(progress, "note", lambda text, **_: notes.append(text))

    def course(folder: Path, batches: Batches) -> Diary:
        folder.mkdir(exist_ok=True)
        session = fresh()
        return follow(session, batches=batches, recipe=recipe, stage="train", folder=folder, progress=progress)

    class Cut(Poisoned):
        def at(self, step: int) -> Batch:
            if step == REMEMBERED + 9:
                raise KeyboardInterrupt
            return super().at(step)

    whole = course(tmp_path / "whole", poisoned)
    (skipped,) = [row for row in whole.rows() if row.get("skipped")]
    assert skipped["step"] == REMEMBERED + 7 and skipped["documents"][0] == "poison/1"
    assert any("skipped" in note and "poison/1" in note for note in notes)
    with pytest.raises(KeyboardInterrupt):
        course(tmp_path / "cut", Cut(corpus, step=REMEMBERED + 6))
    resumed = course(tmp_path / "cut", poisoned)
    assert resumed.rows() == whole.rows() and resumed.chain == whole.chain


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("wrong", [float("inf"), float("-inf"), float("nan"), (float("inf"), float("-inf"))])
def test_a_gradient_that_is_no_number_stops_before_the_weights_change(
    precision: str, wrong: float | tuple[float, float], corpus: Corpus
) -> None:
    session = fresh(precision)
    before = {name: weight.clone() for name, weight in session.weights().items()}

    def spoil(gradient: torch.Tensor) -> torch.Tensor:
        spoilt = gradient.clone()
        spoilt.view(-1)[:2] = torch.tensor(wrong)
        return spoilt

    session.model.model.layers[0].mlp.up_proj.weight.register_hook(spoil)
    with pytest.raises(GateError, match=r"the gradient is -?\w+ at step 1; documents of the batch: s"):
        run(session, corpus)
    assert all(torch.equal(weight, before[name]) for name, weight in session.weights().items())


def test_a_corpus_that_changes_under_the_run_stops_it_before_the_next_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(utilisation, "SECONDS", 1e-3)
    folder = write_shards(tmp_path / "tokens")

    class Touched(Poisoned):
        def at(self, step: int) -> Batch:
            if step == 5:
                os.utime(folder / "shards" / "train-00001.bin", ns=(1, 1))
            return super().at(step)

    with pytest.raises(InputError, match=r"train-00001\.bin.*changed under the run"):
        follow(
            fresh(),
            batches=Touched(mixed(folder, shares={"deu": 1.0}), step=-1),
            recipe=recipe_of(12),
            stage="train",
            folder=tmp_path,
            progress=Progress(quiet=True),
        )
    found = checkpoint.latest(tmp_path / "checkpoints")
    assert found is not None and found.step == 4
