"""Arguments and options that several verbs share, and the workspace they lead to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

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
Runner = Annotated[
    str, typer.Option("--runner", help="local; ray: this machine's cluster or RAY_ADDRESS; or ray://HOST:PORT")
]
Shard = Annotated[
    str | None,
    typer.Option("--shard", help="I/N, I from 0: do only this share of the files, and leave the rest to others"),
]
Where = Annotated[Path, typer.Argument(help="a release folder or a charter", show_default=False)]


class Sectioned(TyperCommand):
    """A verb with many options: its help shows them under the headings (`rich_help_panel`) that they name.

    Typer does so only where it draws boxes with Rich, which ours does not: its help is also a page of the reference.
    """

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Arguments, then the options that name no heading, then heading after heading."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        for parameter in self.get_params(ctx):
            if record := parameter.get_help_record(ctx):
                plain = "Arguments" if parameter.param_type_name == "argument" else "Options"
                sections.setdefault(getattr(parameter, "rich_help_panel", None) or plain, []).append(record)
        for heading, records in sections.items():
            with formatter.section(heading):
                formatter.write_dl(records)


WORKSPACE = ".freehold"
HERE = Path("charter.toml")  # the charter that a verb of the journey means if none is named


def opened(charter: Path, workspace: Path | None, overrides: dict[str, Any] | None = None) -> tuple[Charter, Workspace]:
    """The charter, checked, as this call sees it, and its workspace; a base's files are checked before any work."""
    declared: Charter = part("freehold.charter_file:load")(charter, overrides)
    if declared.base is not None:
        part("freehold.stages.train.forecast:base_of")(declared)
    home: Workspace = part("freehold.store.workspace:Workspace")(workspace or declared.folder / WORKSPACE)
    return declared, home


def manner(runner: str, shard: str | None) -> dict[str, Any]:
    """How a stage is to go about its work, from the words of a call. Raises InputError for words it does not know."""
    if runner not in ("local", "ray") and not runner.startswith("ray://"):
        advice = "local, ray or ray://HOST:PORT"
        raise InputError(f"{runner!r} is no runner", where="--runner", remedy=advice)
    if shard is None:
        return {"runner": runner}
    number, _, shards = shard.partition("/")
    if not (number.isdecimal() and shards.isdecimal() and int(number) < int(shards)):
        advice = "for example 0/8 to 7/8"
        raise InputError(f"{shard!r} is no share of the work", where="--shard", remedy=advice)
    return {"runner": runner, "shard": (int(number), int(shards))}


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
