from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from corpus import VOCABULARY, mixed, write_shards

from freehold.errors import GateError, IncompleteError
from freehold.learn import utilisation
from freehold.learn.batches import Batch
from freehold.learn.checkpoint import step_of
from freehold.learn.course import follow
from freehold.learn.optimizer import Rates
from freehold.learn.replay import Course, Replay, distance, stretches
from freehold.learn.session import Session
from freehold.learn.start import initialise
from freehold.model import hf
from freehold.model.config import ModelConfig
from freehold.model.transformer import Transformer
from freehold.progress import Progress
from freehold.proof import chain
from freehold.proof.chain import Segment
from freehold.proof.replays import EQUAL, NEAR, TOLERANCE, Outcome

RECIPE = {
    "sequence": 32,
    "samples": 8,
    "micro": 0,
    "steps": 12,
    "seed": 1,
    "precision": "fp32",
    "device": "cpu",
    "dtype": "float32",
    "rates": {"matrix": 0.02},
    "warmup_steps": 0,
    "decay_share": 0.5,
    "checkpoint_steps": 4,
    "keep_every": 4,
}


def fresh() -> Session:
    shape = {"vocabulary": VOCABULARY, "context": 32, "width": 32, "head_size": 16}
    model = Transformer(ModelConfig.from_depth(2, **shape))
    initialise(model, seed=1)
    return Session.of(model, rates=Rates(), precision="fp32", compiled=False)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Course, tuple[Segment, ...]]:
    """A course of 12 steps with checkpoints kept at 4 and 8, and its chain."""
    folder, before = tmp_path_factory.mktemp("course"), utilisation.SECONDS
    utilisation.SECONDS = 1e-3
    corpus, session = mixed(write_shards(folder / "tokens")), fresh()
    diary = follow(session, batches=corpus, recipe=RECIPE, stage="train", folder=folder, progress=Progress(quiet=True))
    utilisation.SECONDS = before
    hf.save_folder(folder / "model", config=session.config, weights=session.weights(), dtype="float32")
    kept = {
        step_of(path): path for path in (folder / "checkpoints").glob("step-*.safetensors") if step_of(path) in (4, 8)
    }
    course = Course(
        recipe=RECIPE, batches=corpus, begin=fresh, kept=kept, left=(folder / "model" / "model.safetensors",)
    )
    return course, chain.parse([("chain.jsonl", b"".join(chain.line(row) + b"\n" for row in diary.chain))])


def outcomes(
    course: Course, segments: tuple[Segment, ...], *wanted: int, exact: bool
) -> tuple[list[Outcome], dict[int, str]]:
    replay = Replay(course, segments, where="chain.jsonl", exact=exact)
    found, missing = list[Outcome](), dict[int, str]()
    for stretch in replay.plan(wanted):
        more, untold = replay.outcomes(stretch, after=lambda _: None)
        found, missing = found + more, missing | untold
    return found, missing


class Changed:
    """Batches whose tokens a function changes; the documents stay."""

    def __init__(self, corpus: Any, change: Callable[[int, Batch], Batch]) -> None:
        self.corpus, self.change = corpus, change

    def at(self, step: int) -> Batch:
        return self.change(step, self.corpus.at(step))

    def check(self) -> None:
        self.corpus.check()


def test_a_stretch_begins_at_the_newest_kept_checkpoint_and_ends_where_it_can_be_compared() -> None:
    rows = [(0, 0), (1, 4), (5, 8), (9, 12), (13, 16)]
    facts = {"stage": "train", "documents": "", "seed": 1, "learning_rate": 0.1, "checkpoint": "", "previous": ""}
    segments = [Segment(first_step=first, last_step=last, **facts) for first, last in rows]  # type: ignore[arg-type]

    def planned(*wanted: int, held: set[int] | None = None) -> list[tuple[int, int]]:
        return [(one.begin, one.end) for one in stretches(segments, wanted, kept={8}, held=held)]

    assert planned(0) == [(0, 0)] and planned(1) == planned(0, 1) == [(0, 4)]
    assert planned(2) == [(0, 8)] and planned(3, 4) == [(8, 16)] and planned(1, 4) == [(0, 4), (8, 16)]
    assert planned(1, held={8, 16}) == [(0, 8)] and planned(3, held={8, 16}) == [(8, 16)]
    with pytest.raises(IncompleteError, match="no weights after step 12"):
        planned(3, held={8})


def test_every_segment_is_equal_from_any_beginning(finished: tuple[Course, tuple[Segment, ...]]) -> None:
    course, segments = finished
    for kept in (course.kept, {}):
        found, _ = outcomes(replace(course, kept=kept), segments, 0, 1, 2, 3, exact=True)
        assert [(one.number, one.result) for one in found] == [(number, EQUAL) for number in range(4)]


def test_other_rounding_is_near_elsewhere_and_refused_on_the_same_stack(
    finished: tuple[Course, tuple[Segment, ...]],
) -> None:
    course, segments = finished
    other = replace(course, recipe={**RECIPE, "micro": 3})  # the same gradient, added up in another order
    found, _ = outcomes(other, segments, 2, 3, exact=False)
    assert [one.result for one in found] == [NEAR, NEAR]
    assert all(0 < (one.distance or 0) < TOLERANCE for one in found)
    with pytest.raises(GateError, match=r"chain.jsonl:3: segment train:2: checkpoint is"):
        outcomes(other, segments, 2, exact=True)


def test_other_text_is_refused_on_any_stack(finished: tuple[Course, tuple[Segment, ...]]) -> None:
    course, segments = finished

    def change(step: int, batch: Batch) -> Batch:
        return replace(batch, targets=batch.targets.roll(1, 0)) if step == 5 else batch

    with pytest.raises(GateError, match=r"segment train:2: weights end 0\.\d+ of their way from the checkpoint"):
        outcomes(replace(course, batches=Changed(course.batches, change)), segments, 2, exact=False)


def test_documents_are_compared_on_any_stack(finished: tuple[Course, tuple[Segment, ...]]) -> None:
    course, segments = finished

    def change(step: int, batch: Batch) -> Batch:
        return replace(batch, documents=batch.documents[1:])

    with pytest.raises(GateError, match="segment train:1: documents is"):
        outcomes(replace(course, batches=Changed(course.batches, change)), segments, 1, exact=False)


def test_documents_that_were_withdrawn_must_be_cut_off_in_the_chain_too(
    finished: tuple[Course, tuple[Segment, ...]],
) -> None:
    course, segments = finished
    withdrawn = replace(course, cut_off={"s0-d1": 7})
    assert [one.result for one in outcomes(withdrawn, segments, 1, exact=True)[0]] == [EQUAL]
    with pytest.raises(GateError, match="segment train:2: withdrawn is None, the replay has"):
        outcomes(withdrawn, segments, 2, exact=True)


def test_weights_drawn_elsewhere_that_differ_cannot_be_told(finished: tuple[Course, tuple[Segment, ...]]) -> None:
    course, segments = finished
    drawn = replace(segments[0], checkpoint="f" * 64)
    found, missing = outcomes(course, (drawn, *segments[1:]), 0, 1, exact=False)
    assert list(missing) == [0] and [one.number for one in found] == [1]


def test_a_recipe_of_another_length_is_refused(finished: tuple[Course, tuple[Segment, ...]]) -> None:
    course, segments = finished
    with pytest.raises(GateError, match="ends at step 8, its recipe has 12"):
        Replay(course, segments[:-1], where="chain.jsonl", exact=True)


def test_distance_is_a_share_of_the_way() -> None:
    before, theirs = {"w": torch.zeros(4)}, {"w": torch.full((4,), 2.0)}
    assert distance(theirs, theirs, before=before) == 0
    assert distance(before, theirs, before=before) == 1
    assert distance(theirs, before, before=before) == 1  # they went nowhere, the replay did
