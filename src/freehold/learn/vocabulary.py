"""More tokens for a model that has learned: each new row is the mean of the rows it stands for.

A new token thereby means, at first, what its pieces meant together (Hewitt 2021; Yamaguchi et al., arXiv:2406.11477),
so a model's loss on a text changes little by writing it with fewer tokens, and learning begins there.

Legend: V rows before, W rows after, C width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from freehold.errors import InputError
from freehold.model.language import LanguageModel

Pieces = Mapping[int, Sequence[int]]  # new token → the older tokens it stands for


def widened(table_VC: Tensor, *, rows: int, pieces: Pieces) -> Tensor:
    """The table (W, C) with `rows` rows in fp32. Raises InputError if they are too few for the tokens.

    >>> widened(torch.tensor([[1.0], [3.0]]), rows=3, pieces={2: [0, 1]}).tolist()
    [[1.0], [3.0], [2.0]]
    """
    if rows < len(table_VC) or any(not 0 <= number < rows for number in pieces):
        raise InputError(f"{rows} rows are too few for this vocabulary", where="tokenizer", remedy="tokenize again")
    old_VC = table_VC.detach().float()
    table_WC = torch.cat((old_VC, old_VC.mean(0).expand(rows - len(old_VC), -1)))  # zeros might be the likeliest
    for number, parts in pieces.items():
        table_WC[number] = old_VC[list(parts)].mean(0)
    return table_WC


def widen(model: LanguageModel, *, rows: int, pieces: Pieces) -> None:
    """Give a model's embedding and head `rows` rows, in place; a tied head stays tied."""
    tables = {id(table): table for table in (model.embedding, model.head)}
    wider = {key: nn.Parameter(widened(table, rows=rows, pieces=pieces)) for key, table in tables.items()}
    for module in model.modules():
        for name, weight in list(module.named_parameters(recurse=False)):
            if id(weight) in wider:
                setattr(module, name, wider[id(weight)])
        if isinstance(module, nn.Embedding):
            module.num_embeddings = len(module.weight)
        elif isinstance(module, nn.Linear):
            module.out_features = len(module.weight)
    model.config = replace(model.config, vocab_size=rows)
