"""The optimizer: Muon for matrices, AdamW for embeddings, head and vectors.

Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon) replaces a matrix's gradient by its nearest
orthogonal matrix. The iteration is Polar Express (Amsel et al., arXiv:2505.16932); matrices of one shape are
stacked and orthogonalised together. Masters and moments are fp32, whatever type the model computes in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from freehold.model import native

# Optimal coefficients for singular values in [0.001, 1], five iterations, with the paper's safety factor.
POLAR_EXPRESS = (
    (8.156554524902461, -22.48329292557795, 15.878769915207462),
    (4.042929935166739, -2.808917465908714, 0.5000178451051316),
    (3.8916678022926607, -2.772484153217685, 0.5060648178503393),
    (3.285753657755655, -2.3681294933425376, 0.46449024233003106),
    (2.3465413258596377, -1.7097828382687081, 0.42323551169305323),
)
REFERENCE_WIDTH = 768  # rates of AdamW are given for this width
BETAS, EPSILON = (0.8, 0.95), 1e-10


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Learning rates at the flat part of the schedule, and the weight decay of matrices."""

    matrix: float = 0.02
    embedding: float = 0.3
    head: float = 0.004
    vector: float = 0.01
    weight_decay: float = 0.1

    def scaled(self, width: int) -> Rates:
        """AdamW's rates for a model of `width`: they shrink with its root."""
        factor = (REFERENCE_WIDTH / width) ** 0.5
        return Rates(
            matrix=self.matrix,
            embedding=self.embedding * factor,
            head=self.head * factor,
            vector=self.vector,
            weight_decay=self.weight_decay,
        )


def orthogonal(matrix_NRC: Tensor, *, dtype: torch.dtype = torch.bfloat16) -> Tensor:
    """The nearest semi-orthogonal matrix of each of N matrices, to a few percent in its singular values."""
    if native.fits(*matrix_NRC.shape[1:], like=matrix_NRC, items=len(matrix_NRC)):
        return native.orthogonal(matrix_NRC, POLAR_EXPRESS)
    tall = matrix_NRC.shape[-2] > matrix_NRC.shape[-1]
    x = matrix_NRC.mT if tall else matrix_NRC
    x = x.to(dtype)
    size = torch.linalg.vector_norm(x, dim=(-2, -1), keepdim=True, dtype=torch.float32)
    x = (x / (size * 1.02 + 1e-6)).to(dtype).contiguous()
    for a, b, c in POLAR_EXPRESS:
        gram = torch.bmm(x, x.mT)
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x


def muon_direction(momentum: Tensor, gradient: Tensor, beta: Tensor) -> Tensor:
    """Update the momentum in place; its Nesterov look-ahead in the gradient's type."""
    wide = gradient.float()
    momentum.lerp_(wide, 1 - beta)
    return wide.lerp(momentum, beta).to(gradient.dtype)


def descend(master: Tensor, direction: Tensor, rate: Tensor, decay: Tensor) -> None:
    """In place; weight decay only where it agrees with the step (cautious, arXiv:2411.16085)."""
    step = direction.float()
    master.sub_(rate * (step + decay * master * (step * master > 0)))


def adam_update(
    master: Tensor, mean: Tensor, square: Tensor, gradient: Tensor, rate: Tensor, square_share: Tensor
) -> None:
    """Moments and master in place."""
    wide = gradient.float()
    mean.lerp_(wide, 1 - BETAS[0])
    square.lerp_(wide.square(), 1 - BETAS[1])
    master.sub_(rate * mean / ((square / square_share).sqrt() + EPSILON))


class Muon:
    """Matrices of one shape, stacked: masters and momentum are (N, R, C). A stack of experts counts as many."""

    def __init__(self, weights: list[nn.Parameter], *, rate: float, decay: float) -> None:
        self.weights = weights
        self.master = _stacked([weight.detach().float() for weight in weights])
        self.momentum = torch.zeros_like(self.master)
        rows, columns = self.master.shape[-2:]
        self.rate, self.decay = rate * max(1.0, rows / columns) ** 0.5, decay

    def step(self, *, factor: float, momentum: float) -> None:
        """One update at `factor` times the rate; gradients are read from the weights and dropped."""
        gradient = _stacked([_take_gradient(weight) for weight in self.weights])
        direction = muon_direction(self.momentum, gradient, _number(momentum, self.master))
        update = orthogonal(direction, dtype=gradient.dtype)
        rate, decay = (_number(value, self.master) for value in (factor * self.rate, self.decay))
        descend(self.master, update, rate, decay)
        self.publish()

    def publish(self) -> None:
        """Copy the masters into the weights the model computes with."""
        for weight, master in zip(self.weights, self.masters(), strict=True):
            weight.data.copy_(master)

    def masters(self) -> list[Tensor]:
        """The master of each weight, in its shape; views."""
        sizes = [weight.numel() // self.master[0].numel() for weight in self.weights]
        return [part.view_as(weight) for part, weight in zip(self.master.split(sizes), self.weights, strict=True)]

    def state(self) -> dict[str, Tensor]:
        """Everything a resume needs."""
        return {"master": self.master, "momentum": self.momentum}


class AdamW:
    """One tensor with its moments (arXiv:1711.05101); no decay for what we give it."""

    def __init__(self, weights: list[nn.Parameter], *, rate: float, decay: float = 0.0) -> None:
        (self.weight,) = weights
        self.master = self.weight.detach().float().clone()
        self.mean, self.square = torch.zeros_like(self.master), torch.zeros_like(self.master)
        self.rate, self.decay = rate, decay
        self.steps = torch.zeros((), dtype=torch.int64)  # on the CPU: reading it must not wait for a GPU

    def step(self, *, factor: float, momentum: float) -> None:
        """One update at `factor` times the rate."""
        del momentum  # Muon's alone
        self.steps += 1
        count = int(self.steps)
        mean_share, square_share = 1 - BETAS[0] ** count, 1 - BETAS[1] ** count
        rate, share = (_number(value, self.master) for value in (factor * self.rate / mean_share, square_share))
        adam_update(self.master, self.mean, self.square, _take_gradient(self.weight), rate, share)
        self.publish()

    def publish(self) -> None:
        """Copy the master into the weight the model computes with."""
        self.weight.data.copy_(self.master)

    def state(self) -> dict[str, Tensor]:
        """Everything a resume needs."""
        return {"master": self.master, "mean": self.mean, "square": self.square, "steps": self.steps}


def _number(value: float, like: Tensor) -> Tensor:
    """A scalar on the device of `like`, made there: copying it over would wait for everything under way."""
    return torch.full((), value, dtype=torch.float32, device=like.device)


def _stacked(matrices: list[Tensor]) -> Tensor:
    """Matrices (R, C) and stacks of them (E, R, C) as one stack (N, R, C)."""
    if all(matrix.dim() == 2 for matrix in matrices):
        return torch.stack(matrices)
    return torch.cat([matrix.reshape(-1, *matrix.shape[-2:]) for matrix in matrices])


def _take_gradient(weight: nn.Parameter) -> Tensor:
    """The gradient, which the weight forgets; zeros if nothing reached it."""
    gradient = weight.grad
    weight.grad = None
    return torch.zeros_like(weight) if gradient is None else gradient


class Optimizer:
    """All groups of a model, stepped together."""

    def __init__(
        self,
        named: Iterable[tuple[str, nn.Parameter]],
        *,
        rates: Rates,
        muon: bool = True,
        tables: Iterable[nn.Parameter] = (),
        head: nn.Parameter | None = None,
    ) -> None:
        """`muon=False` gives the matrices to AdamW too, for comparisons.

        Tables (of embeddings) and head are known by Hugging Face's usual names; `tables` and `head` add others.
        """
        looked_up = {id(table) for table in tables}
        self.groups: dict[str, Muon | AdamW] = {}
        stacks: dict[tuple[int, ...], list[nn.Parameter]] = {}
        for name, weight in named:
            if name.endswith("lm_head.weight") or weight is head:  # a table that is the head too learns as a head
                self.groups[name] = AdamW([weight], rate=rates.head)
            elif name.endswith("embed_tokens.weight") or id(weight) in looked_up:
                self.groups[name] = AdamW([weight], rate=rates.embedding)
            elif weight.dim() not in (2, 3) or min(weight.shape[-2:]) == 1 or not muon:
                self.groups[name] = AdamW([weight], rate=rates.vector)
            else:
                stacks.setdefault(tuple(weight.shape[-2:]), []).append(weight)
        for (rows, columns), weights in stacks.items():
            self.groups[f"matrices.{rows}x{columns}"] = Muon(weights, rate=rates.matrix, decay=rates.weight_decay)

    @torch.no_grad()
    def step(self, *, factor: float, momentum: float) -> None:
        """Update every weight from its gradient; `factor` comes from the schedule."""
        for group in self.groups.values():
            group.step(factor=factor, momentum=momentum)

    def forget_gradients(self) -> None:
        """Drop the gradients of a step that is skipped."""
        for group in self.groups.values():
            for weight in group.weights if isinstance(group, Muon) else [group.weight]:
                weight.grad = None

    def state(self) -> dict[str, Tensor]:
        """All tensors under "group/tensor"; the tensors are live, not copies."""
        return {f"{name}/{key}": value for name, group in self.groups.items() for key, value in group.state().items()}

    @torch.no_grad()
    def restore(self, state: dict[str, Tensor]) -> None:
        """Take back what `state` gave, and publish it to the model. Raises KeyError on a foreign state."""
        for name, value in self.state().items():
            value.copy_(state[name])
        for group in self.groups.values():
            group.publish()
