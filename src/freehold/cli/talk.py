"""Answers: the OpenAI-compatible server and the terminal chat."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from freehold.errors import InputError
from freehold.plugins import part

Release = Annotated[Path, typer.Argument(help="a release, or a Hugging Face folder", show_default=False)]


def add_to(app: typer.Typer) -> None:
    """Register this room's verbs."""
    app.command("serve")(serve)
    app.command("chat")(chat)


def serve(
    release: Release,
    engine: Annotated[str, typer.Option(help="embedded")] = "embedded",
    host: str = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8080,
) -> None:
    """Serve a release to OpenAI clients: /v1/models, /v1/completions, /v1/chat/completions."""
    if engine != "embedded":
        raise InputError(f"no engine is called {engine!r}", where="--engine", remedy="use embedded")
    part("freehold.stages.serve.run:serve")(release, host=host, port=port)


def chat(release: Release) -> None:
    """Talk to a release in the terminal."""
    part("freehold.stages.serve.chat:chat")(release)
