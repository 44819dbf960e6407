"""Precision: in which type the layers compute, and the fp32 truth beside it.

Matrices, norms and the head compute in bf16 where the hardware multiplies it; the optimizer keeps fp32 masters.
The embedding table stays fp32: it is only looked up, and its gradient sums thousands of rare small numbers.
"""

from __future__ import annotations

import torch

from freehold.errors import InputError
from freehold.learn import float8
from freehold.model.transformer import LanguageModel, Transformer

TYPES = {"bf16": torch.bfloat16, "fp32": torch.float32, "fp8": torch.bfloat16}  # of parameters and the stream


def choose(wanted: str = "auto", *, device: str = "cpu") -> str:
    """Either "bf16", "fp32" or "fp8": what `wanted` (one of these or "auto") means here.

    Raises InputError for another, and for fp8 where it cannot run.
    """
    if wanted == "fp8":
        float8.demand(device)
    if wanted in TYPES:
        return wanted
    if wanted != "auto":
        advice = "use auto, bf16, fp32 or fp8"
        raise InputError(f"precision {wanted!r} is unknown", where="train.precision", remedy=advice)
    if device == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    # Without matrix units or the bf16 dot product, bf16 is emulated and slower than fp32.
    return "bf16" if torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported() else "fp32"


def set_precision(model: LanguageModel, precision: str) -> None:
    """Cast everything but what stays wide (our embedding table) to the compute type, in place.

    fp8 goes into the layers' products; raises InputError for a model whose layers are not ours.
    """
    wide = {id(parameter) for parameter in model.wide}
    for parameter in model.parameters():
        if id(parameter) not in wide:
            parameter.data = parameter.data.to(TYPES[precision])
    if precision == "fp8":
        if not isinstance(model, Transformer):
            raise InputError("fp8 is for families that are built here", where="train.precision", remedy="use bf16")
        float8.use(model.model.layers)
