"""fp8: the layers' matrix products in eight bits, one scale a tensor, on the GPUs whose matrix units have them.

Weights, activations and gradients are cast just before each product (torchao's tensorwise recipe; the types are those
of arXiv:2209.05433, section 3): e4m3 forward, e5m2 for gradients. Parameters stay bf16 under the names they had, and
the optimizer's fp32 masters beside them, so checkpoints and exports do not know that fp8 was there. The head stays in
bf16: its logits decide the loss.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import Any

import torch
from torch import nn

from freehold.errors import InputError

HOPPER = (9, 0)  # compute capability
TILE = 16  # rows and columns of an fp8 product are multiples of it


def demand(device: str) -> None:
    """Raise InputError naming what is missing here for fp8."""
    where, remedy = "train.precision", "use bf16"
    if device != "cuda" or torch.cuda.get_device_capability() < HOPPER:
        raise InputError("fp8 needs an NVIDIA GPU of the Hopper generation or newer", where=where, remedy=remedy)
    if find_spec("torchao") is None:
        raise InputError("fp8 needs torchao", where=where, remedy="pip install 'freehold[fp8]', or use bf16")


def use(layers: nn.Module, *, emulate: bool = False) -> int:
    """Swap the linear maps below `layers` in place for fp8 ones over the same parameters; how many.

    `emulate` rounds to fp8 and multiplies in the wider type, which any machine can do.
    """
    os.environ.setdefault("TORCHAO_FORCE_SKIP_LOADING_SO_FILES", "1")  # its own kernels: the products are torch's
    from torchao.float8 import Float8LinearConfig, convert_to_float8_training

    convert_to_float8_training(layers, config=Float8LinearConfig(emulate=emulate), module_filter_fn=_fits)
    return sum(type(module).__name__ == "Float8Linear" for module in layers.modules())


def _fits(module: nn.Module, name: str) -> bool:
    """Whether a module is a linear map whose sides suit the matrix units."""
    del name
    linear: Any = module
    return isinstance(module, nn.Linear) and linear.in_features % TILE == 0 and linear.out_features % TILE == 0
