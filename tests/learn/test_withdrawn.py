"""Withdrawn documents: what a batch holds in their place, when they were used, and that nothing depends on them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from corpus import VOCABULARY, write_shards

from freehold.errors import InputError
from freehold.learn import utilisation
from freehold.learn.batches import FILLER, Corpus
from freehold.learn.course import follow
from freehold.learn.diary import Diary
from freehold.learn.guard import Guard
from freehold.learn.optimizer import Rates
from freehold.learn.phases import Curriculum
from freehold.learn.session import Session
from freehold.learn.shards import Shards
from freehold.learn.start import initialise
from freehold.learn.uses import first_steps, steps_of
from freehold.model.config import ModelConfig
from freehold.model.declared import declare
from freehold.model.head import IGNORED
from freehold.model.transformer import Transformer
from freehold.progress import Progress
from freehold.proof import chain

GONE = ["s0-d1", "s0-d3", "s0-d7", "s1-d2", "s1-d11"]
SHARES = {"deu": 0.6, "jpn": 0.4}
STEPS = 23  # of the three phases


def recipe_of(**chosen: Any) -> dict[str, Any]:
    """Three phases with other lengths, sources and domains; the first as long as all text once."""
    strands = [{"domain": name, "share": share, "sources": [name]} for name, share in (("law", 0.3), ("press", 0.7))]
    plain = {"samples": 4, "micro": 0, "sequence": 16, "shares": SHARES, "sources": [], "rate": [1, 1], "model": {}}
    long = {**plain, "name": "long", "steps": 5, "sequence": 32, "samples": 2, "domains": {"deu": strands}}
    phases = [
        {**plain, "name": "first", "steps": 12},
        long,
        {**plain, "name": "press", "steps": 6, "sources": ["press"]},
    ]
    shape = {"sequence": 16, "samples": 4, "micro": 0, "shares": SHARES, "data": "d", "seed": 3, "phases": phases}
    rates = {"rates": {"matrix": 0.02}, "warmup_steps": 0, "decay_share": 0.5, "steps": STEPS, "checkpoint_steps": 8}
    machine = {"precision": "fp32", "device": "cpu", "dtype": "float32", "document_mask": True, "goldfish": 7}
    return {**shape, **rates, **machine, **chosen}


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    return write_shards(tmp_path / "tokens")


def places(curriculum: Curriculum) -> list[tuple[Corpus, int]]:
    """The corpus and its own step for every step of the run."""
    phases = zip(curriculum.phases, curriculum.corpora, strict=True)
    return [(corpus, step) for phase, corpus in phases for step in range(phase.steps)]


def with_other_text(tokens: Path, folder: Path, *, seed: int) -> Path:
    """The same shards with random tokens in the withdrawn documents, BOS included."""
    shutil.copytree(tokens, folder)
    shards, draw = Shards.open(folder), np.random.default_rng(seed)
    for row in (shards.documents.index(name) for name in GONE):
        path = shards.paths[int(shards.shard_of[row])]
        held = np.fromfile(path, shards.dtype)
        start, length = int(shards.starts[row]), int(shards.lengths[row])
        held[start : start + length] = draw.integers(0, VOCABULARY, length)
        held.tofile(path)
    return folder


def test_a_withdrawn_slot_holds_a_constant_that_nobody_sees_or_predicts(tokens: Path) -> None:
    shards = Shards.open(tokens)
    before, after = (Curriculum(shards, recipe_of(**more)) for more in ({}, {"withdrawn": GONE}))
    met = 0
    for step, (corpus, own) in enumerate(places(before)):
        old, new = before.at(step), after.at(step)
        assert new.segments is not None and old.segments is not None and torch.equal(old.segments, new.segments)
        assert new.documents == tuple(name for name in old.documents if name not in GONE)
        for place in range(len(old.tokens)):
            pieces = corpus.pieces(own * corpus.samples + place, extra=1)
            gone = np.concatenate([np.full(length, shards.documents[row] in GONE) for row, _, length in pieces])
            here, target = torch.from_numpy(gone[:-1]), torch.from_numpy(gone[1:])
            assert (new.tokens[place][here] == FILLER).all()
            assert torch.equal(new.tokens[place][~here], old.tokens[place][~here])
            assert (new.targets[place][here | target] == IGNORED).all()
            met += int((target & ~here).sum())  # the withdrawn document's first token is not predicted either
            for edge in here.nonzero().flatten().tolist():  # its slot is a document of its own
                segment = new.segments[place] == new.segments[place][edge]
                assert here[segment].all()
    assert met > 0


def test_no_batch_depends_on_the_text_of_a_withdrawn_document(tokens: Path, tmp_path: Path) -> None:
    other = with_other_text(tokens, tmp_path / "other", seed=1)
    one, two = (Curriculum(Shards.open(folder), recipe_of(withdrawn=GONE)) for folder in (tokens, other))
    changed = 0
    for step in range(STEPS):
        first, second = one.at(step), two.at(step)
        assert torch.equal(first.tokens, second.tokens) and torch.equal(first.targets, second.targets)
        plain = (Curriculum(Shards.open(folder), recipe_of()).at(step).tokens for folder in (tokens, other))
        changed += not torch.equal(*plain)
    assert changed > 3


def test_uses_are_those_of_the_batches_themselves(tokens: Path) -> None:
    shards = Shards.open(tokens)
    curriculum = Curriculum(shards, recipe_of())
    seen: dict[str, list[int]] = {name: [] for name in shards.documents}
    for step in range(STEPS):
        for name in curriculum.at(step).documents:
            seen[name].append(step + 1)
    found = steps_of(curriculum, [*shards.documents, "unknown"])
    assert {name: steps.tolist() for name, steps in found.items()} == {**seen, "unknown": []}
    assert min(len(steps) for steps in seen.values()) == 0 < max(len(steps) for steps in seen.values())
    assert first_steps(curriculum, ["unknown"]) == {"unknown": None}


def test_documents_shorter_than_a_window_or_streams_that_wrap_are_found(tmp_path: Path) -> None:
    shards = Shards.open(write_shards(tmp_path / "few", shards=1, documents=3, longest=10))
    recipe = recipe_of(sequence=64, samples=1)
    del recipe["phases"]
    curriculum = Curriculum(shards, recipe)
    for name, steps in steps_of(curriculum, shards.documents).items():
        assert steps.tolist() == [step + 1 for step in range(STEPS) if name in curriculum.at(step).documents]


def test_consumed_leaves_them_out_and_nothing_else(tokens: Path) -> None:
    shards = Shards.open(tokens)
    before, after = (Curriculum(shards, recipe_of(**more)).consumed() for more in ({}, {"withdrawn": GONE}))
    kept = {code: [row for row in rows if shards.documents[row[0]] not in GONE] for code, rows in before.items()}
    assert after == kept != before


def test_without_document_masks_it_is_refused_and_says_what_remains(tokens: Path) -> None:
    with pytest.raises(InputError, match="no document masks") as caught:
        Curriculum(Shards.open(tokens), recipe_of(withdrawn=GONE, document_mask=False))
    assert "W1 and W2" in (caught.value.remedy or "")


def test_a_batch_that_is_withdrawn_whole_teaches_nothing_and_is_not_remembered(tokens: Path) -> None:
    shards = Shards.open(tokens)
    batch = Curriculum(shards, recipe_of(withdrawn=sorted(shards.documents))).at(0)
    guard = Guard()
    assert batch.documents == () and (batch.targets == IGNORED).all()
    assert guard.admits(0.0, step=0, batch=batch) and not guard.losses


def train(tokens: Path, folder: Path, model: ModelConfig, **chosen: Any) -> Diary:
    """A whole run; its diary."""
    folder.mkdir(exist_ok=True)
    learner, recipe = Transformer(model), recipe_of(**chosen)
    initialise(learner, seed=1)
    session = Session.of(learner, rates=Rates(), precision="fp32", compiled=False)
    batches = Curriculum(Shards.open(tokens), recipe)
    first = first_steps(batches, recipe.get("withdrawn", ()))
    cut_off = {name: step for name, step in first.items() if step is not None}
    course = {"recipe": recipe, "stage": "train", "folder": folder, "progress": Progress(quiet=True)}
    return follow(session, batches=batches, cut_off=cut_off, **course)


SHAPE = {"vocabulary": VOCABULARY, "context": 64}
DENSE = ModelConfig.from_depth(1, width=32, head_size=16, **SHAPE)
ROUTED = declare(2, width=32, family="deepseek_v3", experts=4, experts_per_token=2, **SHAPE)


def test_the_weights_are_the_same_bits_whatever_the_withdrawn_slots_hold(
    tokens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(utilisation, "SECONDS", 1e-3)
    texts = [tokens, *(with_other_text(tokens, tmp_path / f"text-{seed}", seed=seed) for seed in (1, 2))]
    withdrawn = [train(text, tmp_path / f"run-{n}", DENSE, withdrawn=GONE).chain for n, text in enumerate(texts)]
    old, other = (train(text, tmp_path / f"old-{n}", DENSE).chain for n, text in enumerate(texts[:2]))
    assert withdrawn[0] == withdrawn[1] == withdrawn[2]
    assert len({rows[-1]["checkpoint"] for rows in (old, other, withdrawn[0])}) == 3
    assert old[0] == withdrawn[0][0]


def test_routers_of_experts_do_not_depend_on_them_either(
    tokens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(utilisation, "SECONDS", 1e-3)
    other, few = with_other_text(tokens, tmp_path / "other", seed=1), recipe_of()["phases"][:1]
    short = {"phases": [{**few[0], "steps": 6}], "steps": 6, "withdrawn": GONE}
    chains = [train(text, tmp_path / f"run-{n}", ROUTED, **short).chain for n, text in enumerate([tokens, other])]
    assert chains[0] == chains[1] and "withdrawn" in chains[0][-1]


def test_the_chain_names_what_was_cut_off_from_the_first_use_on(
    tokens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(utilisation, "SECONDS", 1e-3)
    first = first_steps(Curriculum(Shards.open(tokens), recipe_of()), Shards.open(tokens).documents)
    late = sorted((name for name, step in first.items() if step is not None and step > 8), key=lambda name: first[name])
    gone = [late[0], late[-1], next(name for name, step in first.items() if step is None)]
    rows = train(tokens, tmp_path / "run", DENSE, withdrawn=sorted(gone)).chain
    for row in rows:
        so_far = [name for name in gone if (first[name] or 99) <= row["last_step"]]
        assert row.get("withdrawn") == (chain.withdrawn_root(so_far) if so_far else None)
    assert [row.get("withdrawn") is None for row in rows] == [True, True, False, False]
    chain.parse([("chain.jsonl", b"".join(chain.line(row) + b"\n" for row in rows))])
