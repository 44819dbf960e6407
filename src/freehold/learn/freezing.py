"""Freezing: which weights of a model stay as they are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from freehold.errors import InputError
from freehold.model.language import LanguageModel

LAYER = re.compile(r"(?:^|\.)layers\.(\d+)\.")
INSIDE = {
    "attention": re.compile(r"\.self_attn\."),
    "feed-forward": re.compile(r"\.mlp\."),
    "norms": re.compile("norm"),
}


def freeze(model: LanguageModel, parts: Sequence[str]) -> None:
    """Take the gradients of `parts` away: embedding, head, attention, feed-forward, norms, blocks:FIRST-LAST.

    Raises InputError for a part that this model does not have, and where nothing would be left to learn.
    """
    tables = {"embedding": id(model.embedding), "head": id(model.head)}
    named = list(model.named_parameters())
    for part in parts:
        if part == "head" and model.head is model.embedding:
            refuse(part, "the head is the embedding table here", "freeze the embedding, or neither")
        kept = {name for name, weight in named if id(weight) == tables.get(part)} or names_of(part, dict(named))
        if not kept:
            refuse(part, "this model has no such weights", "remove it")
        for name, weight in named:
            if name in kept:
                weight.requires_grad_(False)
    if not any(weight.requires_grad for _, weight in named):
        refuse(", ".join(parts), "nothing is left to learn", "freeze less")


def names_of(part: str, names: Iterable[str]) -> set[str]:
    """The weights of a part that is named by where they stand.

    >>> sorted(names_of("blocks:1", ["model.layers.0.mlp.up_proj.weight", "model.layers.1.mlp.up_proj.weight"]))
    ['model.layers.1.mlp.up_proj.weight']
    """
    if part.startswith("blocks:"):
        first, _, last = part.removeprefix("blocks:").partition("-")
        wanted = range(int(first), int(last or first) + 1)
        return {name for name in names if (layer := LAYER.search(name)) and int(layer[1]) in wanted}
    return {name for name in names if part in INSIDE and INSIDE[part].search(name)}


def refuse(part: str, message: str, remedy: str) -> None:
    """Raise InputError about a part that was to be frozen."""
    raise InputError(f"{part!r}: {message}", where="base.freeze", remedy=remedy)
