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

MOST_CHARACTERS = 1_000_000  # of a text that is traced
WITHDRAWALS = "evidence/withdrawals/log.jsonl"  # of a release
POLICY = "evidence/policy.json"

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
    if not asked.strip():
        raise InputError("the text is empty", remedy="give the words to look up")
    if len(asked) > MOST_CHARACTERS:
        message = f"the text has {len(asked):,} characters; at most {MOST_CHARACTERS:,} are answered at once"
        raise InputError(message, where=str(file) if file else None, remedy="ask about its parts")
    artifacts = index(where, workspace, "trace", beside="train")
    trained = artifacts.get("train")
    spans = part("freehold.stages.trace.query:trace")(
        artifacts["trace"].path,
        artifacts["tokenize"].path,
        asked,
        min_tokens=min_tokens,
        withdrawn=withdrawn(where, workspace),
        train_folder=trained.path if trained else None,
    )
    if json:
        show.machine({"figures": {"spans": [asdict(span) for span in spans]}, "next": None})
        return
    print_spans(spans)


def withdrawn(where: Path, workspace: Path | None) -> frozenset[str]:
    """Ids of the documents whose text is shown to nobody any more, by the log of a charter or in a release."""
    log = opened(where, workspace)[0].withdrawals if is_charter(where) else where / WITHDRAWALS
    entries = part("freehold.proof.log.withdrawals:read")(log if log and log.is_file() else None)
    found: frozenset[str] = part("freehold.proof.log.withdrawals:tombstones")(entries)
    return found


def read(file: Path | None) -> str:
    """The text of a file. Raises InputError."""
    assert file is not None
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read: {error}", where=str(file)) from None


def print_spans(spans: Any) -> None:
    """Spans with their documents, and what stands around them there."""
    if not spans:
        show.out.print("no span of this text stands verbatim in the training data", markup=False)
    for span in spans:
        show.out.print(f"“{span.text.strip()}”", style="bold", markup=False)
        places = "1 place" if span.count == 1 else f"{span.count:,} places"
        show.out.print(f"   {span.tokens} tokens, {places} in the training data", markup=False)
        for document in span.documents[:3]:
            cited = f"   [{document.language} · {document.licence} · {document.id}] token {document.position}"
            show.out.print(f"{cited}{learned(document)}", style="cyan", markup=False)
            around = "withdrawn: its text is not shown" if document.withdrawn else surroundings(document)
            show.out.print(f"   {around}", style="dim", markup=False)


def learned(document: Any) -> str:
    """How often training read a document's place, where that is known."""
    return "" if document.learned is None else f", learned {document.learned} times"


def surroundings(document: Any) -> str:
    """What stands before and after a span in a document, on one line."""
    before, after = (" ".join(part.split()) for part in (document.before, document.after))
    return f"…{before[-60:]} “…” {after[:60]}…"


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
    found = part("freehold.stages.lineage.story:story")(
        home, where, log=home.folder.parent / part("freehold.charter_file:LOG")
    )
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


def index(where: Path, workspace: Path | None, name: str, *, beside: str | None = None) -> dict[str, Sealed]:
    """The artifacts an index verb reads, itself included; built first where it is missing and a charter is given.

    `beside` names a stage whose artifact comes too where it is there.
    """
    step = STEPS[name]
    if is_charter(where):
        charter, home = opened(where, workspace)
        if part("freehold.stage:find")(home, charter, step) is None:
            advance(charter, home, step)
        find = part("freehold.stage:find")
        found = {name: find(home, charter, step), **part("freehold.stage:inputs_of")(home, charter, step)}
        extra = find(home, charter, STEPS[beside]) if beside else None
        return found | ({beside: extra} if beside and extra else {})
    return of_release(where, workspace, name, beside=beside)


def of_release(release: Path, workspace: Path | None, name: str, *, beside: str | None = None) -> dict[str, Sealed]:
    """The artifacts a release was made from, as far as the workspace still holds them, with the index over them."""
    statements = release / "evidence" / "steps"
    if not statements.is_dir():
        raise InputError("neither a charter nor a release", where=str(release), remedy="name one of the two")
    wanted = {}
    for path in statements.glob("*.intoto.json*"):
        statement = jsonlib.loads(path.read_bytes())
        wanted[statement["predicate"]["stage"]] = statement["subject"][0]["digest"]["sha256"]
    try:
        home = workspace_of(release, workspace)
    except InputError as error:
        raise InputError(error.message, where=error.where, remedy=who_can_answer(release)) from None
    needs = {need: wanted.get(need) for need in STEPS[name].needs}
    found = {need: held(home, need, subject=digest) for need, digest in needs.items()}
    found[name] = held(home, name, inputs=needs)
    for stage, sealed in found.items():
        if sealed is None:
            message = f"the workspace holds no {stage} artifact of this release"
            advice = f"freehold {name} CHARTER … builds it" if stage == name else who_can_answer(release)
            raise InputError(message, where=str(home.folder), remedy=advice)
    if beside:
        found[beside] = held(home, beside, subject=wanted.get(beside))
    return {stage: sealed for stage, sealed in found.items() if sealed is not None}


def held(
    home: Workspace, stage: str, *, subject: str | None = None, inputs: dict[str, Any] | None = None
) -> Sealed | None:
    """The artifact of a stage with this digest, or made from these inputs, if the workspace has it."""
    for path in sorted((home.folder / "attestations" / stage).glob("*.intoto.json")):
        sealed = home.find(stage, path.name.removesuffix(".intoto.json"))
        if sealed is None:
            continue
        if inputs is None:
            fits = sealed.digest == subject
        else:
            predicate = sealed.statement()["predicate"]
            fits = predicate["inputs"] == inputs and predicate["format"] == STEPS[stage].format
        if fits:
            return sealed
    return None


def who_can_answer(release: Path) -> str:
    """Whom to ask about the text behind a release that is not here: the parties that its policy names."""
    policy = release / POLICY
    parties = sorted(jsonlib.loads(policy.read_bytes())["parties"]) if policy.is_file() else []
    named = f" ({', '.join(parties)})" if parties else ""
    return (
        f"a release carries no training text: who published it{named} can answer, or a server that they run; "
        "whoever holds the workspace names it with --workspace"
    )
