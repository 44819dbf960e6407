"""Experts: feed-forward layers of which a router gives each token a few.

Two routers: softmax (Qwen3-MoE, arXiv:2505.09388) and sigmoid within the best groups, balanced by a bias instead of
a loss (DeepSeek-V3, arXiv:2412.19437, section 2.1.2). In memory the experts of a layer are stacked; in files each
has names of its own, and `apart` goes from the one to the other.

Legend: N tokens, C width, E experts, G groups, K chosen, F width of an expert, M = N x K rows sorted by expert.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from freehold.model.config import Experts
from freehold.model.layers import FeedForward

BALANCING_RATE = 0.001  # of the bias, a step (arXiv:2412.19437, section 4.2)
STACKED = re.compile(r"(.*\.mlp\.experts)\.((?:gate|up|down)_proj\.weight)")


class Router(nn.Module):
    """Scores every expert for every token."""

    e_score_correction_bias: Tensor
    load: Tensor

    def __init__(self, width: int, experts: Experts) -> None:
        super().__init__()
        self.experts = experts
        self.weight = nn.Parameter(torch.empty(experts.count, width))
        if experts.score == "sigmoid":
            self.register_buffer("e_score_correction_bias", torch.zeros(experts.count))
            self.register_buffer("load", torch.zeros(experts.count), persistent=False)

    def forward(self, x_NC: Tensor) -> tuple[Tensor, Tensor]:
        """The chosen experts of each token (N, K) and their shares (N, K) in fp32."""
        if self.experts.score == "softmax":
            score_NE = functional.linear(x_NC, self.weight).float().softmax(-1)
            share_NK, chosen_NK = score_NE.topk(self.experts.chosen, dim=-1)
        else:
            score_NE = functional.linear(x_NC.float(), self.weight.float()).sigmoid()
            chosen_NK = self._choose(score_NE.detach())
            share_NK = score_NE.gather(1, chosen_NK)
        if self.experts.normed:
            share_NK = share_NK / (share_NK.sum(-1, keepdim=True) + 1e-20)
        return chosen_NK, share_NK * self.experts.scale

    def _choose(self, score_NE: Tensor) -> Tensor:
        """The best experts (N, K) of the best groups; the bias counts for the choice alone."""
        groups = self.experts.groups
        biased_NGX: Tensor = (score_NE + self.e_score_correction_bias).unflatten(1, (groups, -1))
        if groups > 1:
            group_NG = biased_NGX.topk(2, dim=-1).values.sum(-1)
            best = group_NG.topk(self.experts.chosen_groups, dim=-1).indices
            kept_NG = torch.zeros_like(group_NG, dtype=torch.bool).scatter(1, best, True)
            biased_NGX = biased_NGX.masked_fill(~kept_NG.unsqueeze(-1), float("-inf"))
        chosen_NK = biased_NGX.flatten(1).topk(self.experts.chosen, dim=-1).indices
        if self.training:
            self.load += tally(chosen_NK, self.experts.count)
        return chosen_NK

    @torch.no_grad()
    def after_step(self, *, taken: bool) -> None:
        """Lift the bias of experts that had less than their share of the step's tokens, lower that of the others."""
        if self.experts.score == "sigmoid":
            if taken:
                self.e_score_correction_bias += BALANCING_RATE * (self.load.mean() - self.load).sign()
            self.load.zero_()


class Stack(nn.Module):
    """One matrix of every expert (E, rows, columns)."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(*shape))

    def forward(self, x_MI: Tensor, ends_E: Tensor) -> Tensor:
        """Rows sorted by expert, (M, in) to (M, out); `ends_E` says where each expert's rows end."""
        y_MO: Tensor = functional.grouped_mm(x_MI, self.weight.transpose(1, 2), offs=ends_E)
        return y_MO


class ExpertFeedForward(nn.Module):
    """SwiGLU of every expert, for the rows that are its own."""

    def __init__(self, width: int, experts: Experts) -> None:
        super().__init__()
        self.gate_proj = Stack(experts.count, experts.width, width)
        self.up_proj = Stack(experts.count, experts.width, width)
        self.down_proj = Stack(experts.count, width, experts.width)

    @torch.compiler.disable  # type: ignore[untyped-decorator]  # grouped products are compiled in bf16 alone
    def forward(self, x_NC: Tensor, chosen_NK: Tensor, share_NK: Tensor) -> Tensor:
        """The sum of the chosen experts' answers by their shares, (N, C) in and out."""
        K = chosen_NK.shape[1]
        order_M = chosen_NK.flatten().argsort(stable=True)
        ends_E = tally(chosen_NK, self.gate_proj.weight.shape[0]).cumsum(0).to(torch.int32)
        x_MC = x_NC.unsqueeze(1).expand(-1, K, -1).flatten(0, 1)[order_M]
        inner_MF = functional.silu(self.gate_proj(x_MC, ends_E)) * self.up_proj(x_MC, ends_E)
        # Back in the tokens' order the answers are summed one after the other: no sum depends on a race.
        y_NKC = self.down_proj(inner_MF, ends_E)[order_M.argsort()].unflatten(0, (-1, K))
        y_NC: Tensor = (y_NKC.float() * share_NK.unsqueeze(-1)).sum(1).to(x_NC.dtype)
        return y_NC


def tally(chosen_NK: Tensor, count: int) -> Tensor:
    """How many tokens chose each of `count` experts (E); its shape does not depend on the data."""
    flat_M = chosen_NK.flatten()
    return torch.zeros(count, dtype=torch.int64, device=flat_M.device).scatter_add(0, flat_M, torch.ones_like(flat_M))


class Mixture(nn.Module):
    """Router and experts, and the part that every token uses, in the place of a dense feed-forward."""

    def __init__(self, width: int, experts: Experts) -> None:
        super().__init__()
        self.gate = Router(width, experts)
        self.experts = ExpertFeedForward(width, experts)
        self.shared_experts = FeedForward(width, experts.shared_width) if experts.shared_width else None

    def forward(self, x_BTC: Tensor) -> Tensor:
        """Each position for itself; (B, T, C) in and out."""
        x_NC = x_BTC.flatten(0, 1)
        y_BTC: Tensor = self.experts(x_NC, *self.gate(x_NC)).view_as(x_BTC)
        return y_BTC if self.shared_experts is None else y_BTC + self.shared_experts(x_BTC)


def apart(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors with each expert under its own name, as files have them; the parts are views.

    >>> sorted(apart({"l.mlp.experts.up_proj.weight": torch.zeros(2, 3, 4)}))
    ['l.mlp.experts.0.up_proj.weight', 'l.mlp.experts.1.up_proj.weight']
    """
    named: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        found = STACKED.fullmatch(name)
        if found is None:
            named[name] = tensor
        else:
            named |= {f"{found[1]}.{index}.{found[2]}": part for index, part in enumerate(tensor)}
    return named
