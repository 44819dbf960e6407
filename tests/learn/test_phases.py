from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from corpus import VOCABULARY, write_shards
from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.errors import InputError
from freehold.learn import course, utilisation
from freehold.learn.course import follow
from freehold.learn.diary import Diary
from freehold.learn.mixture import Part, Stream
from freehold.learn.optimizer import Rates
from freehold.learn.parallel import ALONE, One, Ranks
from freehold.learn.phases import Curriculum, Phase, schedule_of, steps_of
from freehold.learn.schedule import Schedule
from freehold.learn.session import Session
from freehold.learn.shards import Shards
from freehold.learn.start import initialise
from freehold.model import hf
from freehold.model.config import ModelConfig
from freehold.model.transformer import Transformer
from freehold.progress import Progress

SHARES = {"deu": 0.5, "jpn": 0.5}


def phase(name: str, **chosen: Any) -> dict[str, Any]:
    plain = {"name": name, "steps": 4, "sequence": 16, "shares": SHARES, "sources": [], "rate": [1.0, 1.0], "model": {}}
    row = {**plain, **chosen}
    return {**row, "samples": 64 // row["sequence"], "micro": 0}


def recipe_of(*phases: dict[str, Any], **chosen: Any) -> dict[str, Any]:
    shape = {"sequence": 16, "samples": 4, "micro": 0, "shares": SHARES, "data": "d", "seed": 3}
    rates = {"rates": {"matrix": 0.02}, "warmup_steps": 0, "decay_share": 0.5}
    steps = {"steps": sum(row["steps"] for row in phases), "phases": list(phases)}
    machine = {"precision": "fp32", "device": "cpu", "dtype": "float32"}
    return {**shape, **rates, **steps, **machine, "checkpoint_steps": 3, **chosen}


@pytest.fixture
def shards(tmp_path: Path) -> Shards:
    return Shards.open(write_shards(tmp_path / "tokens"))


def times_consumed(curriculum: Curriculum) -> dict[int, np.ndarray]:
    """By brute force: how often each token of each document was in a window."""
    counted = {row: np.zeros(int(length), int) for row, length in enumerate(curriculum.shards.lengths)}
    for stretch, corpus in zip(curriculum.phases, curriculum.corpora, strict=True):
        for sample in range(stretch.steps * stretch.samples):
            for row, offset, length in corpus.pieces(sample):
                counted[row][offset : offset + length] += 1
    return counted


MIXED = (
    phase("warm", steps=3),
    phase("long", steps=9, sequence=32, shares={"deu": 0.8, "jpn": 0.2}),
    phase("best", steps=11, sources=["press"]),
    phase("last", steps=5, sequence=64, shares={"deu": 1.0}),
)


def test_consumed_is_exact_over_all_phases(shards: Shards) -> None:
    curriculum = Curriculum(shards, recipe_of(*MIXED))
    counted = times_consumed(curriculum)
    for found in curriculum.consumed().values():
        assert found == sorted(found)
        for row, offset, length, times in found:
            counted[row][offset : offset + length] -= times
    assert all((rest == 0).all() for rest in counted.values())


def test_a_step_of_the_run_is_a_step_of_its_phase(shards: Shards) -> None:
    curriculum = Curriculum(shards, recipe_of(*MIXED))
    shapes = [tuple(curriculum.at(step).tokens.shape) for step in (0, 2, 3, 11, 12, 22, 23, 27)]
    assert shapes == [(4, 16), (4, 16), (2, 32), (2, 32), (4, 16), (4, 16), (1, 64), (1, 64)]
    assert torch.equal(curriculum.at(5).tokens, curriculum.corpora[1].at(2).tokens)
    pressed = {name for step in range(12, 23) for name in curriculum.at(step).documents}
    sources = dict(zip(shards.documents, shards.sources, strict=True))
    assert {sources[name] for name in pressed} == {"press"}


def test_phases_that_share_the_mixture_are_one_run_in_two_parts(shards: Shards) -> None:
    whole, parts = (Curriculum(shards, recipe_of(*rows)) for rows in ([phase("a", steps=8)], [phase("a"), phase("b")]))
    rows = [torch.cat([each.at(step).tokens for step in range(8)]).tolist() for each in (whole, parts)]
    assert rows[0] == rows[1]


@pytest.mark.parametrize("lengths", [(16, 32), (32, 16), (16, 64)])
def test_longer_windows_do_not_repeat_what_shorter_ones_gave(shards: Shards, lengths: tuple[int, int]) -> None:
    first, second = (phase(str(length), steps=5, sequence=length, shares={"deu": 1.0}) for length in lengths)
    assert shards.lengths[shards.languages == "deu"].sum() - 2 * 64 > 2 * 5 * 64
    counted = times_consumed(Curriculum(shards, recipe_of(first, second)))
    assert max(int(times.max()) for times in counted.values()) == 1


@given(
    st.lists(st.integers(1, 60), min_size=1, max_size=9),
    st.sampled_from([1, 2, 4]),
    st.integers(0, 30),
    st.integers(1, 30),
)
@settings(deadline=None)
def test_a_part_visits_each_window_of_its_blocks_once(lengths: list[int], each: int, first: int, blocks: int) -> None:
    stream = Stream(np.arange(len(lengths)), np.array(lengths), key=7, block=8)
    part = Part(stream=stream, window=8 // each, first=first, blocks=blocks)
    starts = [part.start(number) for number in range(blocks * each)]
    whole = [stream.start(first + block) + place * part.window for block in range(blocks) for place in range(each)]
    assert sorted(starts) == sorted(whole)
    passes = [start // (stream.blocks * stream.block) for start in starts]
    assert passes == sorted(passes)


def test_steps_of_phases_sum_to_the_run() -> None:
    assert steps_of([0.05, 0.85, 0.1], total=7) == [0, 6, 1]
    assert all(sum(steps_of([0.3, 0.3, 0.4], total=total)) == total for total in range(1, 50))


def test_slopes_say_what_warm_up_and_decay_say() -> None:
    rows = (phase("up", steps=10, rate=[0, 1]), phase("flat", steps=50), phase("down", steps=40, rate=[1, 0]))
    slopes = schedule_of(recipe_of(*rows))
    plain = Schedule(steps=100, warmup_steps=10, decay_share=0.4)
    assert [slopes.rate(step) for step in range(100)] == [plain.rate(step) for step in range(100)]


def test_a_language_that_the_sources_do_not_have_is_named(shards: Shards) -> None:
    with pytest.raises(InputError, match=r"press.*'kor'"):
        Curriculum(shards, recipe_of(phase("best", sources=["press"], shares={"kor": 1.0})))


def test_a_recipe_without_phases_is_one(shards: Shards) -> None:
    recipe = {**recipe_of(phase("all", steps=6))}
    del recipe["phases"]
    assert [(one.steps, one.sequence, one.shares) for one in Phase.of(recipe)] == [(6, 16, SHARES)]


def run(
    shards: Shards, recipe: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch, *, ranks: Ranks = ALONE
) -> Diary:
    folder.mkdir(exist_ok=True)
    monkeypatch.setattr(utilisation, "SECONDS", 1e-3)
    model = Transformer(ModelConfig.from_depth(1, vocabulary=VOCABULARY, context=64, width=32, head_size=16))
    initialise(model, seed=1)
    session = Session.of(model, rates=Rates(), precision="fp32", compiled=False)
    batches, progress = Curriculum(shards, recipe), Progress(quiet=True)
    return follow(session, batches=batches, recipe=recipe, stage="train", folder=folder, progress=progress, ranks=ranks)


def test_the_last_rotary_setting_is_the_one_that_ships(
    shards: Shards, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = (phase("short"), phase("long", sequence=64, model={"rope_theta": 500_000.0}))
    diary = run(shards, recipe_of(*rows), tmp_path / "whole", monkeypatch)
    assert [row.get("phase") for row in diary.rows()] == ["short"] * 4 + ["long"] * 4
    hf.save_folder(tmp_path / "model", config=diary.session.config, weights=diary.session.weights())
    assert hf.load_folder(tmp_path / "model").config.rope_theta == 500_000.0
    again = run(shards, recipe_of(*rows), tmp_path / "whole", monkeypatch)  # resumed at its end: no step is left
    assert again.session.config == diary.session.config


def test_a_rotary_change_is_felt(shards: Shards, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, turned = (
        run(shards, recipe_of(phase("a", steps=3), phase("b", steps=3, model=model)), tmp_path / name, monkeypatch)
        for name, model in (("plain", {}), ("turned", {"rope_theta": 100.0}))
    )
    losses = [[row["loss"] for row in diary.rows()] for diary in (plain, turned)]
    assert losses[0][:3] == losses[1][:3] and losses[0][3:] != losses[1][3:]


def test_a_checkpoint_of_another_recipe_is_refused(
    shards: Shards, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(shards, recipe_of(phase("a")), tmp_path / "run", monkeypatch)
    with pytest.raises(InputError, match="another recipe"):
        run(shards, recipe_of(phase("a", rate=[1.0, 0.5])), tmp_path / "run", monkeypatch)


def test_utilisation_is_a_share_of_what_all_ranks_can_do(
    shards: Shards, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(course, "peak", lambda precision, *, device: 1e9)
    peaks = [run(shards, recipe_of(phase("a")), tmp_path / str(n), monkeypatch, ranks=One(size=n)).peak for n in (1, 3)]
    assert peaks == [1e9, 3e9]


def digest_of(curriculum: Curriculum, samples: int) -> str:
    windows = [[corpus.pieces(sample, extra=1) for sample in range(samples)] for corpus in curriculum.corpora]
    return hashlib.sha256(json.dumps(windows).encode()).hexdigest()


def test_the_order_without_domains_is_pinned(shards: Shards) -> None:
    """These digests were taken before there were domains: a release of then can be replayed."""
    plain = {"sequence": 16, "samples": 4, "micro": 0, "shares": {"deu": 0.7, "jpn": 0.3}, "data": "d", "seed": 3}
    assert digest_of(Curriculum(shards, {**plain, "steps": 40}), 400) == (
        "3f52dec55258933311e78589c5bdfd3807705e354b4304f4fe0c90a48e639552"
    )
    two = [phase("a", steps=6, sequence=8), phase("b", steps=6, shares={"deu": 0.9, "jpn": 0.1}, sources=["law"])]
    assert digest_of(Curriculum(shards, {**plain, "steps": 12, "phases": two}), 200) == (
        "3c036fdd19921196cc61076e4bac92971ac4245b122f3fc7f624befdd6eb4284"
    )


def strands(law: float) -> list[dict[str, Any]]:
    shares = {"law": law, "press": 1 - law}
    return [{"domain": domain, "share": share, "sources": [domain]} for domain, share in shares.items()]


def test_domains_take_turns_within_a_language(shards: Shards) -> None:
    mixed = recipe_of(phase("main", steps=100, domains={"deu": strands(0.2), "jpn": strands(0.7)}))
    curriculum = Curriculum(shards, mixed)
    read = dict.fromkeys([(code, source) for code in SHARES for source in ("law", "press")], 0)
    for sample in range(400):
        pieces = curriculum.corpora[0].pieces(sample)
        kinds = {(str(shards.languages[row]), str(shards.sources[row])) for row, _, _ in pieces}
        assert len(kinds) == 1  # a window is of one language and domain
        read[kinds.pop()] += 1
    assert read == {("deu", "law"): 40, ("deu", "press"): 160, ("jpn", "law"): 140, ("jpn", "press"): 60}
    backwards = [curriculum.corpora[0].pieces(sample) for sample in reversed(range(400))]
    assert backwards[::-1] == [Curriculum(shards, mixed).corpora[0].pieces(sample) for sample in range(400)]


def test_domains_are_read_evenly_and_phases_go_on_in_them(shards: Shards) -> None:
    domains = {"deu": strands(0.5), "jpn": strands(0.5)}
    curriculum = Curriculum(
        shards, recipe_of(phase("a", steps=9, domains=domains), phase("b", steps=9, sequence=8, domains=domains))
    )
    counted = times_consumed(curriculum)
    for language in SHARES:
        for source in ("law", "press"):
            rows = set(shards.rows(language, [source]).tolist())
            times = np.concatenate([counted[row] for row in rows])
            assert times.max() - times.min() <= 2, (language, source)
    ledger = curriculum.consumed()
    whole = sum(length * times for found in ledger.values() for _, _, length, times in found)
    assert whole == sum(times.sum() for times in counted.values()) == 18 * 64
