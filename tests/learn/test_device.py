from __future__ import annotations

import pytest
import torch
from corpus import VOCABULARY

from freehold.errors import InputError
from freehold.learn import device
from freehold.learn.optimizer import Rates
from freehold.learn.session import Session
from freehold.model.config import ModelConfig
from freehold.model.head import head_loss
from freehold.model.transformer import Transformer

SHAPE = ModelConfig.from_depth(2, vocabulary=VOCABULARY, context=32, width=32, head_size=16)


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(InputError, match="tpu"):
        device.choose("tpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_a_gpu_that_is_not_there_is_refused_before_compute() -> None:
    assert device.choose("auto") == "cpu"
    with pytest.raises(InputError, match="no CUDA device"):
        device.choose("cuda")


def test_larger_models_take_fewer_tokens_at_once() -> None:
    deep = ModelConfig.from_depth(24, vocabulary=50_304, context=2048, width=2048)
    tokens = device.fitting(deep, free_bytes=80 * 10**9)
    assert tokens < device.fitting(SHAPE, free_bytes=80 * 10**9) and tokens & (tokens - 1) == 0


def test_a_gpu_is_asked_to_repeat_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    from torch._inductor import config as inductor

    filled = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    try:
        device.settle("cuda")
        assert inductor.deterministic and torch.are_deterministic_algorithms_enabled()
    finally:
        inductor.deterministic = False
        torch.use_deterministic_algorithms(False)
        torch.utils.deterministic.fill_uninitialized_memory = filled  # type: ignore[attr-defined]


@pytest.mark.parametrize("muon", [True, False])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_step_never_waits_for_its_device(precision: str, muon: bool) -> None:
    """On "meta" there are no numbers, so whatever would fetch one from the device, and wait for it, raises."""
    session = Session.of(
        Transformer(SHAPE), rates=Rates(), precision=precision, compiled=False, muon=muon, device="meta"
    )
    tokens = torch.zeros(4, 32, dtype=torch.int64, device="meta")
    for _ in range(2):
        session.model.loss(tokens, tokens, divisor=tokens.numel()).backward()
    assert all(weight.grad is not None and weight.grad.is_meta for weight in session.model.parameters())
    session.optimizer.step(factor=0.5, momentum=0.9)
    assert all(value.is_meta for name, value in session.optimizer.state().items() if not name.endswith("/steps"))


def test_the_scale_of_a_loss_reaches_its_gradients() -> None:
    x, weight, target = torch.randn(6, 8), torch.randn(VOCABULARY, 8), torch.arange(6)
    slopes = []
    for scale in (1.0, 3.0):
        leaf = x.clone().requires_grad_()
        (scale * head_loss(leaf, weight, target)).backward()
        slopes.append(leaf.grad)
    torch.testing.assert_close(slopes[1], 3 * slopes[0])
