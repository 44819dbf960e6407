"""The start: every weight as a pure function of the published seed and the weight's own name."""

from __future__ import annotations

import hashlib

import torch

from freehold.model.transformer import Transformer

HEAD_SCALE = 0.001


def initialise(model: Transformer, *, seed: int, embedding_scale: float = 1.0) -> None:
    """Fill an fp32 model in place: uniform matrices of deviation 1/sqrt(inputs), outputs zero, a small head.

    Each weight draws from its own generator, so adding a layer does not change the others.
    """
    for name, weight in model.named_parameters():
        generator = torch.Generator().manual_seed(_seed_of(name, seed))
        with torch.no_grad():
            if name.endswith(".bias"):
                weight.zero_()
            elif weight.dim() == 1:
                weight.fill_(1.0)
            elif name.endswith("embed_tokens.weight"):
                scale = model.config.width**-0.5 if model.config.tied else embedding_scale
                weight.normal_(0.0, scale, generator=generator)
            elif name.endswith("lm_head.weight"):
                weight.normal_(0.0, HEAD_SCALE, generator=generator)
            elif name.endswith(("o_proj.weight", "down_proj.weight")):
                weight.zero_()
            else:
                bound = (3.0 / weight.shape[-1]) ** 0.5  # a uniform on ±b has deviation b/sqrt(3)
                weight.uniform_(-bound, bound, generator=generator)


def _seed_of(name: str, seed: int) -> int:
    """63 bits of SHA-256 over seed and name."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{name}".encode()).digest()[:8], "big") >> 1
