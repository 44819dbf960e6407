"""The program `freehold`: collects the verbs and turns our errors into messages and exit codes."""

from __future__ import annotations

import sys

import typer

from freehold.cli import ask, audit, care, found, guided, journey, proofs, talk, trust, tune, withdraw
from freehold.errors import FreeholdError
from freehold.proof.shown import plain

app = typer.Typer(
    name="freehold",
    help="Build, prove and serve your own language model, from documents to answers.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for room in (found, journey, tune, ask, trust, audit, proofs, withdraw, talk, guided, care):
    room.add_to(app)


def main() -> None:
    """Run one verb; every foreseeable trouble ends in one line on stderr and its exit code."""
    try:
        app(standalone_mode=True)
    except FreeholdError as error:
        print(f"freehold: {plain(str(error))} (exit {error.exit_code})", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("freehold: stopped; run the same command again to continue (exit 130)", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
