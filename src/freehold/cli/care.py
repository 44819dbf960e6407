"""Care for the workspace and a look at the machine: gc, migrate, doctor."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from typing import Any

import typer

from freehold.cli import show
from freehold.cli.options import AsJson, CharterFile, DryRun, WorkspaceFolder, opened
from freehold.plugins import COLLECTORS, EXTRA_OF, SILENCE, collector, part


def add_to(app: typer.Typer) -> None:
    """Register this room's verbs."""
    app.command("gc")(gc)
    app.command("migrate")(migrate)
    app.command("doctor")(doctor)


def gc(charter: CharterFile, workspace: WorkspaceFolder = None, dry_run: DryRun = False, json: AsJson = False) -> None:
    """Remove artifacts that no ref reaches: superseded stages and unfinished ones."""
    _, home = opened(charter, workspace)
    swept = part("freehold.store.care:sweep")(home, dry_run=dry_run)
    names = [str(folder.relative_to(home.folder)) for folder in swept.folders]
    found = {"figures": {"removed" if not dry_run else "would_remove": names, "size_bytes": swept.size_bytes}}
    show.result(found, as_json=json, title="gc")


def migrate(charter: CharterFile, workspace: WorkspaceFolder = None, json: AsJson = False) -> None:
    """Say which artifacts are in an older format; format 1 is the first, so there is nothing to convert yet."""
    _, home = opened(charter, workspace)
    found = {"figures": {"formats": part("freehold.store.care:formats")(home)}}
    show.result(found, as_json=json, title="migrate")


def doctor(json: AsJson = False) -> None:
    """What this machine has, what is missing, and what would phone out if we let it."""
    machine: dict[str, Any] = part("freehold.store.environment:environment")()
    facts = {
        "python": machine["python"],
        "system": machine["system"],
        "processor": machine["processor"],
        "cores": os.cpu_count(),
        "compiler": shutil.which("g++") or shutil.which("clang++") or "none: training runs without torch.compile",
        "kernels": "torch" if find_spec("torch") is None else part("freehold.model.native.build:absence")() or "amx",
        "free_disk_gb": round(shutil.disk_usage(".").free / 1e9, 1),
    }
    missing = {name: f"pip install 'freehold[{extra}]'" for name, extra in EXTRA_OF.items() if find_spec(name) is None}
    found = {
        "machine": facts,
        "missing": missing or "nothing",
        "silenced": dict(SILENCE),
        "telemetry": f"loss and speed of a run go to {collector()}"
        if collector()
        else f"off: no {COLLECTORS[1]} is set",
    }
    show.result({"figures": found}, as_json=json, title="doctor")
