"""The native kernels against torch in fp32: errors are those of bf16 operands, and the twins' are no smaller."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from freehold.learn import optimizer
from freehold.learn.start import initialise
from freehold.model import native
from freehold.model.attention import causal_attention, rotation
from freehold.model.config import ModelConfig
from freehold.model.head import IGNORED, head_loss
from freehold.model.layers import RMSNorm, gated, norm_and_turn
from freehold.model.linear import Linear
from freehold.model.native import build
from freehold.model.transformer import Transformer

ROUNDING = 4e-3  # of one bf16 operand, relative
kernels = pytest.mark.skipif(not native.ready(), reason="no AMX or no compiler on this machine")


def error(found: Tensor, expected: Tensor) -> float:
    return ((found.float() - expected.float()).norm() / expected.float().norm()).item()


def pulled(function: Callable[..., Tensor], *inputs: Tensor) -> tuple[Tensor, ...]:
    """The value and the gradients of its product with something fixed."""
    given = [value.detach().clone().requires_grad_() for value in inputs]
    out = function(*given)
    upstream = torch.randn(out.shape, generator=torch.Generator().manual_seed(3)).bfloat16().to(out.dtype)
    return (out.detach(), *torch.autograd.grad(out, given, upstream))


def agree(ours: Callable[..., Tensor], plain: Callable[..., Tensor], *inputs: Tensor) -> None:
    found = pulled(ours, *inputs)
    expected = pulled(plain, *(value.float() for value in inputs))
    for mine, other in zip(found, expected, strict=True):
        assert error(mine, other) < ROUNDING


@kernels
@pytest.mark.parametrize(
    ("batch", "heads", "kv_heads", "length", "size"), [(1, 2, 1, 64, 32), (2, 6, 3, 96, 64), (1, 4, 4, 32, 128)]
)
def test_attention(batch: int, heads: int, kv_heads: int, length: int, size: int) -> None:
    torch.manual_seed(1)
    q, k, v = (torch.randn(batch, count, length, size).bfloat16() for count in (heads, kv_heads, kv_heads))
    plain = functional.scaled_dot_product_attention
    agree(native.attend, lambda *x: plain(*x, is_causal=True, enable_gqa=True), q, k, v)


@kernels
def test_norm_alone_and_with_positions() -> None:
    torch.manual_seed(2)
    x_BTHD, turn = torch.randn(2, 96, 3, 64).bfloat16(), rotation(torch.arange(96), head_size=64, theta=100.0)
    weight = torch.randn(64).bfloat16()

    def with_weight(x: Tensor, w: Tensor, *, turned: bool) -> Tensor:
        norm = RMSNorm(64, eps=1e-6)
        del norm.weight
        norm.weight = w  # type: ignore[assignment]
        return norm_and_turn(x, norm, turn) if turned else norm(x)

    for turned in (True, False):
        agree(*[lambda x, w, turned=turned: with_weight(x, w, turned=turned)] * 2, x_BTHD, weight)


@kernels
def test_gate() -> None:
    torch.manual_seed(3)
    agree(gated, lambda gate, up: functional.silu(gate) * up, *(3 * torch.randn(2, 5, 7, 96).bfloat16()))


@kernels
@pytest.mark.parametrize("shape", [(64, 32, 96), (320, 96, 64), (96, 1056, 32)])
def test_weight_gradient(shape: tuple[int, int, int]) -> None:
    torch.manual_seed(4)
    tokens, inputs, outputs = shape
    matrix = Linear(inputs, outputs, bias=False).bfloat16()
    x = torch.randn(2, tokens // 2, inputs).bfloat16()

    def ours(x: Tensor, w: Tensor) -> Tensor:
        return torch.func.functional_call(matrix, {"weight": w}, (x,))

    agree(ours, functional.linear, x, matrix.weight.data)


@kernels
@pytest.mark.parametrize(("rows", "words", "width"), [(64, 320, 64), (1024, 1056, 96)])
def test_head(rows: int, words: int, width: int) -> None:
    torch.manual_seed(5)
    x, w = torch.randn(rows, width).bfloat16(), torch.randn(words, width).bfloat16()
    target = torch.randint(0, words, (rows,))
    target[::7] = IGNORED
    plain = functional.cross_entropy
    agree(
        lambda x, w: head_loss(x, w, target, divisor=100).reshape(1),
        lambda x, w: (plain(x @ w.t(), target, reduction="sum", ignore_index=IGNORED) / 100).reshape(1),
        x,
        w,
    )


@kernels
def test_head_says_that_something_is_no_number() -> None:
    x, w = torch.randn(32, 32).bfloat16().requires_grad_(), torch.randn(64, 32).bfloat16()
    with torch.no_grad():
        x[3, 5] = float("nan")
    assert head_loss(x, w, torch.zeros(32, dtype=torch.int64)).isnan()


@kernels
@pytest.mark.parametrize("shape", [(2, 64, 32), (3, 32, 96), (2, 96, 96)])
def test_orthogonal(shape: tuple[int, int, int]) -> None:
    torch.manual_seed(6)
    x = torch.randn(shape).bfloat16()
    expected = optimizer.orthogonal(x.float(), dtype=torch.float32)
    assert error(native.orthogonal(x, optimizer.POLAR_EXPRESS), expected) < 0.03


def test_what_does_not_fit_is_left_to_torch() -> None:
    x = torch.zeros(2, 33)
    assert not native.fits(33, like=x.bfloat16())
    assert not native.fits(32, like=x)


@kernels
def test_fewer_pieces_than_threads_are_left_to_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(10)
    q, k, v = (torch.randn(1, count, 64, 32).bfloat16() for count in (4, 2, 2))
    called = []
    monkeypatch.setattr(native, "attend", lambda *x: called.append(x) or x[0])
    for threads in (2, 3):
        monkeypatch.setattr(native, "threads", lambda threads=threads: threads)
        assert causal_attention(q, k, v, None).shape == q.shape
    assert len(called) == 1
    config = ModelConfig.from_depth(2, vocabulary=64, context=64, width=64, head_size=32, kv_heads=1)
    model = Transformer(config).bfloat16()
    assert model._biases(torch.zeros(2, 64), None)[0] is not None
    assert model._biases(torch.zeros(3, 64), None)[0] is None


@kernels
def test_a_tensor_that_a_kernel_would_misread_is_refused() -> None:
    x, w = torch.zeros(32, 32).bfloat16(), torch.zeros(32, 32)
    with pytest.raises(AssertionError, match="crossed"):
        native.crossed(x, w)
    with pytest.raises(AssertionError, match="crossed"):
        native.crossed(x, torch.zeros(64, 32).bfloat16().t())


@kernels
def test_the_head_takes_rows_that_lie_apart() -> None:
    torch.manual_seed(11)
    x, w, target = torch.randn(64, 64).bfloat16(), torch.randn(96, 64).bfloat16(), torch.randint(0, 96, (32,))
    share = torch.full((32,), 0.1)
    found = [native.head(part, w, target, share, weight=True) for part in (x[::2], x[::2].contiguous())]
    for one, two in zip(*found, strict=True):
        assert torch.equal(one, two)  # type: ignore[arg-type]


SCARCE = """
import resource, torch
from pathlib import Path
from freehold.model import native
torch.set_num_threads(1)
a, b = torch.ones(32, 32).bfloat16(), torch.ones(32, 2**19).bfloat16()
native.crossed(a, a)  # whatever the first call takes
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 150 * 2**20,) * 2)
try:
    native.crossed(a, b)
except MemoryError as lack:
    print(lack)
"""


@kernels
def test_a_kernel_without_memory_says_so() -> None:
    done = subprocess.run([sys.executable, "-c", SCARCE], capture_output=True, text=True, check=True)
    assert "no memory was left for the kernel 'crossed'" in done.stdout


@kernels
def test_a_model_learns_the_same_with_and_without(monkeypatch: pytest.MonkeyPatch) -> None:
    config = ModelConfig.from_depth(2, vocabulary=320, context=64, width=64, head_size=32)
    tokens, targets = torch.randint(0, 320, (2, 2, 64), generator=torch.Generator().manual_seed(7))

    def gradients() -> list[Tensor]:
        model = Transformer(config)
        initialise(model, seed=1)
        for name, weight in model.named_parameters():  # outputs start at zero: nothing would flow
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                torch.nn.init.normal_(weight, std=0.1, generator=torch.Generator().manual_seed(8))
        model.bfloat16()
        loss = model.loss(tokens, targets)
        return [loss.detach(), *torch.autograd.grad(loss, list(model.parameters()))]

    fast = gradients()
    monkeypatch.setattr(native, "fits", lambda *sizes, like, items=None: False)
    for mine, other in zip(fast, gradients(), strict=True):
        assert error(mine, other) < 0.02


@kernels
def test_equal_calls_give_equal_bytes_for_any_number_of_threads() -> None:
    torch.manual_seed(9)
    x, w, target = torch.randn(640, 64).bfloat16(), torch.randn(960, 64).bfloat16(), torch.randint(0, 960, (640,))
    found = []
    before = torch.get_num_threads()
    for threads in (1, 2):
        torch.set_num_threads(threads)
        found.append(native.head(x, w, target, torch.full((640,), 0.1), weight=True))
    torch.set_num_threads(before)
    for one, two in zip(*found, strict=True):
        assert torch.equal(one, two)  # type: ignore[arg-type]


def test_a_broken_compiler_leaves_torch_in_charge(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("broken")
    (folder / "g++").write_text("#!/bin/sh\nexit 1\n")
    (folder / "g++").chmod(0o755)
    code = """
from freehold.learn import compilation
from freehold.model import native
print(native.ready(), compilation.possible(), native.build.absence())
"""
    environment = {**os.environ, "CXX": str(folder / "g++"), "XDG_CACHE_HOME": str(folder)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("False False ")
    assert not native.ready() or f"{folder / 'g++'} does not build them" in done.stdout


def test_the_kernels_can_be_switched_off() -> None:
    code = "from freehold.model import native; print(native.ready())"
    environment = {**os.environ, build.SWITCH: "torch"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.skipif(build.compiler() is None, reason="no C++ compiler on this machine")
def test_a_compiler_is_tried_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    ran, run = list[str](), build._run
    monkeypatch.setattr(build, "_run", lambda *command, **given: ran.append(command[1]) or run(*command, **given))
    for _ in range(2):
        build.compiles.cache_clear()
        assert build.compiles()
    assert ran == ["--version", "-shared", "--version"]


def test_a_cache_that_cannot_be_written_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = build.cache_folder("kernels")
    assert folder == tmp_path / "freehold" / "kernels"
    monkeypatch.setattr(os, "access", lambda path, mode: path != folder)  # root may write wherever it is asked
    other = build.cache_folder("kernels")
    assert other != folder and other.is_dir()


def test_why_there_are_no_kernels_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (build.absence() is None) is native.ready()
    monkeypatch.setenv(build.SWITCH, "torch")
    assert build._opened.__wrapped__() == (None, f"{build.SWITCH} is 'torch'")
