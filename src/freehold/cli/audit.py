"""Audit: a second party computes segments of a release's training again, and signs that they hold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from freehold.cli import show
from freehold.cli.options import AsJson
from freehold.plugins import part

if TYPE_CHECKING:
    from freehold.stages.verify.asked import Asked

REPLAY = "Compute training again"
Segments = Annotated[
    str | None,
    typer.Option("--segments", help="recompute these, such as train:3,refine:1", rich_help_panel=REPLAY),
]
HoldingsFolder = Annotated[
    Path | None,
    typer.Option(
        "--holdings",
        help="the workspace with tokens and checkpoints; default: .freehold here or around it",
        rich_help_panel=REPLAY,
    ),
]
OpenModel = Annotated[
    Path | None,
    typer.Option("--base", help="the folder of the open model that training began with", rich_help_panel=REPLAY),
]
Auditors = Annotated[
    list[Path] | None,
    typer.Option(
        "--auditor", help="a public key whose countersignatures you trust; repeat for more", rich_help_panel=REPLAY
    ),
]


def add_to(app: typer.Typer) -> None:
    """Register this room's verb."""
    app.command("countersign")(countersign)


def replaying(
    replay: int | None,
    segments: str | None,
    holdings: Path | None,
    base: Path | None,
    auditors: Sequence[Path] | None = None,
    **further: Any,
) -> Asked:
    """What the options of a call ask about a replay. Raises InputError for words that name no segments."""
    named = part("freehold.proof.replays:parse_names")(segments) if segments is not None else ()
    asked: Asked = part("freehold.stages.verify.asked:Asked")(
        replay=replay, segments=named, holdings=holdings, base=base, auditors=tuple(auditors or ()), **further
    )
    return asked


def countersign(
    release: Annotated[Path, typer.Argument(help="a release folder", show_default=False)],
    key: Annotated[Path, typer.Option(help="the private key to sign with", show_default=False)],
    party: Annotated[str, typer.Option(help="who countersigns", show_default=False)],
    segments: Segments = None,
    replay: Annotated[int | None, typer.Option(min=1, help="recompute this many segments, drawn now")] = None,
    holdings: HoldingsFolder = None,
    base: OpenModel = None,
    trust: Annotated[list[Path] | None, typer.Option(help="a public key that must have signed the release")] = None,
    threshold: Annotated[int | None, typer.Option(min=1, help="how many of them must have signed")] = None,
    json: AsJson = False,
) -> None:
    """Verify a release, compute segments of its training again, and sign that they hold."""
    signer = part("freehold.proof.signing.keys:load_private")(key)
    asked = replaying(replay, segments, holdings, base)
    made = part("freehold.stages.verify.countersign:countersign")(
        release, party=party, key=signer, asked=asked, time=datetime.now(UTC), trust=trust or (), threshold=threshold
    )
    segments_told = part("freehold.stages.verify.countersign:rows")(made.replayed.outcomes)
    figures = {"segments": segments_told, "stack_differs": list(made.replayed.differs), "seed": made.seed}
    found = {"artifact": {"path": str(made.path)}, "figures": figures}
    show.result(found, as_json=json, following=f"freehold verify {release} --auditor {key.with_suffix('.pub')}")
