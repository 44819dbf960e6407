from __future__ import annotations

from pathlib import Path

import pytest
import torch
from published import published, some_tokens
from torch.nn import functional

from freehold.learn.optimizer import Muon, Rates, orthogonal
from freehold.learn.session import Session
from freehold.learn.start import initialise
from freehold.model import hf
from freehold.model.config import Experts
from freehold.model.experts import BALANCING_RATE, Router, apart
from freehold.model.transformer import Transformer


@pytest.mark.parametrize("name", ["qwen3 moe", "qwen3 moe, normed", "deepseek", "deepseek, direct queries"])
def test_gradients_are_those_of_transformers(name: str, tmp_path: Path) -> None:
    theirs, tokens = published(name, tmp_path), some_tokens()
    ours = hf.load_folder(tmp_path)
    assert isinstance(ours, Transformer)
    ours.loss(tokens[:, :-1], tokens[:, 1:]).backward()
    logits = theirs(tokens[:, :-1]).logits
    functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten()).backward()
    found = {key: weight.grad for key, weight in ours.named_parameters() if weight.grad is not None}
    for key, weight in theirs.named_parameters():
        if key.endswith("experts.gate_up_proj"):
            stem = key.removesuffix("gate_up_proj")
            mine = torch.cat([found[f"{stem}gate_proj.weight"], found[f"{stem}up_proj.weight"]], dim=1)
        else:
            mine = found[f"{key}.weight" if key.endswith("experts.down_proj") else key]
        torch.testing.assert_close(mine, weight.grad, atol=2e-5, rtol=1e-3, msg=key)


def test_muon_treats_each_expert_as_a_matrix() -> None:
    torch.manual_seed(1)
    stack, matrix = torch.nn.Parameter(torch.randn(3, 4, 6)), torch.nn.Parameter(torch.randn(4, 6))
    before = stack.detach().clone()
    group = Muon([stack, matrix], rate=0.1, decay=0.0)
    stack.grad, matrix.grad = torch.randn(3, 4, 6), torch.randn(4, 6)
    gradient = stack.grad.clone()
    group.step(factor=1.0, momentum=0.0)
    torch.testing.assert_close(
        stack.data, before - 0.1 * orthogonal(gradient, dtype=torch.float32), atol=1e-5, rtol=1e-4
    )
    assert [tuple(master.shape) for master in group.masters()] == [(3, 4, 6), (4, 6)]


def test_a_crowded_expert_loses_favour() -> None:
    router = Router(4, Experts(count=4, chosen=1, width=8, layers=(0,), score="sigmoid"))
    torch.nn.init.normal_(router.weight)
    router.e_score_correction_bias[2] = 5.0  # everyone's choice
    router.train()(torch.randn(30, 4))
    router.after_step(taken=False)
    assert router.e_score_correction_bias.tolist() == [0, 0, 5, 0]
    router(torch.randn(30, 4))
    router.after_step(taken=True)
    expected = torch.tensor([1.0, 1, -1, 1]) * BALANCING_RATE + torch.tensor([0.0, 0, 5, 0])
    torch.testing.assert_close(router.e_score_correction_bias, expected)
    assert not router.load.any()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_mixture_learns_saves_and_resumes(precision: str, tmp_path: Path) -> None:
    published("deepseek", tmp_path / "in")
    tokens = some_tokens()

    def session() -> Session:
        model = hf.load_folder(tmp_path / "in")
        assert isinstance(model, Transformer)
        initialise(model, seed=1)
        return Session.of(model, rates=Rates(), precision=precision, compiled=False)

    def step(session: Session) -> float:
        loss = session.model.loss(tokens[:, :-1], tokens[:, 1:])
        loss.backward()
        session.optimizer.step(factor=1.0, momentum=0.9)
        session.model.after_step(taken=True)
        return float(loss.detach())

    from freehold.learn import checkpoint

    one, two = session(), session()
    losses = [step(one) for _ in range(4)]
    one.save(tmp_path / "checkpoints", step=4, facts={})
    found = checkpoint.latest(tmp_path / "checkpoints")
    assert found is not None
    two.restore(found)
    assert [step(one) for _ in range(3)] == [step(two) for _ in range(3)]
    assert losses[-1] < losses[0]
    weights = one.weights()
    assert bool(weights["model.layers.1.mlp.gate.e_score_correction_bias"].any())
    assert set(weights) == set(apart(one.model.state_dict()))
    hf.save_folder(tmp_path / "out", config=one.config, weights=weights)
    again = hf.load_folder(tmp_path / "out")
    for name, tensor in apart(again.state_dict()).items():
        torch.testing.assert_close(tensor, weights[name], atol=0, rtol=0)
