"""Native kernels: attention, head and weight gradients on AMX tiles, where the processor and a compiler allow it.

Every kernel has a twin in torch, in the module that calls it, which is used everywhere else: `fits` decides. Sizes
are multiples of 32, types are bf16. Legend: B batch, T positions, H query heads, K key/value heads, D head size,
N rows, C width, V vocabulary, I inputs and O outputs of a weight, R rows.
"""

from __future__ import annotations

from ctypes import c_float, c_int64, c_void_p
from typing import Any

import torch
from torch import Tensor

from freehold.model.native.build import library

SIDE = 32  # of a block of tiles; every size is a multiple of it
SPAN = 64  # positions whose weight gradients a norm sums together, whatever the number of threads

# What each kernel is given, in order: h, f, i tensors of bf16, fp32 and int64 (or None), n a whole number, x another.
GIVEN = {
    "attend": "hhhnnnnxhf",
    "attend_back": "hhhhhfnnnnxhhh",
    "norm": "hhffnnnnxh",
    "norm_back": "hhffhnnnnnxhf",
    "gated": "hhnh",
    "gated_back": "hhhnhh",
    "crossed": "hhnnnh",
    "orthogonal": "hnnnfn",
    "head": "hhiffnnnfhh",
}
TYPES = {"h": torch.bfloat16, "f": torch.float32, "i": torch.int64}


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def ready() -> bool:
    """Whether the kernels can run on this machine; the first call may compile them."""
    return library() is not None


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def threads() -> int:
    """How many threads a kernel shares its work among."""
    return torch.get_num_threads()


def fits(*sizes: int, like: Tensor, items: int | None = None) -> bool:
    """Whether a kernel can take tensors like this one, with these sizes.

    `items` are the pieces of work of a kernel that gives each thread whole ones: fewer would leave threads idle.
    """
    usable = like.device.type == "cpu" and like.dtype == torch.bfloat16
    busy = items is None or items >= threads()
    return usable and all(size % SIDE == 0 for size in sizes) and busy and ready()


def attend(q_BHTD: Tensor, k_BKTD: Tensor, v_BKTD: Tensor) -> Tensor:
    """Causal attention; (B, H, T, D) out. Differentiable."""
    o_BHTD: Tensor = _attend(q_BHTD.contiguous(), k_BKTD.contiguous(), v_BKTD.contiguous())[0]
    return o_BHTD


@torch.library.custom_op("freehold::attend", mutates_args=())
def _attend(q_BHTD: Tensor, k_BKTD: Tensor, v_BKTD: Tensor) -> tuple[Tensor, Tensor]:
    o_BHTD = torch.empty_like(q_BHTD)
    log_sum_BHT = torch.empty(q_BHTD.shape[:3], dtype=torch.float32)
    _call("attend", q_BHTD, k_BKTD, v_BKTD, *_shape(q_BHTD, k_BKTD), o_BHTD, log_sum_BHT)
    return o_BHTD, log_sum_BHT


@_attend.register_fake
def _(q_BHTD: Tensor, k_BKTD: Tensor, v_BKTD: Tensor) -> tuple[Tensor, Tensor]:
    return torch.empty_like(q_BHTD), q_BHTD.new_empty(q_BHTD.shape[:3], dtype=torch.float32)


@torch.library.custom_op("freehold::attend_back", mutates_args=())
def _attend_back(
    q_BHTD: Tensor, k_BKTD: Tensor, v_BKTD: Tensor, o_BHTD: Tensor, do_BHTD: Tensor, log_sum_BHT: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    dq_BHTD, dk_BKTD, dv_BKTD = (torch.empty_like(like) for like in (q_BHTD, k_BKTD, v_BKTD))
    pulled = (q_BHTD, k_BKTD, v_BKTD, o_BHTD, do_BHTD, log_sum_BHT)
    _call("attend_back", *pulled, *_shape(q_BHTD, k_BKTD), dq_BHTD, dk_BKTD, dv_BKTD)
    return dq_BHTD, dk_BKTD, dv_BKTD


@_attend_back.register_fake
def _(q: Tensor, k: Tensor, v: Tensor, o: Tensor, d_o: Tensor, log_sum: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return torch.empty_like(q), torch.empty_like(k), torch.empty_like(v)


def _remember(ctx: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, Tensor]) -> None:
    ctx.save_for_backward(*inputs, *output)


def _pull(ctx: Any, do_BHTD: Tensor, _: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    q_BHTD, k_BKTD, v_BKTD, o_BHTD, log_sum_BHT = ctx.saved_tensors
    gradients: tuple[Tensor, Tensor, Tensor] = _attend_back(
        q_BHTD, k_BKTD, v_BKTD, o_BHTD, do_BHTD.contiguous(), log_sum_BHT
    )
    return gradients


_attend.register_autograd(_pull, setup_context=_remember)


def norm(x_BTHD: Tensor, weight_D: Tensor, turn_TD: list[Tensor], epsilon: float) -> Tensor:
    """Root mean square norm over D; (B, H, T, D) out, turned by (cosines, sines) if `turn_TD` is not empty."""
    y_BHTD: Tensor = _norm(x_BTHD.contiguous(), weight_D, turn_TD, epsilon)
    return y_BHTD


@torch.library.custom_op("freehold::norm", mutates_args=())
def _norm(x_BTHD: Tensor, weight_D: Tensor, turn_TD: list[Tensor], epsilon: float) -> Tensor:
    B, T, H, D = x_BTHD.shape
    y_BHTD = x_BTHD.new_empty(B, H, T, D)
    cosine_TD, sine_TD = turn_TD or (None, None)
    _call("norm", x_BTHD, weight_D, cosine_TD, sine_TD, B, T, H, D, epsilon, y_BHTD)
    return y_BHTD


@_norm.register_fake
def _(x_BTHD: Tensor, weight_D: Tensor, turn_TD: list[Tensor], epsilon: float) -> Tensor:
    B, T, H, D = x_BTHD.shape
    return x_BTHD.new_empty(B, H, T, D)


@torch.library.custom_op("freehold::norm_back", mutates_args=())
def _norm_back(
    x_BTHD: Tensor, weight_D: Tensor, turn_TD: list[Tensor], dy_BHTD: Tensor, epsilon: float
) -> tuple[Tensor, Tensor]:
    B, T, H, D = x_BTHD.shape
    dx_BTHD, sums_SD = torch.empty_like(x_BTHD), torch.empty(-(-B * T // SPAN), D)
    cosine_TD, sine_TD = turn_TD or (None, None)
    _call("norm_back", x_BTHD, weight_D, cosine_TD, sine_TD, dy_BHTD, B, T, H, D, SPAN, epsilon, dx_BTHD, sums_SD)
    return dx_BTHD, sums_SD.sum(0).to(weight_D.dtype)


@_norm_back.register_fake
def _(
    x_BTHD: Tensor, weight_D: Tensor, turn_TD: list[Tensor], dy_BHTD: Tensor, epsilon: float
) -> tuple[Tensor, Tensor]:
    return torch.empty_like(x_BTHD), torch.empty_like(weight_D)


def _keep_normed(ctx: Any, inputs: tuple[Tensor, Tensor, list[Tensor], float], output: Tensor) -> None:
    x_BTHD, weight_D, turn_TD, ctx.epsilon = inputs
    ctx.save_for_backward(x_BTHD, weight_D, *turn_TD)


def _pull_normed(ctx: Any, dy_BHTD: Tensor) -> tuple[Tensor, Tensor, list[None], None]:
    x_BTHD, weight_D, *turn_TD = ctx.saved_tensors
    dx_BTHD, dw_D = _norm_back(x_BTHD, weight_D, turn_TD, dy_BHTD.contiguous(), ctx.epsilon)
    return dx_BTHD, dw_D, [None] * len(turn_TD), None


_norm.register_autograd(_pull_normed, setup_context=_keep_normed)


def gated(gate: Tensor, up: Tensor) -> Tensor:
    """silu(gate) up, of any shape."""
    y: Tensor = _gated(gate.contiguous(), up.contiguous())
    return y


@torch.library.custom_op("freehold::gated", mutates_args=())
def _gated(gate: Tensor, up: Tensor) -> Tensor:
    y = torch.empty_like(gate)
    _call("gated", gate, up, gate.numel(), y)
    return y


@_gated.register_fake
def _(gate: Tensor, up: Tensor) -> Tensor:
    return torch.empty_like(gate)


@torch.library.custom_op("freehold::gated_back", mutates_args=())
def _gated_back(gate: Tensor, up: Tensor, dy: Tensor) -> tuple[Tensor, Tensor]:
    d_gate, d_up = torch.empty_like(gate), torch.empty_like(up)
    _call("gated_back", gate, up, dy, gate.numel(), d_gate, d_up)
    return d_gate, d_up


@_gated_back.register_fake
def _(gate: Tensor, up: Tensor, dy: Tensor) -> tuple[Tensor, Tensor]:
    return torch.empty_like(gate), torch.empty_like(up)


def _keep_gated(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
    ctx.save_for_backward(*inputs)


def _pull_gated(ctx: Any, dy: Tensor) -> tuple[Tensor, Tensor]:
    gradients: tuple[Tensor, Tensor] = _gated_back(*ctx.saved_tensors, dy.contiguous())
    return gradients


_gated.register_autograd(_pull_gated, setup_context=_keep_gated)


@torch.library.custom_op("freehold::crossed", mutates_args=())
def crossed(a_NO: Tensor, b_NI: Tensor) -> Tensor:
    """The product a' b (O, I): a weight's gradient from what came out and what went in."""
    out_OI = a_NO.new_empty(a_NO.shape[1], b_NI.shape[1])
    _call("crossed", a_NO, b_NI, len(a_NO), *out_OI.shape, out_OI)
    return out_OI


@crossed.register_fake
def _(a_NO: Tensor, b_NI: Tensor) -> Tensor:
    return a_NO.new_empty(a_NO.shape[1], b_NI.shape[1])


def orthogonal(x_NRC: Tensor, turns: tuple[tuple[float, float, float], ...]) -> Tensor:
    """Iterate x = a x + (b g + c g g) x with g = x x' over `turns`, from each of N matrices scaled below length 1."""
    out_NRC = x_NRC.clone(memory_format=torch.contiguous_format)
    _call("orthogonal", out_NRC, *out_NRC.shape, torch.tensor(turns, dtype=torch.float32), len(turns))
    return out_NRC


def head(
    x_NC: Tensor, w_VC: Tensor, target_N: Tensor, share_N: Tensor, *, weight: bool
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Negative log-likelihoods (N) of softmax(x w'), and gradients for x and (if `weight`) w of their sum by `share_N`.

    Where the share is 0 nothing counts, whatever the target in 0 … V-1. Exponentials are taken against the target's
    own logit, so no row needs its greatest one first; a logit more than 69 nats above the target's counts as 69.
    """
    x_NC, w_VC = x_NC.contiguous(), w_VC.contiguous()
    answer_N = (x_NC.float() * w_VC[target_N]).sum(1)
    nll_N, dx_NC = torch.empty_like(answer_N), torch.empty_like(x_NC)
    dw_VC = torch.empty_like(w_VC) if weight else None
    _call("head", x_NC, w_VC, target_N, answer_N, share_N, *x_NC.shape[:1], *w_VC.shape, nll_N, dx_NC, dw_VC)
    return nll_N, dx_NC, dw_VC


def _shape(q_BHTD: Tensor, k_BKTD: Tensor) -> tuple[int, int, int, int, float]:
    """Stacks, group, length, size and scale, as the kernels count them."""
    B, H, T, D = q_BHTD.shape
    return B * k_BKTD.shape[1], H // k_BKTD.shape[1], T, D, D**-0.5


def _call(name: str, *arguments: Tensor | int | float | None) -> None:
    """Call a kernel; tensors go as pointers and must be contiguous. Raises MemoryError if there is none to work in."""
    found = library()
    assert found is not None
    given: list[Any] = []
    for kind, one in zip(GIVEN[name], arguments, strict=True):
        if kind in TYPES:
            assert one is None or isinstance(one, Tensor)
            assert one is None or (one.dtype == TYPES[kind] and one.is_contiguous()), (name, one.dtype, one.stride())
            given.append(c_void_p(None if one is None else one.data_ptr()))
        else:
            assert isinstance(one, int | float)
            given.append(c_float(one) if kind == "x" else c_int64(int(one)))
    if getattr(found, name)(*given):
        raise MemoryError(f"no memory was left for the kernel {name!r} to work in")
