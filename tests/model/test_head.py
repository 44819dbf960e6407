from __future__ import annotations

from typing import Any

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


def kept(loss: torch.Tensor) -> list[torch.Tensor | None]:
    """What the forward pass kept for the backward one."""
    node: Any = loss.grad_fn
    return [] if node is None else list(node.saved_tensors)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])  # bf16: by the native kernel where it can run
def test_a_frozen_head_gets_no_gradient_at_any_scale(dtype: torch.dtype) -> None:
    torch.manual_seed(3)
    x, w = torch.randn(64, 32).to(dtype).requires_grad_(), torch.randn(96, 32).to(dtype)
    target = torch.randint(0, 96, (64,))
    both = torch.autograd.grad(3 * head.head_loss(x, w.requires_grad_(), target), (x, w))
    loss = head.head_loss(x, w.detach(), target)
    assert kept(loss)[1] is None
    (slope,) = torch.autograd.grad(3 * loss, x)
    assert torch.equal(slope, both[0])


def test_a_frozen_stream_costs_no_gradient_of_its_own() -> None:
    w = torch.randn(9, 4).requires_grad_()
    loss = head.head_loss(torch.randn(5, 4), w, torch.zeros(5, dtype=torch.int64))
    assert kept(loss)[0] is None
    (2 * loss).backward()
    assert w.grad is not None


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_without_gradients_none_are_made(dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("a gradient was made")

    monkeypatch.setattr(head, "accumulate", fail)
    monkeypatch.setattr(head.native, "head", fail)
    x, w = torch.randn(64, 32).to(dtype).requires_grad_(), torch.randn(96, 32).to(dtype).requires_grad_()
    target = torch.randint(0, 96, (64,))
    with torch.no_grad():
        judged = head.head_loss(x, w, target)
    assert judged.isfinite() and not judged.requires_grad
    with pytest.raises(AssertionError, match="a gradient was made"):
        head.head_loss(x, w, target)
