from __future__ import annotations

from pathlib import Path

import pytest
import torch
from corpus import VOCABULARY, write_shards

from freehold.learn import checkpoint
from freehold.learn.batches import Corpus
from freehold.learn.loop import Taken, learn
from freehold.learn.optimizer import Rates
from freehold.learn.schedule import Schedule
from freehold.learn.session import Session
from freehold.learn.shards import Shards
from freehold.learn.start import initialise
from freehold.model.config import ModelConfig
from freehold.model.transformer import Transformer

STEPS = 30


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    shards = Shards.open(write_shards(tmp_path_factory.mktemp("loop") / "tokens"))
    return Corpus.of(shards, shares={"deu": 0.5, "jpn": 0.5}, digest="d", seed=1, sequence=32, samples=8)


def fresh(precision: str = "fp32") -> Session:
    model = Transformer(ModelConfig.from_depth(2, vocabulary=VOCABULARY, context=32, width=32, head_size=16))
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
