"""evidence/law and evidence/bom: documents that law asks for, generated from the evidence that lies in the folder."""

from __future__ import annotations

from dataclasses import asdict

from freehold.law import facts, generate
from freehold.proof import writing
from freehold.stage import Stage


def write(stage: Stage) -> None:
    """Write what people declare, and everything that follows from it and from the gathered evidence."""
    charter, release = stage.charter, stage.output
    declared = generate.declared(
        release=asdict(charter.release), responsible=asdict(charter.responsible), statements=asdict(charter.law)
    )
    writing.write(release / facts.DECLARED, declared)
    paths = {path.relative_to(release).as_posix() for path in release.rglob("*") if path.is_file()}
    found = facts.read(lambda path: (release / path).read_bytes(), paths)
    for path, data in generate.generate(found).items():
        writing.write(release / path, data)
