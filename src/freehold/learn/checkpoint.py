"""Checkpoints: written whole or not at all, digested, and resumed bit for bit.

A checkpoint is one safetensors file, from which a run can go on; what the run knows beside it is in `latest.json`.
It is written under a temporary name, fsynced, renamed, and only then named (with its SHA-256) in `latest.json`.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from freehold.errors import InputError
from freehold.records import canonical_json

LATEST = "latest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A finished checkpoint: training goes on at `step`."""

    step: int
    sha256: str
    path: Path
    facts: dict[str, Any]  # JSON: recipe, chain so far; empty for one that is no longer the newest

    @classmethod
    def of(cls, path: Path) -> Checkpoint:
        """A checkpoint that was kept, from its file alone."""
        return cls(step=step_of(path), sha256=digest_of(path), path=path, facts={})

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor by name. Raises InputError if the file is no checkpoint."""
        try:
            with safe_open(self.path, framework="pt") as file:
                return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError) as error:
            raise InputError(f"no checkpoint that can be read: {error}", where=str(self.path)) from None


def save(
    folder: Path, *, step: int, tensors: dict[str, Tensor], facts: dict[str, Any], keep: int = 2, every: int = 0
) -> str:
    """Write a checkpoint and return its SHA-256. Equal content gives equal bytes.

    The newest `keep` stay, and with `every` those of each so many steps. Raises InputError when there is no room; the
    checkpoints before are left as they were.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name_of(step)
    temporary, newest = path.with_suffix(".tmp"), folder / f"{LATEST}.tmp"
    try:
        save_file({**tensors, **_rng()}, temporary, metadata={"step": str(step)})
        digest = _settle(temporary)
        temporary.replace(path)
        newest.write_bytes(canonical_json({"step": step, "sha256": digest, "file": path.name, "facts": facts}))
        _settle(newest)
    except (OSError, SafetensorError) as error:
        for unfinished in (temporary, newest):
            unfinished.unlink(missing_ok=True)
        raise InputError(
            f"the checkpoint of step {step:,} could not be written: {error}",
            where=str(folder),
            remedy="make room and run again: training goes on from the checkpoint before",
        ) from error
    newest.replace(folder / LATEST)
    _sync_folder(folder)
    sweep(folder, keep=keep, every=every)
    return digest


def sweep(folder: Path, *, keep: int, every: int = 0) -> None:
    """Remove what a killed save left, and checkpoints but the newest `keep` and those of each `every` steps."""
    for unfinished in (*folder.glob("*.tmp"), *folder.glob(".tmp*")):  # ours, and those of safetensors
        unfinished.unlink()
    for old in kept(folder)[:-keep]:
        if not every or step_of(old) % every or not step_of(old):
            old.unlink()


def name_of(step: int) -> str:
    """The file of the checkpoint made at a step."""
    return f"step-{step:08d}.safetensors"


def step_of(path: Path) -> int:
    """The step at which a checkpoint was made: ``step_of(Path("step-00000050.safetensors")) == 50``."""
    return int(path.stem.removeprefix("step-"))


def kept(folder: Path) -> list[Path]:
    """Every checkpoint of a folder, the oldest first."""
    return sorted(folder.glob("step-*.safetensors"))


def latest(folder: Path) -> Checkpoint | None:
    """The newest finished checkpoint, or None. Raises InputError when its bytes are not those that were written."""
    try:
        record = json.loads((folder / LATEST).read_bytes())
    except FileNotFoundError:
        return None
    path = folder / record["file"]
    found = digest_of(path) if path.exists() else "no file"
    if found != record["sha256"]:
        raise InputError(
            f"checkpoint {record['file']} has digest {found[:12]}, expected {record['sha256'][:12]}",
            where=str(folder),
            remedy="delete that folder to train from the start",
        )
    return Checkpoint(step=record["step"], sha256=found, path=path, facts=record["facts"])


def restore_rng(tensors: dict[str, Tensor]) -> None:
    """Set torch's generators to where they were; a GPU's only if the checkpoint was made on one."""
    torch.set_rng_state(tensors["rng/torch"])
    if "rng/cuda" in tensors and torch.cuda.is_available():
        torch.cuda.set_rng_state(tensors["rng/cuda"])


def _rng() -> dict[str, Tensor]:
    """Where torch's generators are, a GPU's only if this process uses one."""
    found = {"rng/torch": torch.get_rng_state()}
    return {**found, "rng/cuda": torch.cuda.get_rng_state()} if torch.cuda.is_initialized() else found


def digest_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _settle(path: Path) -> str:
    """Force a file to the disk; its digest."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
    return digest_of(path)


def _sync_folder(folder: Path) -> None:
    """Make renames durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
