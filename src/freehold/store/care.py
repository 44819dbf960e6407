"""Looking after a workspace: publish a sealed folder, sweep what no ref reaches."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from freehold.errors import InputError
from freehold.journey import STEPS
from freehold.store.workspace import Sealed, Workspace, sync_folder, told


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What `gc` removed, or would remove."""

    folders: tuple[Path, ...]
    size_bytes: int


def publish(sealed: Sealed, target: Path) -> Path:
    """Copy a sealed folder to `target` in one rename; an older publication there is replaced, anything else is not.

    Raises InputError if `target` holds something that is no publication of ours.
    """
    target = target.resolve()
    with told(target):
        if target.exists() and any(target.iterdir()) and not (target / "evidence" / "release.json").is_file():
            raise InputError(
                "the folder is not empty and holds no release", where=str(target), remedy="choose another --out"
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_name(f".{target.name}.{os.getpid()}")
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(sealed.path, fresh)
        if target.exists():
            old = target.with_name(f".{target.name}.old")
            shutil.rmtree(old, ignore_errors=True)
            target.rename(old)
            fresh.rename(target)
            shutil.rmtree(old)
        else:
            fresh.rename(target)
        sync_folder(target.parent)
    return target


def sweep(workspace: Workspace, *, dry_run: bool) -> Sweep:
    """Remove artifacts that no ref reaches, partial ones included. Holds every stage's lock while it looks.

    An artifact is reached when a ref's attestation names it, or when the attestation of a reached one names it as
    an input. Raises WorkspaceBusy while a run is on.
    """
    with ExitStack() as locks:
        for name in STEPS:
            locks.enter_context(workspace.lock(name))
        reached = reach(workspace)
        unreached = []
        for stage in sorted((workspace.folder / "artifacts").glob("*")):
            unreached += [folder for folder in sorted(stage.iterdir()) if (stage.name, folder.name) not in reached]
        size = sum(path.stat().st_size for folder in unreached for path in folder.rglob("*") if path.is_file())
        if not dry_run:
            for folder in unreached:
                shutil.rmtree(folder)
    return Sweep(folders=tuple(unreached), size_bytes=size)


def reach(workspace: Workspace) -> set[tuple[str, str]]:
    """(stage, digest) of everything that a ref leads to, directly or as an input."""
    reached: set[tuple[str, str]] = set()
    for name in STEPS:
        sealed = workspace.latest(name)
        if sealed is not None:
            reached.add((name, sealed.digest))
            reached.update(sealed.statement()["predicate"]["inputs"].items())
    return reached


def formats(workspace: Workspace) -> dict[str, str]:
    """For the latest artifact of every stage: its format, and whether this code reads it."""
    told_of = {}
    for name, step in STEPS.items():
        sealed = workspace.latest(name)
        if sealed is not None:
            found = sealed.statement()["predicate"]["format"]
            told_of[name] = f"format {found}, " + (
                "current" if found == step.format else f"this code reads {step.format}"
            )
    return told_of
