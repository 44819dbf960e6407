"""A town that kept its checkpoints, its release, and the keys of those who sign it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from freehold.proof.signing import keys
from freehold.proof.signing.keys import KeyFiles
from freehold.stage import perform

from .towns import STAGES, released


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, KeyFiles]:
    folder = tmp_path_factory.mktemp("keys")
    return {name: keys.new_pair(folder, name) for name in ("ministry", "archive", "stranger")}


@pytest.fixture(scope="session")
def home(tiny_source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace of a town that trained 24 steps with a checkpoint kept at 8 and 16; not to be written to."""
    charter = Path(shutil.copytree(tiny_source, tmp_path_factory.mktemp("kept") / "town")) / "charter.toml"
    text = charter.read_text(encoding="utf-8").replace("tokens = 24_576", "tokens = 12_288\nkeep_every = 8")
    charter.write_text(text, encoding="utf-8")
    workspace = charter.parent / ".freehold"
    for stage in STAGES:
        run_folder = workspace / "runs" / stage
        perform(charter=str(charter), workspace=str(workspace), stage=stage, run_folder=str(run_folder))
    return workspace


@pytest.fixture(scope="session")
def sound(home: Path, pairs: dict[str, KeyFiles], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The town's release; not to be written to."""
    return released(home, tmp_path_factory.mktemp("sound") / "tiny-0.1.0", pairs["ministry"])


@pytest.fixture
def release(sound: Path, tmp_path: Path) -> Path:
    """A copy of the release."""
    return shutil.copytree(sound, tmp_path / "tiny-0.1.0")
