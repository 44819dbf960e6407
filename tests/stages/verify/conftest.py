"""A sound release, copies of it to damage, and forgeries that are signed with a trusted key."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from freehold.proof.signing import keys
from freehold.proof.signing.keys import KeyFiles

from .releases import Recipe, build


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, KeyFiles]:
    folder = tmp_path_factory.mktemp("keys")
    return {name: keys.new_pair(folder, name) for name in ("ministry", "archive", "stranger")}


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory, pairs: dict[str, KeyFiles]) -> Path:
    """A release that holds, signed by ministry and archive; not to be written to."""
    signers = {name: pairs[name] for name in ("ministry", "archive")}
    return build(tmp_path_factory.mktemp("sound") / "tiny-0.1.0", Recipe(), signers)


@pytest.fixture
def release(sound: Path, tmp_path: Path) -> Path:
    """A copy of the sound release, to be damaged."""
    return shutil.copytree(sound, tmp_path / "tiny-0.1.0")


@pytest.fixture
def forge(tmp_path: Path, pairs: dict[str, KeyFiles]) -> Callable[..., Path]:
    """Build a release whose meaning is wrong and sign all of it with the trusted key."""

    def make(**changed: Any) -> Path:
        return build(tmp_path / "forged", Recipe(**changed), {"ministry": pairs["ministry"]})

    return make
