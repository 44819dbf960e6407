"""The setting: what of this machine decides the bits of a run, and so whether a run may go on here."""

from __future__ import annotations

import torch

from freehold.errors import InputError
from freehold.learn import compilation
from freehold.learn.phases import Recipe
from freehold.model import native
from freehold.model.native.build import SWITCH

ANEW = "or start anew with --resume never"


def kernels() -> str:
    """Which kernels compute here on a CPU: sums are taken in their order, so they are part of a recipe."""
    return "amx" if native.ready() else "torch"


def same_machine(recipe: Recipe, *, where: str) -> None:
    """Raise InputError, naming `where` the recipe is, unless a run that began with it can go on here bit for bit."""
    device = recipe["device"]
    if device == "cuda" and not torch.cuda.is_available():
        refuse("this run began on a GPU, and torch sees none here", "go on where it began", where=where)
    if (begun := recipe["torch"]) != torch.__version__:
        message = f"this run began with torch {begun}, and here is {torch.__version__}"
        refuse(message, f"install torch {begun}", where=where)
    if device == "cpu" and recipe["kernels"] != kernels():
        message = f"this run began with the kernels {recipe['kernels']!r}, and here are {kernels()!r}"
        refuse(message, f"go on where it began (a C++ compiler, {SWITCH} as it was)", where=where)
    if recipe["compiled"] and not compilation.possible(device):
        message = "this run began compiled, and nothing here compiles"
        refuse(message, "install a C++ compiler and Python's headers", where=where)


def refuse(message: str, remedy: str, *, where: str) -> None:
    """Raise InputError about a run that cannot go on."""
    raise InputError(message, where=where, remedy=f"{remedy}, {ANEW}")


def ranks_of(wanted: int, recipe: Recipe) -> int:
    """How many ranks share every batch of this recipe here. Raises InputError for more than can share the work.

    It is no part of the recipe: a run may go on with another number than it began with.
    """
    gpus = torch.cuda.device_count() if recipe["device"] == "cuda" else 0
    # Routers of experts count the tokens of one process; a family of transformers' is made from the base's folder.
    alone = bool(recipe["model"].get("experts")) or "heads" not in recipe["model"]
    size: int = wanted or (1 if alone else min(max(1, gpus), recipe["samples"]))
    if alone and size > 1:
        message = "experts, and families that are not built here, learn on one rank"
        raise InputError(message, where="train.ranks", remedy="set ranks = 1")
    if gpus and size > gpus:
        raise InputError(f"{size} ranks, but {gpus} GPUs", where="train.ranks", remedy="use 0: one rank for each GPU")
    if size > recipe["samples"]:
        message = f"{size} ranks cannot share a batch of {recipe['samples']} sequences"
        raise InputError(message, where="train.ranks", remedy="raise batch_tokens or use fewer ranks")
    return size
