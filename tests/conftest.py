"""Fixtures that every room of the tests shares: a charter so small that the whole journey takes a minute."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest

from freehold.plugins import silence

silence()

pytest_plugins = ("object_store",)

REPOSITORY = Path(__file__).resolve().parent.parent
COMMONS = REPOSITORY / "examples" / "commons"

TINY = """
format = 1
[responsible]
name = "Tiny Town"
country = "DE"
[[languages]]
code = "deu"
share = 0.6
[[languages]]
code = "jpn"
share = 0.4
[[sources]]
name = "deu-law"
path = "deu.jsonl"
origin = "https://example.org/deu"
licence = "public-domain-law"
statute = "UrhG § 5 Abs. 1 (DE)"
language = "deu"
[[sources]]
name = "jpn-law"
path = "jpn.jsonl"
origin = "https://example.org/jpn"
licence = "public-domain-law"
language = "jpn"
[policy]
licences = ["public-domain-law"]
[curate]
held_out_bytes = 6000
[tokenizer]
vocabulary = 700
sample_bytes = 400_000
[model]
depth = 1
[train]
tokens = 24_576
sequence = 64
batch_tokens = 512
checkpoint_steps = 8
precision = "fp32"
compile = false
[refine]
instructions = "instructions.jsonl"
[evaluate]
packs = ["pack.jsonl"]
completions = 1
[release]
name = "tiny"
"""


def documents(language: str, *, count: int, limit: int = 6000) -> list[dict[str, object]]:
    """The first `count` short documents of the example's shard for a language."""
    import zstandard

    found: list[dict[str, object]] = []
    with (COMMONS / "data" / f"{language}-law.jsonl.zst").open("rb") as file:
        reader = zstandard.ZstdDecompressor(max_window_size=2**27).stream_reader(file)
        text = reader.read(60_000_000).decode()
    for line in text.splitlines():
        row = json.loads(line)
        if 600 < len(row["text"]) < limit:
            found.append(row)
        if len(found) == count:
            break
    return found


def write_lines(path: Path, rows: list[dict[str, object]]) -> None:
    """JSON lines."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture(scope="session")
def tiny_source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny charter over a few dozen real documents of law; do not change it: copy it."""
    folder = tmp_path_factory.mktemp("tiny")
    for language in ("deu", "jpn"):
        write_lines(folder / f"{language}.jsonl", documents(language, count=40))
    lines = (COMMONS / "instructions.jsonl").read_text(encoding="utf-8").splitlines()[:12]
    (folder / "instructions.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    pack = (COMMONS / "packs" / "citizenship.jsonl").read_text(encoding="utf-8").splitlines()[:6]
    (folder / "pack.jsonl").write_text("\n".join(pack) + "\n", encoding="utf-8")
    (folder / "charter.toml").write_text(TINY, encoding="utf-8")
    return folder


@pytest.fixture
def tiny(tiny_source: Path, tmp_path: Path) -> Path:
    """The path of a tiny charter in a folder of the test's own."""
    return Path(shutil.copytree(tiny_source, tmp_path / "town")) / "charter.toml"


@pytest.fixture(scope="session")
def town(tiny_source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The charter of a town whose journey has ended without disturbance; do not change it: copy it."""
    charter = Path(shutil.copytree(tiny_source, tmp_path_factory.mktemp("calm") / "town")) / "charter.toml"
    text = charter.read_text(encoding="utf-8").replace("checkpoint_steps = 8", "checkpoint_steps = 8\nkeep_every = 16")
    charter.write_text(text, encoding="utf-8")
    begun = time.monotonic()
    command = [sys.executable, "-m", "freehold.cli.main", "run", str(charter)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - begun < 120
    return charter


@pytest.fixture(scope="session")
def lean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `cryptography` and what it needs, as a bare Python would find them."""
    folder, site = tmp_path_factory.mktemp("lean"), Path(sysconfig.get_path("platlib"))
    for name in ("cryptography", "cffi", *(path.name for path in site.glob("_cffi_backend*.so"))):
        if (site / name).exists():
            (folder / name).symlink_to(site / name)
    return folder
