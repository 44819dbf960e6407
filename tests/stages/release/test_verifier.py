"""verify.pyz: equal bytes, nothing but what it needs, and at work where nothing else is installed."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from freehold.proof.bundle import VERIFIER
from freehold.stages.release.verifier import verifier
from freehold.store.workspace import Sealed


def test_its_bytes_are_a_function_of_the_sources() -> None:
    assert verifier() == verifier()
    with zipfile.ZipFile(io.BytesIO(verifier())) as archive:
        names = archive.namelist()
        assert names == sorted(names)
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}


def test_it_holds_what_it_needs_and_nothing_more() -> None:
    with zipfile.ZipFile(io.BytesIO(verifier())) as archive:
        names = set(archive.namelist())
    assert {"__main__.py", "freehold/stages/verify/run.py", "freehold/proof/bundle.py"} <= names
    rooms = {name.split("/")[1] for name in names if name.count("/") > 1}
    assert rooms <= {"law", "page", "proof", "stages"}
    assert {name.split("/")[2] for name in names if name.startswith("freehold/stages/")} == {"__init__.py", "verify"}


def cut_off() -> list[str]:
    """The words that run a command without a network, where this system lets us."""
    words = ["unshare", "--user", "--map-root-user", "--net"]
    if shutil.which("unshare") is None or subprocess.run([*words, "true"], check=False, capture_output=True).returncode:
        return []
    return words


def bare(lean: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run Python with no site packages but `lean`, no network, no home, in an empty folder."""
    command = [*cut_off(), str(Path(sys.executable).resolve()), "-S", "-s", "-B", *map(str, arguments)]
    (lean / "empty").mkdir(exist_ok=True)
    environment = {"PYTHONPATH": str(lean), "PATH": os.defpath}
    return subprocess.run(
        command, check=False, capture_output=True, text=True, env=environment, cwd=lean / "empty", timeout=60
    )


def test_it_runs_on_a_bare_python_and_finds_its_own_release(town: Path, lean: Path, tmp_path: Path) -> None:
    home = town.parent / ".freehold"
    (key,), (release,) = (home / "keys").glob("*.pub"), (home / "artifacts" / "release").iterdir()
    program = release / VERIFIER
    done = bare(lean, program, "--trust", key, "--html", tmp_path / "page.html")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every check passed" in done.stdout
    assert (tmp_path / "page.html").read_bytes().startswith(b"<!doctype html>")
    done = bare(lean, program, release, "--json")
    assert done.returncode == 4
    found = json.loads(done.stdout)
    assert {check["verdict"] for check in found["figures"]["checks"]} == {"PASS", "NOT CHECKED"}
    (tmp_path / "text.txt").write_text("a text that nobody learned from")
    done = bare(lean, program, "--trust", key, "--document", tmp_path / "text.txt", "--proof", tmp_path / "proof.json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ABSENT" in done.stdout
    assert (tmp_path / "proof.json").is_file()
    assert not list(release.rglob("__pycache__")), "it leaves nothing in the release"


def test_it_sees_a_changed_byte_and_refuses_what_is_no_release(
    released: Sealed, shop, lean: Path, tmp_path: Path
) -> None:
    key = next((shop.workspace.folder / "keys").glob("*.pub"))
    forged = shutil.copytree(released.path, tmp_path / "forged")
    weights = forged / "model" / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    done = bare(lean, released.path / VERIFIER, forged, "--trust", key)
    assert done.returncode == 3
    assert f"byte {len(data) - 1:,}" in done.stdout
    alone = shutil.copy(released.path / VERIFIER, tmp_path / "verify.pyz")
    assert bare(lean, alone, "--trust", key).returncode == 2
    assert bare(lean, alone, tmp_path, "--trust", key).returncode == 2


def test_the_release_lists_it(released: Sealed) -> None:
    index = json.loads((released.path / "evidence" / "release.json").read_bytes())
    assert VERIFIER in index["files"]
    assert (released.path / VERIFIER).read_bytes() == verifier()
