"""Charters over a few files, and documents that differ from one another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from freehold.stage import Stage

CHARTER = """
format = 1
[responsible]
name = "Test"
country = "DE"
{languages}
{sources}
[policy]
licences = ["public-domain-law", "CC0-1.0"]
opt_out = "{opt_out}"
{policy}
[curate]
min_characters = 80
held_out_bytes = {held_out_bytes}
{curate}
[train]
tokens = 1000
sequence = 64
batch_tokens = 512
[release]
name = "test"
"""


@pytest.fixture
def charter_of(tmp_path: Path) -> Callable[..., Path]:
    """Write a charter: charter_of({"name": {"path": …, …}}, languages=[…], …) → its path."""

    def write(
        sources: dict[str, dict[str, str]],
        *,
        languages: tuple[str, ...] = ("deu",),
        opt_out: str = "none",
        held_out_bytes: int = 4000,
        curate: str = "",
        policy: str = "",
    ) -> Path:
        shares = [f'[[languages]]\ncode = "{code}"\nshare = {1 / len(languages):.6f}' for code in languages]
        tables = [
            "\n".join(["[[sources]]", *(f'{key} = "{value}"' for key, value in ({"name": name} | facts).items())])
            for name, facts in sources.items()
        ]
        path = tmp_path / "charter.toml"
        path.write_text(
            CHARTER.format(
                languages="\n".join(shares),
                sources="\n".join(tables),
                opt_out=opt_out,
                held_out_bytes=held_out_bytes,
                curate=curate,
                policy=policy,
            ),
            encoding="utf-8",
        )
        return path

    return write


@pytest.fixture
def curated_from(stage_at: Any, tmp_path: Path) -> Callable[[Path], Stage]:
    """Run the whole stage over a charter; gives the stage with its output."""
    from freehold.stages.curate.run import run

    numbers = iter(range(100))

    def curate(charter: Path) -> Stage:
        stage: Stage = stage_at(tmp_path / f"out{next(numbers)}" / "out", name="curate", charter=charter)
        run(stage)
        return stage

    return curate
