"""Proofs: whether a document was learned from, checked by someone who has no release at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from freehold.cli import show
from freehold.cli.options import AsJson
from freehold.errors import IncompleteError
from freehold.plugins import part


def add_to(app: typer.Typer) -> None:
    """Register this room's verbs."""
    app.command("check-proof")(check_proof)


def check_proof(
    proof: Annotated[Path, typer.Argument(help="what `verify --document FILE --proof` wrote", show_default=False)],
    document: Annotated[Path, typer.Option(help="the document that it is about", show_default=False)],
    root: Annotated[str | None, typer.Option(help="root of the tree of documents, from someone you trust")] = None,
    json: AsJson = False,
) -> None:
    """Check that a document is in a release, or is not, without the release. Exit 3: the proof does not hold."""
    found = part("freehold.proof.tree.document_proof:check_files")(proof, document, root=root)
    show.result({"figures": found}, as_json=json)
    if root is None:
        advice = "give the root that the publisher tells, or that `freehold verify` printed"
        raise IncompleteError("the proof holds for the root it names, which was not checked", remedy=advice)
