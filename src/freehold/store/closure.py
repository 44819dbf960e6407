"""The digest of the code a stage runs: its module and everything of ours that it imports, statically.

A fix in serving must not retrain a model, so a stage's cache key holds the digest of its own import closure and
nothing else of the code base.
"""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent

# How a stage is handed its work, shown and run does not change what it makes; the values it is handed are in the key.
HANDED = {
    f"freehold.{name}"
    for name in (
        *("charter", "charter_file", "charter_tables", "engine", "errors", "journey", "plugins", "progress"),
        *("sight", "stage", "store"),
    )
}


def code_digest(module: str) -> str:
    """SHA-256 over the sources of `module` and its import closure inside the package, C++ and lists included."""
    total = hashlib.sha256()
    for name in sorted(closure_of(module)):
        for source in sources_of(name):
            total.update(f"{name}/{source.name}\0".encode() + hashlib.sha256(source.read_bytes()).digest())
    return total.hexdigest()


def closure_of(module: str) -> set[str]:
    """Our modules that decide what `module` makes: itself and everything it imports, directly or not."""
    pending, seen = [module], set[str]()
    while pending:
        name = pending.pop()
        if name in seen or name == PACKAGE.name or ".".join(name.split(".")[:2]) in HANDED or source_of(name) is None:
            continue
        seen.add(name)
        pending.extend(imports_of(name))
    return seen


def source_of(module: str) -> Path | None:
    """The file of one of our modules; None for anything else."""
    head, *rest = module.split(".")
    if head != PACKAGE.name:
        return None
    base = PACKAGE.joinpath(*rest)
    for candidate in (base.with_suffix(".py"), base / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


def sources_of(module: str) -> list[Path]:
    """The file of one of our modules; for a package also the C++ and the lists in TOML beside it."""
    source = source_of(module)
    assert source is not None
    beside = (path for path in source.parent.iterdir() if path.suffix in (".cpp", ".hpp", ".toml"))
    return [source, *(sorted(beside) if source.name == "__init__.py" else [])]


@cache
def imports_of(module: str) -> tuple[str, ...]:
    """Names of our modules that `module` imports anywhere in its source."""
    source = source_of(module)
    assert source is not None
    found: list[str] = []
    for node in ast.walk(ast.parse(source.read_bytes())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(name for name in found if source_of(name))
