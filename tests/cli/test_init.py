"""`freehold init` writes a charter that loads, from a template or from documents."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from freehold.charter_file import load


def init(*arguments: object, code: int = 0) -> str:
    """Run the verb; stdout, or stderr where it fails."""
    command = [sys.executable, "-m", "freehold.cli.main", "init", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done.stderr if code else done.stdout


def test_a_charter_from_documents_loads(tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "one.txt").write_text("Ein Dokument.")
    home = tmp_path / "nation"
    out = init(home, "--language", "deu", "--language", "kor", "--from", tmp_path / "papers",
               "--licence", "CC0-1.0", "--json")  # fmt: skip
    charter = load(Path(json.loads(out)["artifact"]["path"]))
    assert [language.code for language in charter.languages] == ["deu", "kor"]
    assert charter.files_of(charter.sources[0]) == ((tmp_path / "papers" / "one.txt").resolve(),)
    assert charter.release.name == "nation"


def test_three_languages_still_sum_to_one(tmp_path: Path) -> None:
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "one.txt").write_text("x")
    init(tmp_path, "--language", "deu", "--language", "kor", "--language", "jpn")
    assert len(load(tmp_path).languages) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--language", "de"], "no ISO 639-3 code"),
        (["--from", "nowhere"], "no such file or folder"),
        (["--from", "."], "no file we can read"),
    ],
)
def test_bad_arguments_are_refused_and_nothing_is_written(tmp_path: Path, arguments: list[str], message: str) -> None:
    (tmp_path / "empty").mkdir()
    arguments = [str(tmp_path / "empty") if argument == "." else argument for argument in arguments]
    assert message in init(tmp_path / "new", *arguments, code=2)
    assert not (tmp_path / "new").exists()


def test_a_charter_is_never_overwritten(tmp_path: Path) -> None:
    init(tmp_path)
    assert "already there" in init(tmp_path, code=2)
