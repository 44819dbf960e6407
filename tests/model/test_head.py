from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from freehold.model import head


@pytest.mark.parametrize("chunk", [50 * 64, 50 * 1000])
def test_loss_and_gradients_equal_the_plain_form(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head, "CHUNK_NUMBERS", chunk)
    torch.manual_seed(1)
    x, w = torch.randn(150, 16).requires_grad_(), torch.randn(50, 16).requires_grad_()
    target = torch.randint(0, 50, (150,))
    target[:70] = head.IGNORED
    plain = functional.cross_entropy(x @ w.t(), target, ignore_index=head.IGNORED)
    expected = torch.autograd.grad(plain, (x, w))
    loss = head.head_loss(x, w, target)
    torch.testing.assert_close(loss, plain)
    for mine, other in zip(torch.autograd.grad(3 * loss, (x, w)), expected, strict=True):
        torch.testing.assert_close(mine, 3 * other, atol=1e-6, rtol=1e-4)


def test_micro_batches_share_one_divisor() -> None:
    torch.manual_seed(2)
    x, w, target = torch.randn(40, 8), torch.randn(30, 8), torch.randint(0, 30, (40,))
    parts = sum(head.head_loss(x[s], w, target[s], divisor=40) for s in (slice(0, 10), slice(10, 40)))
    torch.testing.assert_close(parts, head.head_loss(x, w, target))


def test_large_logits_stay_finite() -> None:
    x, w = torch.full((3, 4), 100.0).requires_grad_(), torch.full((5, 4), 100.0)
    loss = head.head_loss(x, w, torch.tensor([0, 1, 2]))
    loss.backward()
    torch.testing.assert_close(loss.detach(), torch.tensor(5.0).log())
    assert torch.isfinite(x.grad).all()


def test_nothing_counted_is_zero() -> None:
    x = torch.randn(3, 4).requires_grad_()
    loss = head.head_loss(x, torch.randn(5, 4), torch.full((3,), head.IGNORED))
    loss.backward()
    assert float(loss.detach()) == 0 and float(x.grad.abs().max()) == 0
