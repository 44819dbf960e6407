from __future__ import annotations

import pytest
import torch
from torch import nn

from freehold.learn.optimizer import AdamW, Muon, Optimizer, Rates, orthogonal
from freehold.learn.start import initialise
from freehold.model.config import ModelConfig
from freehold.model.transformer import Transformer


@pytest.mark.parametrize("shape", [(3, 32, 32), (2, 24, 64), (2, 64, 24)])
def test_singular_values_come_near_one_and_directions_stay(shape: tuple[int, ...]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    near = orthogonal(matrix, dtype=torch.float32)
    values = torch.linalg.svdvals(near)
    assert float(values.min()) > 0.8 and float(values.max()) < 1.25
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    ideal = left @ right
    alike = (near * ideal).sum((-2, -1)) / (near.norm(dim=(-2, -1)) * ideal.norm(dim=(-2, -1)))
    assert float(alike.min()) > 0.98


def test_adamw_is_torchs() -> None:
    ours, theirs = nn.Parameter(torch.ones(5)), nn.Parameter(torch.ones(5))
    group = AdamW([ours], rate=0.1)
    reference = torch.optim.AdamW([theirs], lr=0.1, betas=(0.8, 0.95), eps=1e-10, weight_decay=0.0)
    for step in range(5):
        ours.grad = torch.arange(5.0) - step
        theirs.grad = ours.grad.clone()
        with torch.no_grad():
            group.step(factor=1.0, momentum=0.9)
        reference.step()
        torch.testing.assert_close(ours.data, theirs.data, atol=1e-5, rtol=1e-4)


def test_decay_pulls_only_where_it_agrees_with_the_step() -> None:
    weight = nn.Parameter(torch.tensor([[1.0, 1.0], [1.0, -1.0]]))
    plain, decayed = (Muon([nn.Parameter(weight.detach().clone())], rate=0.1, decay=d) for d in (0.0, 0.5))
    for group in (plain, decayed):
        group.weights[0].grad = torch.tensor([[1.0, -1.0], [1.0, 1.0]])
        with torch.no_grad():
            group.step(factor=1.0, momentum=0.0)
    moved = weight.detach() - plain.master[0]
    pulled = plain.master[0] - decayed.master[0]
    assert ((pulled != 0) == (moved * weight.detach() > 0)).all()


def test_every_weight_has_its_group_and_bf16_keeps_fp32_masters() -> None:
    model = Transformer(ModelConfig.from_depth(2, vocabulary=70, context=16, width=32, head_size=16))
    initialise(model, seed=1)
    optimizer = Optimizer(model.named_parameters(), rates=Rates())
    model.bfloat16()
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    model.loss(torch.randint(0, 70, (2, 8)), torch.randint(0, 70, (2, 8))).backward()
    optimizer.step(factor=1.0, momentum=0.9)
    still = [name for name, weight in model.named_parameters() if torch.equal(weight, before[name])]
    # Outputs start at zero, so at the first step nothing below them has a slope.
    assert not [name for name in still if name.endswith(("o_proj.weight", "down_proj.weight", "lm_head.weight"))]
    assert all(value.dtype in (torch.float32, torch.int64) for value in optimizer.state().values())
    assert all(weight.grad is None for weight in model.parameters())
