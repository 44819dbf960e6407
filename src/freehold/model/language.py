"""What every language model here can do, whoever built it: our transformer, or transformers' own classes."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Protocol

import torch
from torch import Tensor, nn


class Shape(Protocol):
    """What is known of any model before it runs; `ModelConfig` and `ForeignConfig` are shapes."""

    @property
    def family(self) -> str:
        """model_type of config.json."""

    @property
    def vocab_size(self) -> int:
        """Rows of the embedding table."""

    @property
    def width(self) -> int:
        """Numbers in the stream."""

    @property
    def depth(self) -> int:
        """Layers."""

    @property
    def context(self) -> int:
        """Tokens at most."""

    @property
    def tied(self) -> bool:
        """Whether the head is the embedding table."""

    @property
    def bos_id(self) -> int | None:
        """Token that begins a document."""

    @property
    def eos_id(self) -> int | None:
        """Token that ends an answer."""

    @property
    def pad_id(self) -> int | None:
        """Token that fills rows."""

    @property
    def published(self) -> str | None:
        """config.json of the folder it came from."""

    @property
    def published_generation(self) -> str | None:
        """generation_config.json of the folder it came from."""

    @property
    def parameters(self) -> int:
        """Every learned number."""

    @property
    def matrix_parameters(self) -> int:
        """Matrix parameters used per token, head included, embedding table excluded."""

    def flops_per_token(self, sequence: int) -> int:
        """Training FLOPs per token, forward and backward."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""


class LanguageModel(nn.Module):
    """A causal language model. Legend: B batch, T positions, C width, V vocabulary."""

    config: Any  # a `Shape`; each model says which

    @abstractmethod
    def hidden(self, tokens_BT: Tensor, *, documents_BT: Tensor | None = None) -> Tensor:
        """The stream (B, T, C) above the last layer, from which `logits` are made.

        `documents_BT`, the number of the document at each position, keeps attention within documents.
        """

    @abstractmethod
    def logits(self, x_BTC: Tensor) -> Tensor:
        """Logits (…, V) of the stream (…, C) that `hidden` returned."""

    @abstractmethod
    def loss(
        self,
        tokens_BT: Tensor,
        targets_BT: Tensor,
        *,
        divisor: int | None = None,
        documents_BT: Tensor | None = None,
    ) -> Tensor:
        """Cross-entropy in nats: summed over targets that are not -100, divided by their number or `divisor`."""

    @property
    @abstractmethod
    def embedding(self) -> nn.Parameter:
        """The table (V, C) of what tokens enter as."""

    @property
    @abstractmethod
    def head(self) -> nn.Parameter:
        """The matrix (V, C) of the head: the table itself where they are tied."""

    @property
    @abstractmethod
    def stream_type(self) -> torch.dtype:
        """The type in which layers compute."""

    @property
    def wide(self) -> tuple[nn.Parameter, ...]:
        """Parameters that stay fp32 when the layers compute in bf16."""
        return ()

    def forward(self, tokens_BT: Tensor) -> Tensor:
        """Logits (B, T, V) of the token after each position."""
        return self.logits(self.hidden(tokens_BT))

    def after_step(self, *, taken: bool) -> None:
        """What a model settles between steps; `taken` is False for a step that the guard skipped."""
        del taken
