"""Arguments and options that several verbs share, and the workspace they lead to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
BaseFolder = Annotated[
    Path | None, typer.Option("--base", help="go on from this open model: its Hugging Face folder", show_default=False)
]
Steps = Annotated[int | None, typer.Option("--steps", min=1, help="train for this many steps", show_default=False)]
Resume = Annotated[
    str, typer.Option("--resume", help="auto: go on where it stopped; never: throw an unfinished run away first")
]
Where = Annotated[Path, typer.Argument(help="a release folder or a charter", show_default=False)]

WORKSPACE = ".freehold"
HERE = Path("charter.toml")  # the charter that a verb of the journey means if none is named


def opened(charter: Path, workspace: Path | None, overrides: dict[str, Any] | None = None) -> tuple[Charter, Workspace]:
    """The charter, checked, as this call sees it, and its workspace; a base's files are checked before any work."""
    declared: Charter = part("freehold.charter_file:load")(charter, overrides)
    if declared.base is not None:
        part("freehold.stages.train.forecast:base_of")(declared)
    home: Workspace = part("freehold.store.workspace:Workspace")(workspace or declared.folder / WORKSPACE)
    return declared, home


def overriding(base: Path | None, steps: int | None) -> dict[str, Any]:
    """What the options of a call put in the place of the charter's words."""
    given = {"base": None if base is None else str(base.resolve()), "steps": steps}
    return {name: value for name, value in given.items() if value is not None}


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
