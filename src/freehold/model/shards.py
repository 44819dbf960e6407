"""Shards: where each tensor of a model folder stands and as what, read from headers alone and checked at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from freehold.errors import InputError
from freehold.model import families
from freehold.model.config import ModelConfig
from freehold.model.experts import apart
from freehold.model.transformer import Transformer

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
TYPES = {"F32": torch.float32, "BF16": torch.bfloat16, "F16": torch.float16}
CALLED = {"float32": "F32", "bfloat16": "BF16", "float16": "F16"}  # as config.json says it
KEPT_WIDE = "e_score_correction_bias"  # rounded, it would choose other experts
COMPUTED = ".rotary_emb.inv_freq"  # old folders store what is a function of config.json
NAMED = 3  # tensors in a message, at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which file each tensor goes to, and in which type ("F32", "BF16" or "F16")."""

    files: Mapping[str, str]  # tensor → file
    types: Mapping[str, str]
    metadata: Mapping[str, dict[str, str] | None] = field(default_factory=dict)  # of each file's header
    index: str | None = None  # model.safetensors.index.json, where there are shards

    @property
    def indexed(self) -> bool:
        """Whether an index stands beside the files."""
        return self.index is not None or len(set(self.files.values())) > 1

    def index_of(self, tensors: Mapping[str, Tensor]) -> str:
        """The index of these tensors: as it was unless their sizes changed."""
        sizes = {name: tensors[name].numel() for name in self.files}
        told = {
            "total_parameters": sum(size for name, size in sizes.items() if not name.endswith(KEPT_WIDE)),
            "total_size": sum(size * TYPES[self.types[name]].itemsize for name, size in sizes.items()),
        }
        found: dict[str, Any] = {"weight_map": dict(self.files)} if self.index is None else json.loads(self.index)
        known = found.get("metadata") or {}
        if self.index is not None and known.get("total_size") == told["total_size"]:
            return self.index
        return json.dumps({**found, "metadata": {**known, **told}}, indent=2, sort_keys=True) + "\n"


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """A model folder as its configuration and headers tell it; no weights are read."""

    folder: Path
    config: ModelConfig | None  # None for a family that we do not build
    reason: InputError | None  # why not
    plan: Plan
    shapes: Mapping[str, tuple[int, ...]]

    @cached_property
    def files(self) -> tuple[str, ...]:
        """Names of the safetensors files."""
        return tuple(sorted(set(self.plan.files.values())))

    @property
    def parameters(self) -> int:
        """Stored numbers."""
        return sum(torch.Size(shape).numel() for shape in self.shapes.values())


def inspect(folder: Path) -> Inspection:
    """Everything about a folder that can be known without reading weights.

    Raises InputError for what no run could use: no configuration, a missing or broken shard, quantised weights, and
    for the families we build also tensors that are missing, unexpected or of another shape than config.json says.
    """
    text, generation = _text(folder / "config.json"), folder / "generation_config.json"
    config, reason = None, None
    try:
        config = families.parse(
            text,
            generation=_text(generation) if generation.is_file() else None,
            where=str(folder / "config.json"),
        )
    except families.NotBuilt as why:
        reason = why
    plan, shapes = _headers(folder)
    found = Inspection(folder=folder, config=config, reason=reason, plan=plan, shapes=shapes)
    if config is not None:
        _compare(found, config)
    return found


def whole_plan(tensors: Mapping[str, Tensor], *, dtype: str, shard_bytes: int) -> Plan:
    """A plan of our own: one file, or shards that `shard_bytes` bound (a larger tensor has one to itself)."""
    if dtype not in CALLED:
        raise InputError(f"dtype {dtype!r} cannot be written", remedy=f"use one of {', '.join(CALLED)}")
    types = {name: "F32" if name.endswith(KEPT_WIDE) else CALLED[dtype] for name in sorted(tensors)}
    return planned({name: tensors[name].numel() for name in types}, types, shard_bytes=shard_bytes)


def planned(sizes: Mapping[str, int], types: Mapping[str, str], *, shard_bytes: int) -> Plan:
    """Fill shards in the order of names; `sizes` are numbers of elements."""
    shards: list[list[str]] = []
    room = 0
    for name, size in sizes.items():
        size_bytes = size * TYPES[types[name]].itemsize
        if not shards or size_bytes > room:
            shards.append([])
            room = shard_bytes
        shards[-1].append(name)
        room -= size_bytes
    if len(shards) < 2:
        return Plan(files=dict.fromkeys(sizes, WEIGHTS), types=types)
    files = {
        name: f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        for number, names in enumerate(shards, start=1)
        for name in names
    }
    return Plan(files=files, types=types)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path.name} is missing", where=str(path.parent), remedy="give a complete folder") from None
    except (OSError, UnicodeDecodeError) as broken:
        raise InputError(f"unreadable: {broken}", where=str(path), remedy="fetch the folder again") from None


def _headers(folder: Path) -> tuple[Plan, dict[str, tuple[int, ...]]]:
    """Where tensors stand, as what, and their shapes. Raises InputError naming the file."""
    index = _text(folder / INDEX) if (folder / INDEX).is_file() and not (folder / WEIGHTS).is_file() else None
    listed = {} if index is None else _weight_map(index, where=str(folder / INDEX))
    files: dict[str, str] = {}
    types: dict[str, str] = {}
    shapes: dict[str, tuple[int, ...]] = {}
    metadata: dict[str, dict[str, str] | None] = {}
    for file in sorted(set(listed.values())) or [WEIGHTS]:
        if not (folder / file).is_file():
            raise InputError(f"{file} is missing", where=str(folder), remedy=_advice(folder))
        try:
            with safe_open(folder / file, framework="pt") as stored:
                metadata[file] = stored.metadata()
                for name in stored.keys():  # noqa: SIM118
                    part = stored.get_slice(name)
                    files[name], types[name], shapes[name] = file, part.get_dtype(), tuple(part.get_shape())
        except (OSError, SafetensorError) as broken:
            where = str(folder / file)
            raise InputError(f"unreadable: {broken}", where=where, remedy="fetch the folder again") from None
    for name, file in listed.items():
        if files.get(name) != file:
            raise InputError(f"{name} is not in it", where=str(folder / file), remedy="fetch the folder again")
    for name, kind in types.items():
        if kind not in TYPES:
            message = f"{name} is stored as {kind}: only {', '.join(TYPES)} can be learned from"
            advice = "use the folder's bf16, fp16 or fp32 original"
            raise InputError(message, where=str(folder / files[name]), remedy=advice)
    return Plan(files=files, types=types, metadata=metadata, index=index), shapes


def _weight_map(index: str, *, where: str) -> dict[str, str]:
    """The index's table {tensor: file}; files must lie beside it."""
    found = families.values_of(index, where=where).get("weight_map")
    good = isinstance(found, dict) and all(
        isinstance(file, str) and Path(file).name == file and file.endswith(".safetensors") for file in found.values()
    )
    if not good or not found:
        raise InputError("has no table of tensors and files", where=where, remedy="fetch the folder again")
    return dict(found)


def _advice(folder: Path) -> str:
    """What to do about missing weights: other formats are named."""
    others = sorted(path.name for pattern in ("*.bin", "*.pt", "*.pth", "*.gguf") for path in folder.glob(pattern))
    return f"convert {others[0]} to safetensors first" if others else "give a complete folder"


def _compare(found: Inspection, config: ModelConfig) -> None:
    """Raise InputError unless the folder holds exactly the tensors that its configuration asks for."""
    expected = {
        name: tuple(tensor.shape) for name, tensor in apart(Transformer(config, device="meta").state_dict()).items()
    }
    tied = {"lm_head.weight"} if config.tied else set()
    missing = [name for name in expected if name not in found.shapes and name not in tied]
    spare = [name for name in found.shapes if name not in expected and not name.endswith(COMPUTED)]
    where = str(found.folder)
    if missing:
        raise InputError(f"{_listed(missing)} missing", where=where, remedy="give the folder its config.json is of")
    if spare:
        message = f"{_listed(spare)} not of a {config.family} model of {config.depth} layers"
        raise InputError(message, where=where, remedy="remove them, or give the folder its config.json is of")
    for name, shape in expected.items():
        if found.shapes.get(name, shape) != shape:
            message = f"{name} has the shape {list(found.shapes[name])}, config.json asks for {list(shape)}"
            raise InputError(message, where=str(found.folder / found.plan.files[name]), remedy="correct config.json")


def _listed(names: list[str]) -> str:
    """Some tensors by name, the others by number.

    >>> _listed(["a", "b", "c", "d"]), _listed(["a"])
    ('a, b, c and 1 more are', 'a is')
    """
    shown, more = ", ".join(names[:NAMED]), len(names) - NAMED
    return f"{shown} and {more} more are" if more > 0 else f"{shown} {'is' if len(names) == 1 else 'are'}"
