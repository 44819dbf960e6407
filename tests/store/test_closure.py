from __future__ import annotations

from pathlib import Path

import pytest

from freehold.store import closure


def test_the_code_digest_covers_cpp_beside_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "freehold"
    (package / "swift").mkdir(parents=True)
    (package / "swift" / "__init__.py").write_text("")
    (package / "slow.py").write_text("import freehold.swift")
    monkeypatch.setattr(closure, "PACKAGE", package)
    closure.imports_of.cache_clear()
    digests = set()
    for name, text in (("a.cpp", "1"), ("a.cpp", "2"), ("b.hpp", "1"), ("notes.txt", "1")):
        (package / "swift" / name).write_text(text)
        digests.add(closure.code_digest("freehold.slow"))
    closure.imports_of.cache_clear()
    assert len(digests) == 3
