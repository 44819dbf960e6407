"""Slot caches: keys and values of several answers at once, each as long as it happens to be.

Legend: L layers, S slots, R rows (slots that decode together), T positions, X context, H query heads, K key/value
heads, G query heads per key/value head, D head size.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from freehold.model.attention import causal_attention, causal_bias
from freehold.model.transformer import LayerAttend, Transformer


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
        shape = (config.depth, slots, config.kv_heads, config.context, config.head_size)
        # empty: memory is only touched as answers grow into it
        self.keys_LSKXD = torch.empty(shape, dtype=model.stream_type, device=self.device)
        self.values_LSKXD = torch.empty(shape, dtype=model.stream_type, device=self.device)

    @torch.inference_mode()
    def prefill(self, slot: int, tokens: Sequence[int]) -> Tensor:
        """Read a prompt into a slot; fp32 logits (V) of the token that follows it."""
        tokens_1T = torch.tensor([tokens], dtype=torch.int64, device=self.device)
        bias_TT = causal_bias(len(tokens), device=self.device)
        x_1TC = self.model.hidden(tokens_1T, attend=self._reading(slot, bias_TT))
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

    def _reading(self, slot: int, bias_TT: Tensor) -> LayerAttend:
        def attend(layer: int, q_1HTD: Tensor, k_1KTD: Tensor, v_1KTD: Tensor) -> Tensor:
            length = k_1KTD.shape[2]
            self.keys_LSKXD[layer, slot, :, :length] = k_1KTD[0]
            self.values_LSKXD[layer, slot, :, :length] = v_1KTD[0]
            return causal_attention(q_1HTD, k_1KTD, v_1KTD, bias_TT)

        return attend

    def _extending(self, slots: Sequence[int], lengths: Sequence[int]) -> LayerAttend:
        def attend(layer: int, q_RH1D: Tensor, k_RK1D: Tensor, v_RK1D: Tensor) -> Tensor:
            o_RH1D = torch.zeros_like(q_RH1D)
            for row, (slot, length) in enumerate(zip(slots, lengths, strict=True)):
                k_KXD, v_KXD = self.keys_LSKXD[layer, slot], self.values_LSKXD[layer, slot]
                k_KXD[:, length] = k_RK1D[row, :, 0]
                v_KXD[:, length] = v_RK1D[row, :, 0]
                # Query heads that share keys stand as queries of one head, so keys are never repeated in memory.
                q_KGD = q_RH1D[row, :, 0].unflatten(0, (k_KXD.shape[0], -1))
                o_KGD = functional.scaled_dot_product_attention(
                    q_KGD.unsqueeze(0), k_KXD[None, :, : length + 1], v_KXD[None, :, : length + 1]
                )
                o_RH1D[row, :, 0] = o_KGD[0].flatten(0, 1)
            return o_RH1D

        return attend
