"""Questions to the corpus and to the ledger: search, trace, lineage."""

from __future__ import annotations

import json as jsonlib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from freehold.cli import show
from freehold.cli.journey import advance
from freehold.cli.options import AsJson, Where, WorkspaceFolder, opened, workspace_of
from freehold.errors import InputError
from freehold.journey import STEPS
from freehold.plugins import part

if TYPE_CHECKING:
    from freehold.store.workspace import Sealed, Workspace


def add_to(app: typer.Typer) -> None:
    """Register this room's verbs."""
    app.command("search")(search)
    app.command("trace")(trace)
    app.command("lineage")(lineage)


def search(
    where: Where,
    query: Annotated[str, typer.Argument(show_default=False)],
    top: Annotated[int, typer.Option(min=1, max=100)] = 5,
    workspace: WorkspaceFolder = None,
    json: AsJson = False,
) -> None:
    """Ranked passages of the curated corpus, each with its document and licence: search, not the model's word."""
    artifacts = index(where, workspace, "search")
    found = part("freehold.stages.search.query:search")(artifacts["search"].path, query, top=top)
    if json:
        show.machine({"figures": {"passages": [asdict(passage) for passage in found]}, "next": None})
        return
    print_passages(found)


def print_passages(found: Any) -> None:
    """Passages with their citations."""
    if not found:
        show.out.print("nothing in the corpus matches", markup=False)
    for passage in found:
        show.out.print(f"{passage.rank}. {passage.title or passage.document}", style="bold", markup=False)
        show.out.print(f"   {' '.join(passage.text.split())[:300]}", markup=False)
        cited = f"   [{passage.language} · {passage.licence} · {passage.document}]"
        show.out.print(cited, style="cyan", markup=False)


def trace(
    where: Where,
    text: Annotated[str | None, typer.Option("--text", help="the text to look up")] = None,
    file: Annotated[Path | None, typer.Option("--file", help="a file that holds it")] = None,
    min_tokens: Annotated[int, typer.Option(min=1)] = 6,
    workspace: WorkspaceFolder = None,
    json: AsJson = False,
) -> None:
    """The longest spans of a text that stand verbatim in the training data, with their documents."""
    if (text is None) == (file is None):
        raise InputError("give the text once", remedy="either --text TEXT or --file FILE")
    asked = text if text is not None else read(file)
    artifacts = index(where, workspace, "trace")
    spans = part("freehold.stages.trace.query:trace")(
        artifacts["trace"].path, artifacts["tokenize"].path, asked, min_tokens=min_tokens
    )
    if json:
        show.machine({"figures": {"spans": [asdict(span) for span in spans]}, "next": None})
        return
    print_spans(spans)


def read(file: Path | None) -> str:
    """The text of a file. Raises InputError."""
    assert file is not None
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read: {error}", where=str(file)) from None


def print_spans(spans: Any) -> None:
    """Spans with their documents."""
    if not spans:
        show.out.print("no span of this text stands verbatim in the training data", markup=False)
    for span in spans:
        show.out.print(f"“{span.text.strip()}”", style="bold", markup=False)
        show.out.print(f"   {span.tokens} tokens, {span.count} times in the training data", markup=False)
        for document in span.documents[:3]:
            cited = f"   [{document.language} · {document.licence} · {document.id}]"
            show.out.print(cited, style="cyan", markup=False)


def lineage(
    where: Annotated[
        str, typer.Argument(help="a charter, a release, the digest of an artifact or of weights, or a document's id")
    ],
    svg: Annotated[Path | None, typer.Option(help="draw it into this file", show_default=False)] = None,
    workspace: WorkspaceFolder = None,
    json: AsJson = False,
) -> None:
    """The story both ways: from weights back to their sources, from a document on to the steps that learned it."""
    home = home_of(where, workspace)
    found = part("freehold.stages.lineage.story:story")(home, where, log=home.folder.parent / part("freehold.charter_file:LOG"))
    if svg is not None:
        draw(svg, part("freehold.stages.lineage.drawing:drawing")(found))
    if json:
        show.machine({"figures": found, "next": None})
        return
    for line in part("freehold.stages.lineage.story:lines")(found):
        show.out.print(line, markup=False)


def draw(path: Path, data: bytes) -> None:
    """Write a drawing. Raises InputError where it cannot be."""
    try:
        path.write_bytes(data)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", where=str(path)) from None


def home_of(where: str, workspace: Path | None) -> Workspace:
    """The workspace a question is about: of the named place if it exists, else around the current folder."""
    place = Path(where)
    if is_charter(place):
        return opened(place, workspace)[1]
    return workspace_of(place if place.exists() else Path.cwd(), workspace)


def is_charter(place: Path) -> bool:
    """Whether a path is a charter or a folder with one."""
    return place.suffix == ".toml" or (place / "charter.toml").is_file()


def index(where: Path, workspace: Path | None, name: str) -> dict[str, Sealed]:
    """The artifacts an index verb reads, itself included; built first where it is missing and a charter is given."""
    step = STEPS[name]
    if is_charter(where):
        charter, home = opened(where, workspace)
        if part("freehold.stage:find")(home, charter, step) is None:
            advance(charter, home, step)
        found: Sealed = part("freehold.stage:find")(home, charter, step)
        return {name: found, **part("freehold.stage:inputs_of")(home, charter, step)}
    return of_release(where, workspace_of(where, workspace), name)


def of_release(release: Path, home: Workspace, name: str) -> dict[str, Sealed]:
    """The artifacts a release was made from, as far as this workspace still holds them, with the index over them."""
    statements = release / "evidence" / "steps"
    if not statements.is_dir():
        raise InputError("neither a charter nor a release", where=str(release), remedy="name one of the two")
    wanted = {}
    for path in statements.glob("*.intoto.json*"):
        statement = jsonlib.loads(path.read_bytes())
        wanted[statement["predicate"]["stage"]] = statement["subject"][0]["digest"]["sha256"]
    found = {}
    for stage in (name, *STEPS[name].needs):
        sealed = home.latest(stage)
        matches = sealed is not None and (
            (
                stage == name
                and all(
                    sealed.statement()["predicate"]["inputs"].get(need) == wanted.get(need)
                    for need in STEPS[name].needs
                )
            )
            or sealed.digest == wanted.get(stage)
        )
        if sealed is None or not matches:
            advice = f"ask with the charter instead: freehold {name} CHARTER …"
            raise InputError(
                f"the workspace holds no {stage} artifact of this release", where=str(home.folder), remedy=advice
            )
        found[stage] = sealed
    return found
