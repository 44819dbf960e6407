"""Withdraw: take documents out, as far as they can be taken out, and say how far that is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from freehold.cli import show
from freehold.cli.options import AsJson, CharterFile, DryRun, WorkspaceFolder, opened
from freehold.errors import InputError
from freehold.plugins import part

if TYPE_CHECKING:
    from freehold.charter import Charter
    from freehold.store.workspace import Workspace

SHOWN = 20  # documents listed one by one
FOLLOWING = {
    "W0": "freehold withdraw CHARTER … --level W1",
    "W1": "freehold run CHARTER, then freehold gc CHARTER",
    "W2": "freehold release CHARTER",
    "W3": "freehold run CHARTER",
}


def add_to(app: typer.Typer) -> None:
    """Register this room's verb."""
    app.command("withdraw")(withdraw)


def withdraw(
    charter: CharterFile,
    document: Annotated[str | None, typer.Option(help="the document's id", show_default=False)] = None,
    digest: Annotated[
        str | None, typer.Option(help="SHA-256 of its text, of its key or of its file", show_default=False)
    ] = None,
    source: Annotated[str | None, typer.Option(help="every document of this source", show_default=False)] = None,
    url: Annotated[
        str | None, typer.Option(help="every document of these addresses: a beginning, or a pattern with *")
    ] = None,
    file: Annotated[Path | None, typer.Option(help="a file that holds its text", show_default=False)] = None,
    level: Annotated[
        str, typer.Option(help="W0 received, W1 not in future builds, W2 not said in serving, W3 not in the weights")
    ] = "W1",
    reason: Annotated[str, typer.Option(help="why: it is published", show_default=False)] = "",
    by: Annotated[str, typer.Option(help="who asked: a role, no person's name; it is published")] = "not said",
    workspace: WorkspaceFolder = None,
    dry_run: DryRun = False,
    json: AsJson = False,
) -> None:
    """Withdraw documents: show what will happen and what it costs, and sign it into the log of withdrawals."""
    declared, home = opened(charter, workspace)
    request = part("freehold.stages.withdraw.resolve:request_of")(
        document=document, digest=digest, source=source, url=url, file=file
    )
    sign = None if dry_run else signer(declared, home, reason=reason)
    plan = part("freehold.stages.withdraw.plan:plan")(home, declared.withdrawals, request, level=level)
    if level == "W3" and plan.documents:
        plan = replace(plan, cost=replayed(declared, home, plan))
    if not json:
        print_plan(plan)
    entry = None if sign is None else written(declared, plan, reason=reason, by=by, key=sign)
    following = FOLLOWING[level].replace("CHARTER", str(charter)) if plan.documents and not dry_run else None
    figures = {**plan.told(), "entry": None if entry is None else entry.number}
    if json:
        show.machine({"figures": figures, "next": following})
    elif entry is not None:
        show.out.print(f"wrote entry {entry.number} of {log_of(declared)}, signed by {entry.keyid[:16]}", markup=False)
        show.out.print(f"next  {following}", markup=False)
    elif not plan.documents:
        show.out.print("nothing to do: all of it stands in the log at this level", markup=False)


def signer(declared: Charter, home: Workspace, *, reason: str) -> Any:
    """The key that will sign, asked for before anything is looked up. Raises InputError without a key or a reason."""
    if not reason.strip():
        raise InputError("an entry says why", where="--reason", remedy="give a reason; it is published")
    return part("freehold.stages.withdraw.plan:signing_key")(home, declared.responsible.name)


def written(declared: Charter, plan: Any, *, reason: str, by: str, key: Any) -> Any:
    """The plan's entry, signed and in the log; None where nothing of it is new."""
    today = datetime.now(UTC).date().isoformat()
    write_down = part("freehold.stages.withdraw.plan:write_down")
    return write_down(plan, log_of(declared), reason=reason, by=by, date=today, key=key)


def log_of(declared: Charter) -> Path:
    """Where the log stands or will stand."""
    return declared.withdrawals or declared.folder / part("freehold.charter_file:LOG")


def replayed(declared: Charter, home: Workspace, plan: Any) -> dict[str, Any]:
    """What leaving the weights costs, as the train stage reckons it. Raises InputError where it cannot be had."""
    ids = [one.id for one in plan.documents]
    cost = part("freehold.stages.train.price:cost")(charter=declared.path, workspace=home.folder, documents=ids)
    uses = {use.document: {"first_step": use.first_step, "steps": use.steps} for use in cost.uses}
    return {"verdict": cost.verdict, "uses": uses, "remains": list(cost.remains)}


def print_plan(plan: Any) -> None:
    """What will happen, for a person."""
    told, out = plan.told(), show.out
    out.print(f"{plan.level}: {told['promise']}", style="bold", markup=False)
    for one in told["documents"][:SHOWN]:
        out.print(f"  {one['id']}  [{one['source']} · {one['licence']} · {one['fate']}]", markup=False)
    if more := len(told["documents"]) - SHOWN:
        out.print(f"  and {more:,} more" if more > 0 else "", end="\n" if more > 0 else "", markup=False)
    for name in told["standing"][:SHOWN]:
        out.print(f"  {name}  stands at {plan.level} already", markup=False)
    if told["alike"] is None:
        out.print("too many documents to list what is like them", markup=False)
    for one in (told["alike"] or [])[:SHOWN]:
        share = "" if one["similarity"] is None else f", {one['similarity']:.0%} alike"
        out.print(f"  like {one['of']}: {one['id']} {one['fate']}{share}; it is not withdrawn with it", markup=False)
    if told["cost"]:
        out.print("cost", style="bold")
        show.figures(told["cost"])
    out.print(f"out of reach: {'; '.join(told['never'])}", markup=False)
