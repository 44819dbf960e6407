"""Precision: in which type the layers compute, and the fp32 truth beside it.

Matrices, norms and the head compute in bf16 where the hardware multiplies it; the optimizer keeps fp32 masters.
The embedding table stays fp32: it is only looked up, and its gradient sums thousands of rare small numbers.
"""

from __future__ import annotations

import torch

from freehold.errors import InputError
from freehold.model.transformer import LanguageModel

TYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}


def choose(wanted: str = "auto", *, device: str = "cpu") -> str:
    """Either "bf16" or "fp32": what `wanted` ("auto", "bf16", "fp32") means here. Raises InputError otherwise."""
    if wanted in TYPES:
        return wanted
    if wanted != "auto":
        raise InputError(f"precision {wanted!r} is unknown", where="train.precision", remedy="use auto, bf16 or fp32")
    if device == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    # Without matrix units or the bf16 dot product, bf16 is emulated and slower than fp32.
    return "bf16" if torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported() else "fp32"


def set_precision(model: LanguageModel, precision: str) -> None:
    """Cast everything but what stays wide (our embedding table) to the compute type, in place."""
    wide = {id(parameter) for parameter in model.wide}
    for parameter in model.parameters():
        if id(parameter) not in wide:
            parameter.data = parameter.data.to(TYPES[precision])
