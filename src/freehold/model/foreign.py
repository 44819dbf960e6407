"""Foreign models: families that we do not build run through transformers' own classes, slower but working.

Code that comes with a folder is never run. Dropout stays off, so that a resumed run takes the same steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from freehold.errors import InputError, MissingExtra
from freehold.model import families
from freehold.model.config import ForeignConfig
from freehold.model.head import IGNORED, head_loss
from freehold.model.language import LanguageModel
from freehold.model.shards import Inspection
from freehold.plugins import need

PROBED = 8  # tokens with which a head is tried
CLOSE = 1e-4  # between logits of a head that is one matrix and no more, relative to the largest


class Foreign(LanguageModel):
    """A causal language model of transformers, with the names that it has there."""

    config: ForeignConfig

    def __init__(self, inner: Any, config: ForeignConfig) -> None:
        super().__init__()
        self.inner, self.config = inner.eval(), config
        self.plain = self._head_is_plain()

    def hidden(self, tokens_BT: Tensor, *, documents_BT: Tensor | None = None) -> Tensor:
        """The stream (B, T, C); where the head is more than one matrix, its logits (B, T, V) already."""
        if documents_BT is not None:
            message = f"attention within documents is not built for {self.config.family!r} models"
            raise InputError(message, remedy="train without document masks")
        if self.plain:
            stream_BTC: Tensor = self.inner.base_model(input_ids=tokens_BT, use_cache=False).last_hidden_state
            return stream_BTC
        logits_BTV: Tensor = self.inner(input_ids=tokens_BT, use_cache=False).logits
        return logits_BTV

    def logits(self, x_BTC: Tensor) -> Tensor:
        """Logits (…, V) of what `hidden` returned."""
        return functional.linear(x_BTC, self.head.to(x_BTC.dtype)) if self.plain else x_BTC

    def loss(
        self,
        tokens_BT: Tensor,
        targets_BT: Tensor,
        *,
        divisor: int | None = None,
        documents_BT: Tensor | None = None,
    ) -> Tensor:
        """Cross-entropy in nats: summed over targets that are not -100, divided by their number or `divisor`."""
        x_NC, target_N = self.hidden(tokens_BT, documents_BT=documents_BT).flatten(0, 1), targets_BT.flatten()
        if self.plain:
            return head_loss(x_NC, self.head, target_N, divisor=divisor)
        counted = int((target_N != IGNORED).sum()) if divisor is None else divisor
        return functional.cross_entropy(x_NC.float(), target_N, reduction="sum") / max(counted, 1)

    @property
    def embedding(self) -> nn.Parameter:
        """The table (V, C) of what tokens enter as."""
        table: nn.Parameter = self.inner.get_input_embeddings().weight
        return table

    @property
    def head(self) -> nn.Parameter:
        """The matrix (V, C) of the head."""
        matrix: nn.Parameter = self.inner.get_output_embeddings().weight
        return matrix

    @property
    def stream_type(self) -> torch.dtype:
        """The type in which layers compute."""
        return self.head.dtype

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, nn.Parameter]]:
        """Parameters under transformers' names."""
        found: Iterator[tuple[str, nn.Parameter]] = self.inner.named_parameters(prefix, recurse, remove_duplicate)
        return found

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Buffers under transformers' names."""
        found: Iterator[tuple[str, Tensor]] = self.inner.named_buffers(prefix, recurse, remove_duplicate)
        return found

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """Tensors under transformers' names."""
        return self.inner.state_dict(*args, **kwargs)

    def train(self, mode: bool = True) -> Foreign:
        """Learning leaves dropout off."""
        self.training = mode
        return self

    @torch.no_grad()
    def _head_is_plain(self) -> bool:
        """Whether logits are the stream times the head's matrix: no bias, cap or scale; found by trying it."""
        device = self.head.device
        tokens_1T = torch.arange(PROBED, device=device).unsqueeze(0) % self.config.vocab_size
        theirs = self.inner(input_ids=tokens_1T, use_cache=False).logits.float()
        stream = self.inner.base_model(input_ids=tokens_1T, use_cache=False).last_hidden_state
        if stream.shape[-1] != self.head.shape[-1]:
            return False
        ours = functional.linear(stream.float(), self.head.float())
        return bool((ours - theirs).abs().max() <= CLOSE * theirs.abs().max())


def open_foreign(found: Inspection, *, dtype: torch.dtype) -> Foreign:
    """The model of an inspected folder. Raises InputError where transformers is absent or knows it not."""
    where = str(found.folder)
    values = families.values_of((found.folder / "config.json").read_text(encoding="utf-8"), where=where)
    family = str(values.get("model_type"))
    transformers = _transformers(family, where=where)
    given = {"local_files_only": True, "trust_remote_code": False}
    try:
        shape = transformers.AutoConfig.from_pretrained(found.folder, **given)
        inner, told = transformers.AutoModelForCausalLM.from_pretrained(
            found.folder, config=shape, use_safetensors=True, output_loading_info=True, **given
        )
    except (ValueError, KeyError, OSError, RuntimeError, ImportError) as refused:
        reason = str(refused).strip().splitlines()[0]
        advice = "give a causal language model of a family that transformers has a class for"
        raise InputError(f"transformers cannot open {family!r}: {reason}", where=where, remedy=advice) from None
    if absent := sorted(told["missing_keys"]) + sorted(map(str, told.get("mismatched_keys", ()))):
        raise InputError(f"{absent[0]} is missing or of another shape", where=where, remedy="give a complete folder")
    if inner.get_output_embeddings() is None:
        raise InputError(f"{family!r} has no head", where=where, remedy="give a causal language model")
    inner = inner.to(dtype)
    return Foreign(inner, config_of(inner, found=found))


def config_of(inner: Any, *, found: Inspection) -> ForeignConfig:
    """The shape of an opened model, its parameters counted."""
    shape = inner.config.get_text_config()
    tables = {id(module.weight) for module in inner.modules() if isinstance(module, nn.Embedding)}
    weights = list(inner.parameters())
    matrices = sum(weight.numel() for weight in weights if weight.dim() > 1 and id(weight) not in tables)
    head = inner.get_output_embeddings().weight
    tied = id(head) in tables
    special = {
        name: families.first_of(getattr(shape, f"{name[:3]}_token_id", None)) for name in ("bos_id", "eos_id", "pad_id")
    }
    generation = found.folder / "generation_config.json"
    return ForeignConfig(
        family=str(inner.config.model_type),
        vocab_size=int(inner.get_input_embeddings().weight.shape[0]),
        width=int(shape.hidden_size),
        depth=int(shape.num_hidden_layers),
        context=int(getattr(shape, "max_position_embeddings", None) or 2048),
        tied=tied,
        parameters=sum(weight.numel() for weight in weights),
        matrix_parameters=matrices + (head.numel() if tied else 0),
        published=(found.folder / "config.json").read_text(encoding="utf-8"),
        published_generation=generation.read_text(encoding="utf-8") if generation.is_file() else None,
        **special,
    )


def _transformers(family: str, *, where: str) -> Any:
    try:
        found = need("transformers", extra="foreign")
    except MissingExtra as missing:
        message = f"{family!r} models run through transformers: {missing.message}"
        raise MissingExtra(message, where=where, remedy=missing.remedy) from None
    found.utils.logging.set_verbosity_error()
    found.utils.logging.disable_progress_bar()
    return found
