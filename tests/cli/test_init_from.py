"""A folder of one's own becomes a curated corpus by two commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "stages" / "curate"))

import made_files as made
from legal_prose import prose

from freehold.charter_file import load
from freehold.errors import InputError


def freehold(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "freehold.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=home, env=os.environ.copy())


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    """German and Korean documents of four kinds, among them one that nobody can read."""
    folder = tmp_path / "papers"
    for name in ("gesetze", "buch", "kor"):
        (folder / name).mkdir(parents=True)
    for n in range(4):
        (folder / "gesetze" / f"{n}.html").write_bytes(made.html(prose("deu", n), title=f"Gesetz {n}"))
        (folder / "gesetze" / f"{n}.pdf").write_bytes(made.pdf([prose("deu", 10 + n)]))
        (folder / "buch" / f"{n}.epub").write_bytes(made.epub([prose("deu", 20 + n), prose("deu", 30 + n)]))
        (folder / "kor" / f"{n}.txt").write_text(prose("kor", n), encoding="utf-8")
    (folder / "gesetze" / "scan.png").write_bytes(b"\x89PNG")
    return folder


def test_from_a_folder_to_a_corpus(papers: Path, tmp_path: Path) -> None:
    home = tmp_path / "nation"
    home.mkdir()
    begun = freehold(home, "init", "--from", str(papers), "--licence", "public-domain-law", "--json")
    assert begun.returncode == 0, begun.stderr
    assert set(json.loads(begun.stdout)["figures"]["languages"]) == {"deu", "kor"}
    curated = freehold(home, "curate", "--json")
    assert curated.returncode == 0, curated.stderr
    figures = json.loads(curated.stdout)["figures"]
    assert figures["drops"] == {"unknown-format": 1}
    assert figures["documents_kept"] == 16
    assert min(figures["bytes"].values()) > 0


def test_without_evidence_nothing_runs_until_a_person_says_so(papers: Path, tmp_path: Path) -> None:
    home = tmp_path / "nation"
    home.mkdir()
    assert freehold(home, "init", "--from", str(papers)).returncode == 0
    written = (home / "charter.toml").read_text(encoding="utf-8")
    assert written.count('licence = ""  # FILL IN') == 3
    stopped = freehold(home, "curate")
    assert stopped.returncode == 2
    assert 'sources[0].licence: nobody has said how the texts of "buch" may be used' in stopped.stderr
    assert not (home / ".freehold" / "artifacts").exists()


def test_a_licence_file_is_evidence(papers: Path, tmp_path: Path) -> None:
    (papers / "kor" / "LICENSE").write_text("Attribution 4.0 International", encoding="utf-8")
    assert freehold(tmp_path, "init", "--from", str(papers / "kor")).returncode == 0
    (source,) = load(tmp_path / "charter.toml").sources
    assert (source.name, source.path, source.licence) == ("kor", "papers/kor", "CC-BY-4.0")


def test_loose_files_are_sources_by_kind(papers: Path, tmp_path: Path) -> None:
    (papers / "lose.txt").write_text(prose("deu", 90), encoding="utf-8")
    assert freehold(tmp_path, "init", "--from", str(papers), "--licence", "CC0-1.0").returncode == 0
    charter = load(tmp_path / "charter.toml")
    assert {source.name: source.path for source in charter.sources} == {
        "buch": "papers/buch", "gesetze": "papers/gesetze", "kor": "papers/kor", "papers-txt": "papers/*.txt",
    }  # fmt: skip


def test_what_says_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("…", encoding="utf-8")
    asked = freehold(tmp_path, "init", "--from", "x.txt")
    assert (asked.returncode, "tells its language" in asked.stderr) == (2, True)
    assert "no identifier" in freehold(tmp_path, "init", "--licence", "free for all").stderr
    with pytest.raises(InputError):
        load(tmp_path)
