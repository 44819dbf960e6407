"""Pages that come from code are up to date."""

from __future__ import annotations

import importlib.util
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "docs"


def test_reference_pages_are_what_the_code_says() -> None:
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    assert (DOCS / "reference" / "cli.md").read_text() == generate.verbs(), "run make docs"
    assert (DOCS / "reference" / "charter.md").read_text() == generate.tables(), "run make docs"
