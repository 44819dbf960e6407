"""Slot caches: keys and values of several answers at once, each as long as it happens to be.

Legend: L layers, S slots, R rows (slots that decode together), T positions, X context, H query heads, K key/value
heads, G query heads per key/value head, D head size of queries and keys, E of values.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from freehold.model.attention import causal_attention, causal_bias
from freehold.model.transformer import LanguageModel, LayerAttend, Transformer


class Slots:
    """The key/value cache of a model for a fixed number of answers, and the forward passes that fill it.

    Every row attends over its own slot alone, over exactly its own length: nothing is padded, and an answer does
    not depend on its neighbours. Against one masked call for all slots this costs 6-10 % of a step at 8 slots of
    256 tokens (2-core Xeon with AMX, fp32, 6 x 384 and 12 x 512).
    """

    def __init__(self, model: Transformer, *, slots: int) -> None:
        config = model.config
        self.model = model
        self.count = slots
        self.context = config.context
        self.device = model.lm_head.weight.device
        shape = (config.depth, slots, config.kv_heads, config.context)
        # empty: memory is only touched as answers grow into it
        self.keys_LSKXD = torch.empty((*shape, config.head_size), dtype=model.stream_type, device=self.device)
        self.values_LSKXE = torch.empty((*shape, config.value_size), dtype=model.stream_type, device=self.device)

    @torch.inference_mode()
    def prefill(self, slot: int, tokens: Sequence[int]) -> Tensor:
        """Read a prompt into a slot; fp32 logits (V) of the token that follows it."""
        tokens_1T = torch.tensor([tokens], dtype=torch.int64, device=self.device)
        x_1TC = self.model.hidden(tokens_1T, attend=self._reading(slot))
        logits_V: Tensor = self.model.logits(x_1TC[0, -1]).float()
        return logits_V

    @torch.inference_mode()
    def decode(self, slots: Sequence[int], tokens: Sequence[int], lengths: Sequence[int], *, rows: int) -> Tensor:
        """One more token in each of `slots`, which hold `lengths` tokens so far; fp32 logits (R, V).

        The matrices are multiplied for `rows` rows (at least one per slot), the rest being idle: a fixed number
        of rows keeps a row's rounding independent of how many answers are under way.
        """
        idle = rows - len(slots)
        tokens_R1 = torch.tensor([*tokens, *[0] * idle], dtype=torch.int64, device=self.device).unsqueeze(1)
        positions_R1 = torch.tensor([*lengths, *[0] * idle], dtype=torch.int64, device=self.device).unsqueeze(1)
        x_R1C = self.model.hidden(tokens_R1, positions_BT=positions_R1, attend=self._extending(slots, lengths))
        logits_RV: Tensor = self.model.logits(x_R1C[:, 0])[: len(slots)].float()
        return logits_RV

    def _reading(self, slot: int) -> LayerAttend:
        def attend(layer: int, q_1HTD: Tensor, k_1KTD: Tensor, v_1KTE: Tensor) -> Tensor:
            length, window = k_1KTD.shape[2], self.model.config.window(layer)
            self.keys_LSKXD[layer, slot, :, :length] = k_1KTD[0]
            self.values_LSKXE[layer, slot, :, :length] = v_1KTE[0]
            bias_TT = causal_bias(length, device=self.device, window=window) if 0 < window < length else None
            return causal_attention(q_1HTD, k_1KTD, v_1KTE, bias_TT)

        return attend

    def _extending(self, slots: Sequence[int], lengths: Sequence[int]) -> LayerAttend:
        def attend(layer: int, q_RH1D: Tensor, k_RK1D: Tensor, v_RK1E: Tensor) -> Tensor:
            o_RH1E = q_RH1D.new_zeros((*q_RH1D.shape[:-1], v_RK1E.shape[-1]))
            window = self.model.config.window(layer)
            for row, (slot, length) in enumerate(zip(slots, lengths, strict=True)):
                k_KXD, v_KXE = self.keys_LSKXD[layer, slot], self.values_LSKXE[layer, slot]
                k_KXD[:, length] = k_RK1D[row, :, 0]
                v_KXE[:, length] = v_RK1E[row, :, 0]
                seen = slice(max(0, length + 1 - window) if window else 0, length + 1)
                # Query heads that share keys stand as queries of one head, so keys are never repeated in memory.
                q_KGD = q_RH1D[row, :, 0].unflatten(0, (k_KXD.shape[0], -1))
                o_KGE = functional.scaled_dot_product_attention(
                    q_KGD.unsqueeze(0), k_KXD[None, :, seen], v_KXE[None, :, seen]
                )
                o_RH1E[row, :, 0] = o_KGE[0].flatten(0, 1)
            return o_RH1E

        return attend


class Rereading:
    """The same for a model whose keys and values we do not hold: every token reads its whole answer anew."""

    def __init__(self, model: LanguageModel, *, slots: int) -> None:
        self.model, self.count = model, slots
        self.read: list[list[int]] = [[] for _ in range(slots)]

    @torch.inference_mode()
    def prefill(self, slot: int, tokens: Sequence[int]) -> Tensor:
        """Read a prompt into a slot; fp32 logits (V) of the token that follows it."""
        self.read[slot] = list(tokens)
        tokens_1T = torch.tensor([self.read[slot]], dtype=torch.int64, device=self.model.head.device)
        logits_V: Tensor = self.model.logits(self.model.hidden(tokens_1T)[0, -1]).float()
        return logits_V

    def decode(self, slots: Sequence[int], tokens: Sequence[int], lengths: Sequence[int], *, rows: int) -> Tensor:
        """One more token in each of `slots`, which hold `lengths` tokens so far; fp32 logits (R, V).

        Every answer is computed alone, whatever `rows` says.
        """
        del rows
        after = [
            self.prefill(slot, [*self.read[slot][:length], token])
            for slot, token, length in zip(slots, tokens, lengths, strict=True)
        ]
        return torch.stack(after)


def slots_of(model: LanguageModel, *, slots: int) -> Slots | Rereading:
    """Where a model's answers grow."""
    return Slots(model, slots=slots) if isinstance(model, Transformer) else Rereading(model, slots=slots)
