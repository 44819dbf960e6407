"""Hostile work ends in its own process, and the next job finds a new one."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.errors import FreeholdError
from freehold.stages.curate.confined import Confined, Fault
from freehold.stages.curate.markup import extract

HERE = f"{Path(__file__).stem}:misbehave"


def misbehave(data: bytes) -> object:
    """What the first word of the data asks for; runs in the confined process."""
    word = data.decode()
    if word == "spin":
        sum(iter(int, 1))  # never leaves C
    if word == "grow":
        return len(bytearray(1 << 40))
    if word == "die":
        os._exit(7)
    if word == "write":
        Path("written.txt").write_text("x")
    if word == "print":
        os.write(1, b"no answer")
    return {"pid": os.getpid(), "said": word}


@pytest.fixture
def prison(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Confined]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    confined = Confined(HERE, seconds=0.3, memory=1 << 30)
    yield confined
    if confined.process is not None:
        confined.process.kill()
        confined.process.wait()


def test_one_process_does_many_jobs(prison: Confined) -> None:
    first, second = prison.ask(b"a"), prison.ask(b"b")
    assert first["pid"] == second["pid"] != os.getpid()
    assert prison.ask(b"print")["said"] == "print"


@pytest.mark.parametrize(
    ("word", "reason"),
    [(b"spin", "parser-time"), (b"grow", "parser-memory"), (b"die", "parser-crash")],
)
def test_what_takes_too_much_is_a_fault(prison: Confined, word: bytes, reason: str) -> None:
    begun = time.process_time()
    fault = prison.ask(word)
    assert isinstance(fault, Fault)
    assert fault.reason == reason
    assert time.process_time() - begun < 1
    assert prison.ask(b"next")["said"] == "next"


def test_a_parser_that_cannot_start_is_no_fault_of_a_file() -> None:
    with pytest.raises(FreeholdError, match="does not start"):
        Confined("freehold.stages.curate.markup:no_such_part").ask(b"")


def test_nothing_is_written(prison: Confined, tmp_path: Path) -> None:
    prison.ask(b"write")
    written = tmp_path / "written.txt"
    assert not written.exists() or written.stat().st_size == 0


def test_a_page_nested_without_measure_costs_only_itself() -> None:
    good = "<html><body><article>" + "<p>Die Behörde entscheidet über den Antrag.</p>" * 9 + "</article></body></html>"
    assert extract("<div>" * 150_000 + "x").text != good
    assert "Behörde" in (extract(good).text or "")
    crowded = extract("<b>" * 300_000)
    assert (crowded.text, crowded.reason) == (None, "hostile-markup")
