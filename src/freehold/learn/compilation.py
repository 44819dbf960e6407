"""Compilation: torch.compile for the parts that repeat, where a C++ compiler exists.

One graph serves every layer. Inductor's cache lives in a user folder, so a second start does not pay again.
"""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import torch
from torch._inductor import config as inductor

from freehold.learn import optimizer
from freehold.model import head
from freehold.model.native.build import cache_folder, compiler, compiles
from freehold.model.transformer import LanguageModel, Transformer

PLAIN: tuple[tuple[object, str, Callable[..., object]], ...] = tuple(  # where functions stand, their names, themselves
    (module, name, getattr(module, name))
    for module, names in (
        (head, ("raise_logits", "accumulate")),
        (optimizer, ("adam_update", "muon_direction", "descend")),
    )
    for name in names
)


def possible(device: str = "cpu") -> bool:
    """Whether this machine can compile: a C++ compiler that works and Python's headers, and Triton for a GPU."""
    if device != "cpu" and find_spec("triton") is None:
        return False
    return Path(sysconfig.get_paths()["include"], "Python.h").exists() and compiles()


def use(model: LanguageModel, *, compiled: bool) -> None:
    """Compile the layers of a model of ours, the head's softmax and the optimizer's updates, in place.

    Softmax and updates are this process's: what was said last holds for all its sessions. Not `compiled` makes them
    plain again.
    """
    for module, name, plain in PLAIN:
        setattr(module, name, torch.compile(plain, dynamic=False) if compiled else plain)
    if not compiled:
        return
    inductor.cpp.cxx = (compiler(),)  # type: ignore[assignment]  # the one that was tried
    if "TORCHINDUCTOR_CACHE_DIR" not in os.environ:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(cache_folder(f"inductor-{torch.__version__}"))
    torch._dynamo.config.cache_size_limit = 64
    if isinstance(model, Transformer):
        for block in model.model.layers:
            block.compile(dynamic=False)
        model.model.norm.compile(dynamic=False)
