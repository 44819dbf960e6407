"""The verifier by itself: `python3 verify.pyz [RELEASE] --trust KEY`, or `python -m freehold.stages.verify`.

It needs Python 3.11 or later and `cryptography`, opens no connection, and looks at the release that it lies in when
none is named. A verifier that comes with what it checks can lie about it: for a verdict that counts, take it from
somewhere else.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from freehold import __version__
from freehold.errors import FreeholdError, InputError
from freehold.proof.bundle import VERIFIER
from freehold.proof.shown import plain
from freehold.proof.writing import write
from freehold.stages.verify.asked import Asked
from freehold.stages.verify.certificate import certificate
from freehold.stages.verify.report import Report
from freehold.stages.verify.run import verify


def main(arguments: Sequence[str] | None = None) -> int:
    """Check what the arguments name. Exit 0: all held; 2: bad input; 3: a check failed; 4: not all was checked."""
    options = parser().parse_args(arguments)
    try:
        report = verify(
            options.release or around(Path(sys.argv[0])),
            trust=options.trust,
            threshold=options.threshold,
            statements=options.statements,
            witnesses=options.witness,
            asked=Asked(document=options.document, proof=options.proof, earlier=options.earlier),
        )
        if options.html is not None:
            keep(options.html, report)
    except FreeholdError as error:
        print(f"error: {plain(str(error))}", file=sys.stderr)
        return error.exit_code
    print(json.dumps(report.summary()) if options.json else told(report))
    return report.exit_code


def parser() -> argparse.ArgumentParser:
    """The options, the same as those of `freehold verify` as far as they need nothing else installed."""
    made = argparse.ArgumentParser(prog="verify", description="Check a Freehold release offline.", allow_abbrev=False)
    made.add_argument("release", nargs="?", type=Path, help="a release folder; default: the one this file lies in")
    made.add_argument("--trust", type=Path, action="append", default=[], help="a public key, or a folder of them")
    made.add_argument("--threshold", type=int, help="how many of them must have signed; default: all")
    made.add_argument("--statements", type=Path, action="append", default=[], help="rotations and revocations of keys")
    made.add_argument("--witness", type=Path, action="append", default=[], help="a key believed about time alone")
    made.add_argument("--document", type=Path, help="is this text in it?")
    made.add_argument("--proof", type=Path, help="write the proof of that answer here")
    made.add_argument("--earlier", type=Path, help="a release or head.json from before: did withdrawals only grow?")
    made.add_argument("--json", action="store_true", help="one JSON object on stdout")
    made.add_argument("--html", type=Path, help="write a certificate to this file")
    made.add_argument("--version", action="version", version=__version__)
    return made


def around(program: Path) -> Path:
    """The release that the program lies in. Raises InputError where it lies in none."""
    place = program.resolve()
    depth = len(Path(VERIFIER).parts)
    if place.is_file() and place.parts[-depth:] == Path(VERIFIER).parts:
        return place.parents[depth - 1]
    raise InputError("which release?", remedy="name its folder")


def keep(path: Path, report: Report) -> None:
    """Write the certificate; the time on it is this machine's. Raises InputError if it cannot be written."""
    try:
        write(path, certificate(report, at=datetime.now(UTC), verifier=f"Freehold {__version__}"))
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", where=str(path)) from None


def told(report: Report) -> str:
    """The checks as lines for people."""
    rows = [
        f"{check.verdict:<11} {check.number:>2} {check.name}\n               {plain(check.detail)}"
        for check in report.checks
    ]
    return "\n".join([*rows, report.verdict])


if __name__ == "__main__":
    sys.exit(main())
