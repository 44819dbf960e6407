"""verify.pyz: the verifier and all of ours that it imports, as one file that a bare Python runs.

The layout is that of the standard library's `zipapp`. It is written here because its bytes must be a function of the
sources: members sorted, one date, stored and not compressed (compressors differ between versions).
"""

from __future__ import annotations

import io
import zipfile

from freehold.store.closure import PACKAGE, imports_of, source_of

ENTRY = "freehold.stages.verify.__main__"
MAIN = b"import sys\n\nfrom freehold.stages.verify.__main__ import main\n\nsys.exit(main())\n"
SHEBANG = b"#!/usr/bin/env python3\n"
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip can tell
TABLES = (".json", ".toml")  # what a package keeps beside its code


def verifier() -> bytes:
    """The file's bytes, equal for equal sources."""
    members = {"__main__.py": MAIN, **sources()}
    file = io.BytesIO(SHEBANG)
    file.seek(len(SHEBANG))
    with zipfile.ZipFile(file, "a", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            archive.writestr(member(name), members[name])
    return file.getvalue()


def member(name: str) -> zipfile.ZipInfo:
    """A member's head, the same on every system."""
    head = zipfile.ZipInfo(name, date_time=LONG_AGO)
    head.create_system = 3  # Unix
    head.external_attr = 0o644 << 16
    return head


def sources() -> dict[str, bytes]:
    """{name in the archive: bytes} of every module of ours that the verifier can reach, and of their tables."""
    found: dict[str, bytes] = {}
    for module in modules():
        source = source_of(module)
        assert source is not None
        beside = [path for path in source.parent.iterdir() if path.suffix in TABLES]
        for path in [source, *(beside if source.name == "__init__.py" else [])]:
            found[path.relative_to(PACKAGE.parent).as_posix()] = path.read_bytes()
    return found


def modules() -> set[str]:
    """The verifier's import closure, with the packages that its modules lie in."""
    pending, seen = [ENTRY], set[str]()
    while pending:
        name = pending.pop()
        if name in seen or source_of(name) is None:
            continue
        seen.add(name)
        pending += [*imports_of(name), name.rpartition(".")[0]]
    return seen
