"""Arguments and options that several verbs share, and the workspace they lead to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from freehold.errors import InputError
from freehold.plugins import part

if TYPE_CHECKING:
    from freehold.charter import Charter
    from freehold.store.workspace import Workspace

CharterFile = Annotated[Path, typer.Argument(help="charter.toml, or the folder that holds it", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="one JSON object on stdout")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="say what would be done and what it would cost")]
WorkspaceFolder = Annotated[Path | None, typer.Option("--workspace", help="default: .freehold beside the charter")]
Where = Annotated[Path, typer.Argument(help="a release folder or a charter", show_default=False)]

WORKSPACE = ".freehold"


def opened(charter: Path, workspace: Path | None) -> tuple[Charter, Workspace]:
    """The charter, checked, and its workspace."""
    declared: Charter = part("freehold.charter_file:load")(charter)
    home: Workspace = part("freehold.store.workspace:Workspace")(workspace or declared.folder / WORKSPACE)
    return declared, home


def workspace_of(release: Path, workspace: Path | None) -> Workspace:
    """The workspace a release was made in: named, or the nearest one around the release folder."""
    around = [workspace] if workspace else [release.resolve(), *release.resolve().parents]
    for folder in around:
        for candidate in (folder, folder / WORKSPACE):
            if (candidate / "workspace.json").is_file():
                found: Workspace = part("freehold.store.workspace:Workspace")(candidate)
                return found
    advice = "name it with --workspace; the corpus itself is not part of a release"
    raise InputError("no workspace holds the corpus of this release", where=str(release), remedy=advice)


def near(path: Path) -> Path:
    """A path as a person standing here would type it: relative where it lies below the current folder."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
