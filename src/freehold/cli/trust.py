"""Trust: verify a release, sign one, make, show, rotate and revoke keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from freehold.cli import show
from freehold.cli.audit import REPLAY, Auditors, HoldingsFolder, OpenModel, Segments, replaying
from freehold.cli.options import AsJson, Sectioned
from freehold.errors import GateError, IncompleteError, InputError
from freehold.plugins import part

if TYPE_CHECKING:
    from freehold.stages.verify.asked import Asked
    from freehold.stages.verify.report import Report

RECORD, KEYS, RESCORE = "Proofs and withdrawals", "Keys and time", "Score answers again"
COLOURS = {"PASS": "green", "FAIL": "red", "NOT CHECKED": "yellow"}

keys = typer.Typer(help="Signing keys (ECDSA P-256).", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Register this room's verbs."""
    app.command("verify", cls=Sectioned)(verify_command)
    app.command("sign")(sign)
    app.add_typer(keys, name="keys")


def verify_command(
    release: Annotated[Path, typer.Argument(help="a release folder", show_default=False)],
    trust: Annotated[
        list[Path] | None, typer.Option(help="a public key you trust, or a folder of them; repeat for more")
    ] = None,
    threshold: Annotated[int | None, typer.Option(min=1, help="how many of them must have signed")] = None,
    document: Annotated[Path | None, typer.Option(help="is this text in it?", exists=True, dir_okay=False)] = None,
    html: Annotated[Path | None, typer.Option(help="write a certificate to this file")] = None,
    json: AsJson = False,
    proof: Annotated[
        Path | None, typer.Option(help="write the proof of the answer to --document here", rich_help_panel=RECORD)
    ] = None,
    earlier: Annotated[
        Path | None,
        typer.Option(
            help="a release or head.json from before: did the log of withdrawals only grow?", rich_help_panel=RECORD
        ),
    ] = None,
    statements: Annotated[
        list[Path] | None,
        typer.Option(
            help="rotations and revocations of keys: a file or a folder; repeat for more", rich_help_panel=KEYS
        ),
    ] = None,
    witness: Annotated[
        list[Path] | None,
        typer.Option(help="a public key you believe about time alone; repeat for more", rich_help_panel=KEYS),
    ] = None,
    replay: Annotated[
        int | None, typer.Option(min=1, help="recompute this many segments, drawn now", rich_help_panel=REPLAY)
    ] = None,
    segments: Segments = None,
    holdings: HoldingsFolder = None,
    base: OpenModel = None,
    auditor: Auditors = None,
    rescore: Annotated[
        int | None, typer.Option(min=1, help="let the weights give this many answers again", rich_help_panel=RESCORE)
    ] = None,
    packs: Annotated[
        Path | None, typer.Option(help="folder of the question packs, for --rescore", rich_help_panel=RESCORE)
    ] = None,
    draw: Annotated[
        str | None, typer.Option(help="repeat the random choice of an earlier --rescore", rich_help_panel=RESCORE)
    ] = None,
) -> None:
    """Check a release offline. Exit 0: everything held; 3: a check failed; 4: something was not checked."""
    further: dict[str, Any] = {"document": document, "proof": proof, "earlier": earlier}
    further |= {"rescore": rescore, "packs": packs, "draw": draw}
    asked = replaying(replay, segments, holdings, base, auditor, **further)
    verify(
        release,
        trust=trust or (),
        threshold=threshold,
        statements=statements or (),
        witnesses=witness or (),
        asked=asked,
        html=html,
        as_json=json,
    )


def verify(
    release: Path,
    *,
    trust: Sequence[Path],
    threshold: int | None = None,
    statements: Sequence[Path] = (),
    witnesses: Sequence[Path] = (),
    asked: Asked | None = None,
    html: Path | None = None,
    as_json: bool = False,
) -> None:
    """Print the checks of a release. Raises GateError or IncompleteError unless every applicable one passed."""
    report = part("freehold.stages.verify.run:verify")(
        release, trust=trust, threshold=threshold, statements=statements, witnesses=witnesses, asked=asked
    )
    if html is not None:
        part("freehold.stages.verify.__main__:keep")(html, report)
    if as_json:
        told = report.summary()
        show.machine({**told, "artifact": {"path": str(release), **told["artifact"]}})
    else:
        lines(report)
    if report.exit_code == GateError.exit_code:
        failed = next(check for check in report.checks if check.verdict == "FAIL")
        raise GateError(f"check {failed.number} failed: {failed.detail}")
    if report.exit_code == IncompleteError.exit_code:
        missing = next(check for check in report.checks if check.verdict == "NOT CHECKED")
        raise IncompleteError(f"check {missing.number} was not made: {missing.detail}")


def lines(report: Report) -> None:
    """The checks for people; what a release says of itself cannot steer the terminal."""
    plain = part("freehold.proof.shown:plain")
    for check in report.checks:
        verdict = f"[{COLOURS[check.verdict]}]{check.verdict:<11}[/]"
        show.out.print(f"{verdict} {check.number:>2} {check.name}", highlight=False)
        show.out.print(f"               {plain(check.detail)}", markup=False)


def sign(
    release: Annotated[Path, typer.Argument(help="a release folder", show_default=False)],
    key: Annotated[Path, typer.Option(help="your private key", show_default=False)],
    party: Annotated[str, typer.Option(help="your name, as the release's policy gives it", show_default=False)],
    witness: Annotated[
        bool, typer.Option("--witness", help="only attest that release and signatures were there now")
    ] = False,
    json: AsJson = False,
) -> None:
    """Add a party's signature to a release, or a witness's word on when it was there; every file is hashed first."""
    private = part("freehold.proof.signing.keys:load_private")(key)
    if witness:
        made = part("freehold.proof.parties.witness:testify")(release, name=party, key=private, time=datetime.now(UTC))
    else:
        made = part("freehold.proof.bundle:sign_bundle")(release, party=party, key=private)
    fingerprint = part("freehold.proof.signing.keys:fingerprint")(private.public_key())
    found = {"artifact": {"path": str(made)}, "figures": {"party": party, "key": fingerprint}}
    show.result(found, as_json=json, following=f"freehold verify {release} --trust {key.with_suffix('.pub')}")


@keys.command("new")
def new(
    name: Annotated[str, typer.Argument(help="whose key: the party that signs")],
    folder: Annotated[Path, typer.Option(help="where the key goes")] = Path(".freehold/keys"),
    json: AsJson = False,
) -> None:
    """Make a key pair: NAME.key stays secret, NAME.pub is for everyone."""
    made = part("freehold.proof.signing.keys:new_pair")(folder, name)
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
    fingerprint = part("freehold.proof.signing.keys:fingerprint")(part("freehold.proof.signing.keys:load_public")(key))
    show.result(
        {"artifact": {"path": str(key), "digest": fingerprint}, "figures": {"sha256": fingerprint}}, as_json=json
    )


@keys.command("rotate")
def rotate(
    old: Annotated[Path, typer.Argument(help="the private key that hands over", show_default=False)],
    new: Annotated[Path, typer.Argument(help="the private key that takes its place", show_default=False)],
    json: AsJson = False,
) -> None:
    """Let a new key speak for an old one: a statement signed by both, beside the new key, for verify --statements."""
    load = part("freehold.proof.signing.keys:load_private")
    said = part("freehold.proof.parties.key_statements:rotate")(old=load(old), new=load(new), date=datetime.now(UTC))
    state(new.with_suffix(".rotation.json"), said, as_json=json)


@keys.command("revoke")
def revoke(
    key: Annotated[Path, typer.Argument(help="the private key that counts no more", show_default=False)],
    reason: Annotated[str, typer.Option(help="why, for everyone to read", show_default=False)],
    since: Annotated[
        datetime | None, typer.Option(help="from when on, in UTC; default: now", show_default=False)
    ] = None,
    json: AsJson = False,
) -> None:
    """End a key: what it signed counts no more, unless a witness saw it before. For verify --statements."""
    moment = datetime.now(UTC) if since is None else since.replace(tzinfo=UTC)
    private = part("freehold.proof.signing.keys:load_private")(key)
    said = part("freehold.proof.parties.key_statements:revoke")(private, reason=reason, since=moment)
    state(key.with_suffix(".revocation.json"), said, as_json=json)


def state(path: Path, data: bytes, *, as_json: bool) -> None:
    """Keep a statement about a key in a file of its own. Raises InputError where one is kept already."""
    if path.exists() or path.is_symlink():
        raise InputError("a statement is already there and is never overwritten", where=str(path), remedy="move it")
    part("freehold.proof.signing.keys:write_new")(path, data, mode=0o644)
    found = {"artifact": {"path": str(path)}, "figures": {"bytes": len(data)}}
    show.result(found, as_json=as_json, following=f"freehold verify RELEASE --trust KEY --statements {path}")
