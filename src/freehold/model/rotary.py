"""Rotary scaling: positions beyond those a model was taught, squeezed into the angles it knows.

Frequencies and factors follow the papers as config.json states them; a model without `scaling` uses the plain
rotation of `attention.rotation`.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from freehold.model.attention import rotation
from freehold.model.config import ModelConfig, Scaling

Turn = tuple[Tensor, Tensor]  # cosines and sines (…, 1, T, D) in fp32


def turn(positions: Tensor, config: ModelConfig) -> Turn:
    """Cosines and sines (…, 1, T, D) in fp32 for positions (…, T), scaled as the configuration says."""
    size, scaling = config.rotary_size, config.scaling
    if scaling is None:
        return rotation(positions, head_size=size, theta=config.rope_theta)
    # Made where they are used: copying them to a GPU would wait for everything under way.
    frequency_D2 = frequencies(scaling, size=size, theta=config.rope_theta, device=positions.device)
    angle_TD2 = positions.unsqueeze(-1).float() * frequency_D2
    angle_TD = torch.cat((angle_TD2, angle_TD2), dim=-1).unsqueeze(-3)
    strength = attention_factor(scaling)
    return angle_TD.cos() * strength, angle_TD.sin() * strength


def frequencies(scaling: Scaling, *, size: int, theta: float, device: torch.device) -> Tensor:
    """Radians per position of each of the D/2 pairs, in fp32."""
    plain_D2 = 1.0 / theta ** (torch.arange(0, size, 2, dtype=torch.float32, device=device) / size)
    if scaling.rope_type == "linear":
        return plain_D2 / scaling.factor
    if scaling.rope_type == "llama3":
        return _llama3(plain_D2, scaling)
    return _yarn(plain_D2, scaling, size=size, theta=theta)


def attention_factor(scaling: Scaling) -> float:
    """What yarn multiplies cosines and sines by, so that attention stays as sharp (arXiv:2309.00071, section 3.4)."""
    if scaling.rope_type != "yarn":
        return 1.0
    if scaling.attention_factor is not None:
        return scaling.attention_factor
    if scaling.mscale and scaling.mscale_all_dim:
        return _sharpness(scaling.factor, scaling.mscale) / _sharpness(scaling.factor, scaling.mscale_all_dim)
    return _sharpness(scaling.factor)


def score_factor(scaling: Scaling | None) -> float:
    """What latent attention multiplies its scores by (DeepSeek-V2's long context, arXiv:2405.04434, section 3.1.4)."""
    if scaling is None or not scaling.mscale_all_dim:
        return 1.0
    return _sharpness(scaling.factor, scaling.mscale_all_dim) ** 2


def _sharpness(factor: float, strength: float = 1.0) -> float:
    return 1.0 if factor <= 1 else 0.1 * strength * math.log(factor) + 1.0


def _llama3(plain_D2: Tensor, scaling: Scaling) -> Tensor:
    """Slow pairs are slowed by the factor, fast ones stay, those between are blended (arXiv:2407.21783, 3.4.2)."""
    turns_D2 = scaling.original_max_position_embeddings * plain_D2 / (2 * math.pi)  # within the taught context
    low, high = scaling.low_freq_factor, scaling.high_freq_factor
    kept_D2 = ((turns_D2 - low) / (high - low)).clamp(0.0, 1.0)
    return (1 - kept_D2) * plain_D2 / scaling.factor + kept_D2 * plain_D2


def _yarn(plain_D2: Tensor, scaling: Scaling, *, size: int, theta: float) -> Tensor:
    """The same idea, blended along the pairs' indices (YaRN, arXiv:2309.00071, section 3.2)."""

    def pair_of(turns: float) -> float:
        """The pair (as a fraction) that turns so often within the taught context."""
        taught = scaling.original_max_position_embeddings
        return size * math.log(taught / (turns * 2 * math.pi)) / (2 * math.log(theta))

    low, high = pair_of(scaling.beta_fast), pair_of(scaling.beta_slow)
    if scaling.truncate:
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, size - 1)
    high += 0.001 if low == high else 0.0
    pair_D2 = torch.arange(size // 2, dtype=torch.float32, device=plain_D2.device)
    slowed_D2 = ((pair_D2 - low) / (high - low)).clamp(0, 1)
    return plain_D2 / scaling.factor * slowed_D2 + plain_D2 * (1 - slowed_D2)
