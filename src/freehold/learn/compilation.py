"""Compilation: torch.compile for the parts that repeat, where a C++ compiler exists.

One graph serves every layer. Inductor's cache lives in a user folder, so a second start does not pay again.
"""

from __future__ import annotations

import os
import sysconfig
from importlib.util import find_spec
from pathlib import Path

import torch

from freehold.learn import optimizer
from freehold.model import head
from freehold.model.native.build import cache_folder, compiler
from freehold.model.transformer import LanguageModel, Transformer

PLAIN_SOFTMAX, PLAIN_SUM = head.raise_logits, head.accumulate
PLAIN_ADAM, PLAIN_DIRECTION, PLAIN_DESCENT = optimizer.adam_update, optimizer.muon_direction, optimizer.descend


def possible(device: str = "cpu") -> bool:
    """Whether this machine can compile: a C++ compiler and Python's headers, and Triton for a GPU."""
    if device != "cpu" and find_spec("triton") is None:
        return False
    return compiler() is not None and Path(sysconfig.get_paths()["include"], "Python.h").exists()


def use(model: LanguageModel) -> None:
    """Compile the layers of a model of ours, the head's softmax and the optimizer's updates, in place."""
    if "TORCHINDUCTOR_CACHE_DIR" not in os.environ:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(cache_folder(f"inductor-{torch.__version__}"))
    torch._dynamo.config.cache_size_limit = 64
    if isinstance(model, Transformer):
        for block in model.model.layers:
            block.compile(dynamic=False)
        model.model.norm.compile(dynamic=False)
    head.raise_logits = torch.compile(PLAIN_SOFTMAX, dynamic=False)
    head.accumulate = torch.compile(PLAIN_SUM, dynamic=False)
    optimizer.adam_update = torch.compile(PLAIN_ADAM, dynamic=False)
    optimizer.muon_direction = torch.compile(PLAIN_DIRECTION, dynamic=False)
    optimizer.descend = torch.compile(PLAIN_DESCENT, dynamic=False)
