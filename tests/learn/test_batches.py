from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from corpus import mixed, write_shards

from freehold.errors import InputError
from freehold.learn.batches import Corpus, ranges
from freehold.model.head import IGNORED

SHARES = {"deu": 0.7, "jpn": 0.3}


def corpus_of(folder: Path, *, samples: int = 4, seed: int = 7, digest: str = "d", **shares: float) -> Corpus:
    return mixed(folder, shares=shares or SHARES, digest=digest, seed=seed, sequence=16, samples=samples)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_shards(tmp_path / "tokens")


def test_targets_are_the_next_tokens_of_the_documents_named(folder: Path) -> None:
    corpus = corpus_of(folder)
    batch = corpus.at(3)
    assert batch.tokens.shape == batch.targets.shape == (4, 16)
    assert torch.equal(batch.tokens[:, 1:], batch.targets[:, :-1])
    shards = corpus.shards
    texts = {name: shards.read(row, 0, int(shards.lengths[row])).tolist() for row, name in enumerate(shards.documents)}
    whole = "".join(chr(200 + token) for name in batch.documents for token in texts[name])
    for row in batch.tokens.tolist():  # within a document a window is a run of its tokens
        begin = row.index(0) if 0 in row else len(row)
        assert "".join(chr(200 + token) for token in row[:begin]) in whole


def test_the_order_is_a_function_of_digest_seed_and_sample_alone(folder: Path) -> None:
    four, two = corpus_of(folder), corpus_of(folder, samples=2)
    assert torch.equal(four.at(5).tokens, torch.cat((two.at(10).tokens, two.at(11).tokens)))
    swapped = corpus_of(folder, jpn=0.3, deu=0.7)
    assert torch.equal(four.at(5).tokens, swapped.at(5).tokens)
    assert not torch.equal(four.at(5).tokens, corpus_of(folder, seed=8).at(5).tokens)
    assert not torch.equal(four.at(5).tokens, corpus_of(folder, digest="e").at(5).tokens)


def test_consumed_is_exactly_what_the_batches_held(folder: Path) -> None:
    corpus, steps = corpus_of(folder), 40  # several passes
    counted = {row: np.zeros(int(length), int) for row, length in enumerate(corpus.shards.lengths)}
    for sample in range(steps * corpus.samples):
        for row, offset, length in corpus.pieces(sample):
            counted[row][offset : offset + length] += 1
    for language in corpus.parts:
        found = ranges(corpus.edges(language, steps * corpus.samples))
        assert found == sorted(found)
        for row, offset, length, times in found:
            counted[row][offset : offset + length] -= times
    assert all((rest == 0).all() for rest in counted.values())


def test_goldfish_leaves_targets_out_and_tokens_in(folder: Path) -> None:
    plain, forgetful = corpus_of(folder), corpus_of(folder)
    forgetful.goldfish = 3
    before, after = (torch.cat([each.at(step).targets for step in range(9)]) for each in (plain, forgetful))
    gaps = after == IGNORED
    assert torch.equal(after[~gaps], before[~gaps]) and gaps.any()
    assert torch.equal(plain.at(2).tokens, forgetful.at(2).tokens)


def test_segments_change_where_a_document_begins(folder: Path) -> None:
    corpus = corpus_of(folder)
    assert corpus.at(0).segments is None
    corpus.segments = True
    for step in range(6):
        batch = corpus.at(step)
        assert batch.segments is not None and batch.segments.shape == batch.tokens.shape
        changes = batch.segments[:, 1:] != batch.segments[:, :-1]
        assert torch.equal(changes, batch.tokens[:, 1:] == 0)  # 0 is the BOS that every document begins with


def test_a_share_that_would_never_have_its_turn_is_refused(folder: Path) -> None:
    assert corpus_of(folder, deu=0.999, jpn=0.001).turns.count("jpn", 1000) == 1
    with pytest.raises(InputError, match=r"'jpn' has a share of 0.00040: not one of 1,000 samples"):
        corpus_of(folder, deu=0.9996, jpn=0.0004)


def test_a_language_without_documents_is_named(folder: Path) -> None:
    with pytest.raises(InputError, match="kor"):
        corpus_of(folder, deu=0.5, kor=0.5)


@pytest.mark.parametrize("world", range(1, 9))
def test_the_ranks_of_any_world_hold_the_batch_between_them(folder: Path, world: int) -> None:
    corpus = corpus_of(folder, samples=8)
    corpus.segments = True
    batch = corpus.at(2)
    parts = [batch.each(lambda rows_BT, rank=rank: rows_BT[rank::world]) for rank in range(world)]
    assert batch.segments is not None and sum(len(part.tokens) for part in parts) == 8
    for name in ("tokens", "targets", "segments"):
        whole = torch.empty_like(getattr(batch, name))
        for rank, part in enumerate(parts):
            whole[rank::world] = getattr(part, name)
        assert torch.equal(whole, getattr(batch, name))
    assert {part.documents for part in parts} == {batch.documents}  # a rank knows what the whole step saw
