"""Where a step's time goes: attention by several kernels, and the head by several chunk sizes. No goals: for tuning."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import torch
from report import Figure
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from freehold.model import flex, head
from gpu_figures.setting import VOCABULARY, Setting

REPETITIONS = 10
DOCUMENTS = 8  # of a sequence


def parts(setting: Setting) -> Iterator[Figure]:
    """One after the other; a kernel that refuses is told as such."""
    yield from attention(setting)
    yield from heads(setting)


def attention(setting: Setting) -> Iterator[Figure]:
    """Causal attention, forward and backward, of 32 x 2,048 positions and 6 heads of 128; half of T x T counts."""
    B, H, T, D = (1, 2, 32, 16) if setting.rehearse else (32, 6, 2048, 128)
    make = {"dtype": torch.bfloat16, "device": setting.device, "requires_grad": True}
    q, k, v = (torch.randn(B, H, T, D, **make) for _ in range(3))  # type: ignore[call-overload]
    upstream = torch.randn(B, H, T, D, dtype=torch.bfloat16, device=setting.device)
    documents_BT = torch.arange(T, device=setting.device).div(T // DOCUMENTS, rounding_mode="floor").expand(B, T)
    flops = 3.5 * 2 * B * H * T * T * D

    def fused(kind: SDPBackend, repeatable: bool) -> Callable[[], torch.Tensor]:
        def run() -> torch.Tensor:
            torch.use_deterministic_algorithms(repeatable and not setting.rehearse)
            with sdpa_kernel([kind, SDPBackend.MATH] if setting.rehearse else kind):
                return functional.scaled_dot_product_attention(q, k, v, is_causal=True)

        return run

    def masked() -> torch.Tensor:
        torch.use_deterministic_algorithms(not setting.rehearse)
        return flex.document_attention(q, k, v, flex.document_mask(documents_BT))

    contenders = {
        "flash": fused(SDPBackend.FLASH_ATTENTION, True),
        "flash, need not repeat": fused(SDPBackend.FLASH_ATTENTION, False),
        "cuDNN, need not repeat": fused(SDPBackend.CUDNN_ATTENTION, False),
        f"FlexAttention, {DOCUMENTS} documents": masked,
    }
    for name, run in contenders.items():
        title = f"attention: {name}"
        try:
            took_s = seconds(setting, lambda run=run: torch.autograd.grad(run(), (q, k, v), upstream))
        except RuntimeError as refused:
            yield Figure(figure=title, value=None, unit="TFLOP/s", why=str(refused).splitlines()[0][:160])
            continue
        yield Figure(figure=title, value=flops / took_s / 1e12, unit="TFLOP/s", why=f"{took_s * 1e3:.2f} ms; no goal")


def heads(setting: Setting) -> Iterator[Figure]:
    """Head and cross-entropy, forward and backward, of 65,536 positions of width 768."""
    N, C, V = (64, 16, 512) if setting.rehearse else (65_536, 768, VOCABULARY)
    x_NC = torch.randn(N, C, dtype=torch.bfloat16, device=setting.device, requires_grad=True)
    weight_VC = torch.randn(V, C, dtype=torch.bfloat16, device=setting.device, requires_grad=True)
    target_N = torch.randint(0, V, (N,), device=setting.device)
    if not setting.rehearse:
        head.raise_logits = torch.compile(head.raise_logits, dynamic=False)
        head.accumulate = torch.compile(head.accumulate, dynamic=False)
    for numbers in (2**27, 2**28, 2**29):
        head.GPU_CHUNK_NUMBERS = numbers
        took_s = seconds(setting, lambda: head.head_loss(x_NC, weight_VC, target_N, divisor=N).backward())
        rows = head.chunk_rows(V, device=x_NC.device)
        yield Figure(
            figure=f"head: chunks of {numbers // 2**20} Mi logits",
            value=6 * N * C * V / took_s / 1e12,
            unit="TFLOP/s",
            why=f"{rows:,} rows, {took_s * 1e3:.1f} ms; no goal",
        )


def seconds(setting: Setting, run: Callable[[], object]) -> float:
    """Mean time of a call, after two that compile and warm up."""
    for _ in range(2):
        run()
    setting.wait()
    begun = time.perf_counter()
    for _ in range(1 if setting.rehearse else REPETITIONS):
        run()
    setting.wait()
    return (time.perf_counter() - begun) / (1 if setting.rehearse else REPETITIONS)
