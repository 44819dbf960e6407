"""Trust: verify a release, make and show keys."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from freehold.cli import show
from freehold.cli.options import AsJson
from freehold.errors import GateError, IncompleteError
from freehold.plugins import part

if TYPE_CHECKING:
    from freehold.stages.verify.asked import Asked

COLOURS = {"PASS": "green", "FAIL": "red", "NOT CHECKED": "yellow"}

keys = typer.Typer(help="Signing keys (ECDSA P-256).", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Register this room's verbs."""
    app.command("verify")(verify_command)
    app.add_typer(keys, name="keys")


def verify_command(
    release: Annotated[Path, typer.Argument(help="a release folder", show_default=False)],
    trust: Annotated[
        list[Path] | None, typer.Option(help="a public key you trust, or a folder of them; repeat for more")
    ] = None,
    threshold: Annotated[int | None, typer.Option(min=1, help="how many of them must have signed")] = None,
    document: Annotated[Path | None, typer.Option(help="is this text in it?")] = None,
    replay: Annotated[int | None, typer.Option(min=1, help="recompute this many segments")] = None,
    rescore: Annotated[int | None, typer.Option(min=1, help="let the weights give this many answers again")] = None,
    packs: Annotated[Path | None, typer.Option(help="folder of the question packs, for --rescore")] = None,
    draw: Annotated[str | None, typer.Option(help="repeat the random choice of an earlier --rescore")] = None,
    json: AsJson = False,
) -> None:
    """Check a release offline. Exit 0: everything held; 3: a check failed; 4: something was not checked."""
    asked = part("freehold.stages.verify.asked:Asked")(
        document=document, replay=replay, rescore=rescore, packs=packs, draw=draw
    )
    verify(release, trust=trust or (), threshold=threshold, asked=asked, as_json=json)


def verify(
    release: Path,
    *,
    trust: Sequence[Path],
    threshold: int | None = None,
    asked: Asked | None = None,
    as_json: bool = False,
) -> None:
    """Print the checks of a release. Raises GateError or IncompleteError unless every applicable one passed."""
    report = part("freehold.stages.verify.run:verify")(release, trust=trust, threshold=threshold, asked=asked)
    checks = [
        {"number": check.number, "name": check.name, "verdict": check.verdict, "detail": check.detail}
        for check in report.checks
    ]
    if as_json:
        show.machine({"artifact": {"path": str(release)}, "figures": {"checks": checks}, "next": None})
    else:
        for check in report.checks:
            verdict = f"[{COLOURS[check.verdict]}]{check.verdict:<11}[/]"
            show.out.print(f"{verdict} {check.number:>2} {check.name}", highlight=False)
            show.out.print(f"               {check.detail}", markup=False)
    if report.exit_code == GateError.exit_code:
        failed = next(check for check in report.checks if check.verdict == "FAIL")
        raise GateError(f"check {failed.number} failed: {failed.detail}")
    if report.exit_code == IncompleteError.exit_code:
        missing = next(check for check in report.checks if check.verdict == "NOT CHECKED")
        raise IncompleteError(f"check {missing.number} was not made: {missing.detail}")


@keys.command("new")
def new(
    name: Annotated[str, typer.Argument(help="whose key: the party that signs")],
    folder: Annotated[Path, typer.Option(help="where the key goes")] = Path(".freehold/keys"),
    json: AsJson = False,
) -> None:
    """Make a key pair: NAME.key stays secret, NAME.pub is for everyone."""
    made = part("freehold.proof.keys:new")(folder, name)
    found = {
        "artifact": {"path": str(made.public), "digest": made.fingerprint},
        "figures": {"private": str(made.private)},
    }
    show.result(found, as_json=json, following="freehold release CHARTER")


@keys.command("show")
def show_key(
    key: Annotated[Path, typer.Argument(help="a public key file", show_default=False)],
    json: AsJson = False,
) -> None:
    """The fingerprint of a key: compare it by voice before you trust it."""
    fingerprint = part("freehold.proof.keys:fingerprint")(part("freehold.proof.keys:load_public")(key))
    show.result(
        {"artifact": {"path": str(key), "digest": fingerprint}, "figures": {"sha256": fingerprint}}, as_json=json
    )
