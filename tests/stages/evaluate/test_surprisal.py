from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from freehold.learn.start import initialise
from freehold.model.config import ModelConfig
from freehold.model.transformer import Transformer
from freehold.stages.evaluate.surprisal import Span, batches, surprisal, windows


@pytest.fixture(scope="module")
def model() -> Transformer:
    made = Transformer(ModelConfig.from_depth(1, vocabulary=300, context=32))
    initialise(made, seed=3)
    chance = torch.Generator().manual_seed(1)
    for weight in made.parameters():  # at the start outputs are zero, and attention would not matter
        if weight.dim() == 2:
            torch.nn.init.normal_(weight, std=0.15, generator=chance)
    return made


def naive(model: Transformer, tokens: list[int], scored_from: int) -> float:
    """Each scored token's negative log-probability, one forward pass at a time."""
    total = 0.0
    for place in range(scored_from, len(tokens)):
        with torch.inference_mode():
            logits_V = model(torch.tensor([tokens[:place]]))[0, -1]
        total -= float(torch.log_softmax(logits_V.double(), -1)[tokens[place]])
    return total


@given(length=st.integers(2, 200), context=st.integers(2, 40))
def test_windows_score_every_token_once_with_half_a_context_before(length: int, context: int) -> None:
    scored: list[int] = []
    for span in windows(list(range(length)), context=context):
        assert span.positions <= context
        assert 1 <= span.scored_from < len(span.tokens)
        if span.tokens[0] != 0:
            assert span.scored_from >= context - context // 2
        scored += span.tokens[span.scored_from :]
    assert scored == list(range(1, length))


def test_a_document_of_one_token_has_no_window() -> None:
    assert list(windows([0], context=8)) == []


def test_equals_one_pass_a_token(model: Transformer) -> None:
    spans = [
        Span(tokens=[0, 7, 9, 11, 299, 5], scored_from=1),
        Span(tokens=[0, 42], scored_from=1),
        Span(tokens=[3, 1, 4, 1, 5, 9, 2, 6], scored_from=5),
    ]
    expected = [naive(model, list(span.tokens), span.scored_from) for span in spans]
    assert surprisal(model, spans).tolist() == pytest.approx(expected, rel=1e-5)


def test_neighbours_and_padding_do_not_matter(model: Transformer) -> None:
    short, long = Span(tokens=[0, 1, 2], scored_from=1), Span(tokens=list(range(33)), scored_from=1)
    together = surprisal(model, [short, long, short])
    assert together[0] == together[2] == pytest.approx(surprisal(model, [short])[0], rel=1e-6)


def test_batches_hold_every_span_and_little_padding() -> None:
    spans = [Span(tokens=range(n), scored_from=1) for n in (5, 900, 3, 513, 513, 2, 8200, 700)]
    found = list(batches(spans, limit=8192))
    assert sorted(place for batch in found for place in batch) == list(range(len(spans)))
    for batch in found:
        longest = max(spans[place].positions for place in batch)
        assert len(batch) == 1 or longest * len(batch) <= 8192
