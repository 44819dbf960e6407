"""Bytes and files: whatever is changed, added, removed or swapped is refused and named."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freehold.errors import InputError
from freehold.proof import bundle
from freehold.proof.signing.keys import KeyFiles
from freehold.stages.verify.asked import Asked
from freehold.stages.verify.report import Report
from freehold.stages.verify.run import verify

from .releases import WEIGHTS, Recipe, build

MODEL = "model/model.safetensors"
MINISTRY = bundle.signature_path("ministry")


def verdicts(report: Report) -> dict[int, str]:
    return {check.number: check.verdict for check in report.checks}


def both(pairs: dict[str, KeyFiles]) -> list[Path]:
    return [pairs["ministry"].public, pairs["archive"].public]


def test_a_sound_release_passes(sound: Path, pairs: dict[str, KeyFiles]) -> None:
    report = verify(sound, trust=both(pairs))
    assert report.exit_code == 0
    assert verdicts(report) == dict.fromkeys((1, 2, 3, 4, 7, 8, 9), "PASS")
    assert json.loads(json.dumps(report.as_json()))[1]["name"] == "files"


def test_without_keys_the_signatures_are_not_checked(sound: Path) -> None:
    report = verify(sound)
    assert report.exit_code == 4
    assert verdicts(report) == {1: "NOT CHECKED", 2: "PASS", 3: "PASS", 4: "PASS", 7: "PASS", 8: "PASS", 9: "PASS"}


def test_what_is_asked_for_and_cannot_be_answered_is_said(sound: Path, pairs: dict[str, KeyFiles]) -> None:
    report = verify(sound, trust=both(pairs), asked=Asked(replay=3))
    assert report.exit_code == 4
    assert verdicts(report)[6] == "NOT CHECKED"


def flip(path: Path, offset: int, mask: int = 1) -> int:
    """Change one byte; what it was."""
    data = bytearray(path.read_bytes())
    was = data[offset]
    data[offset] ^= mask
    path.write_bytes(data)
    return was


def files_of(release: Path) -> list[str]:
    return sorted(str(path.relative_to(release)) for path in release.rglob("*") if path.is_file())


def test_a_flipped_byte_in_any_file_is_named(release: Path, pairs: dict[str, KeyFiles]) -> None:
    """Each file of the release, at both ends and in between: file, offset, byte found and byte signed."""
    chance = random.Random(5)
    for name in files_of(release):
        path = release / name
        size = path.stat().st_size
        for offset in sorted({0, size - 1, size // 2, chance.randrange(size)}):
            if name.endswith(".sigstore.json") and size - 110 < offset < size - 80:
                continue  # the digits of the signature are searched for; tests/proof has it once
            mask = chance.randrange(1, 256)
            was = flip(path, offset, mask)
            report = verify(release, trust=both(pairs))
            assert report.exit_code == 3, (name, offset)
            said = [str(found) for check in report.checks for found in check.findings]
            due = f"{name}: byte {offset:,}: found 0x{was ^ mask:02x}, signed 0x{was:02x}"
            assert any(due in line for line in said), (due, said)
            flip(path, offset, mask)
    assert verify(release, trust=both(pairs)).exit_code == 0


@given(data=st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_change_of_any_file_is_refused_and_the_file_named(
    release: Path, pairs: dict[str, KeyFiles], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(files_of(release)))
    path = release / name
    before = path.read_bytes()
    start = data.draw(st.integers(0, len(before)))
    end = data.draw(st.integers(start, min(len(before), start + 50)))
    after = before[:start] + data.draw(st.binary(max_size=50)) + before[end:]
    if after == before:
        return
    path.write_bytes(after)
    try:
        report = verify(release, trust=both(pairs))
        assert report.exit_code == 3
        assert name in {found.where for check in report.checks for found in check.findings}
    finally:
        path.write_bytes(before)


def plant(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")


EXTRA: dict[str, tuple[Callable[[Path], object], str]] = {
    "file": (lambda release: plant(release / "model/extra.bin"), "model/extra.bin"),
    "file at the root": (lambda release: plant(release / "setup.py"), "setup.py"),
    "git hook": (lambda release: plant(release / ".git/hooks/post-checkout"), ".git/hooks/post-checkout"),
    "git attributes": (lambda release: plant(release / ".gitattributes"), ".gitattributes"),
    "dot folder": (lambda release: plant(release / "model/.cache/x"), "model/.cache/x"),
    "dot file": (lambda release: plant(release / "evidence/.DS_Store"), "evidence/.DS_Store"),
    "beside signatures": (
        lambda release: plant(release / "evidence/signatures/note.txt"),
        "evidence/signatures/note.txt",
    ),
    "below signatures": (
        lambda release: plant(release / "evidence/signatures/sub/x.sigstore.json"),
        "evidence/signatures/sub/x.sigstore.json",
    ),
    "look-alike": (lambda release: plant(release / "model/config.j\u0455on"), "model/config.j\u0455on"),
    "other case": (lambda release: plant(release / "model/Config.json"), "model/Config.json"),
    "newline": (lambda release: plant(release / "model/x\n"), "'model/x\\n'"),
    "bytes": (lambda release: plant(release / os.fsdecode(b"model/\xff")), "'model/\\udcff'"),
    "link to a file": (lambda release: (release / "model/l").symlink_to("config.json"), "model/l"),
    "link out": (lambda release: (release / "model/l").symlink_to("/etc/passwd"), "model/l"),
    "link to a folder": (lambda release: (release / "l").symlink_to("model"), "l"),
    "dangling link": (lambda release: (release / "l").symlink_to("nowhere"), "l"),
    "link to itself": (lambda release: (release / "l").symlink_to("l"), "l"),
    "link in dot folder": (
        lambda release: ((release / ".git").mkdir(), (release / ".git/l").symlink_to("/etc")),
        ".git/l",
    ),
    "pipe": (lambda release: os.mkfifo(release / "model/pipe"), "model/pipe"),
    "empty folder": (lambda release: (release / "model/empty").mkdir(), "model/empty"),
    "empty dot folder": (lambda release: (release / ".git").mkdir(), ".git"),
}


@pytest.mark.parametrize("what", EXTRA)
def test_nothing_else_lies_in_the_folder(release: Path, pairs: dict[str, KeyFiles], what: str) -> None:
    add, name = EXTRA[what]
    add(release)
    for trust in (both(pairs), []):
        report = verify(release, trust=trust)
        assert report.exit_code == 3
        assert verdicts(report)[2] == "FAIL"
        assert [found.where for found in report.checks[1].findings] == [name]


def swap(release: Path, first: str, second: str) -> None:
    (release / first).rename(release / "spare")
    (release / second).rename(release / first)
    (release / "spare").rename(release / second)


def replace_by_link(release: Path) -> None:
    (release / MODEL).rename(release.parent / "outside")
    (release / MODEL).symlink_to(release.parent / "outside")


def replace_by_folder(release: Path) -> None:
    (release / MODEL).unlink()
    plant(release / MODEL / "x")


def grow(release: Path) -> None:
    with (release / MODEL).open("ab") as file:
        file.write(b"\0")


def shrink(release: Path) -> None:
    os.truncate(release / MODEL, len(WEIGHTS) - 1)


CHANGED: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "weights removed": (lambda release: (release / MODEL).unlink(), MODEL, "is missing"),
    "evidence removed": (lambda release: (release / bundle.CHAINS[0]).unlink(), bundle.CHAINS[0], "is missing"),
    "release.json removed": (lambda release: (release / bundle.RELEASE).unlink(), bundle.RELEASE, "is missing"),
    "locators removed": (lambda release: (release / bundle.LOCATORS).unlink(), bundle.LOCATORS, "is missing"),
    "files swapped": (
        lambda release: swap(release, "model/README.md", "report.html"),
        "model/README.md",
        "bytes, evidence/release.json says 7",
    ),
    "file renamed": (
        lambda release: (release / "report.html").rename(release / "Report.html"),
        "report.html",
        "is missing",
    ),
    "weights behind a link": (replace_by_link, MODEL, "no link has a place"),
    "weights as a folder": (replace_by_folder, MODEL, "is missing"),
    "weights emptied": (lambda release: (release / MODEL).write_bytes(b""), MODEL, "0 bytes"),
    "weights grown": (grow, MODEL, "bytes 98,304 to 102,400 differ"),
    "weights cut": (shrink, MODEL, "bytes 98,304 to 102,398 differ"),
    "policy removed": (lambda release: (release / bundle.POLICY).unlink(), bundle.POLICY, "No such file"),
    "steps removed": (lambda release: shutil.rmtree(release / bundle.STEPS), bundle.step_path("curate"), "is missing"),
}


@pytest.mark.parametrize("what", CHANGED)
def test_every_file_is_there_and_is_itself(release: Path, pairs: dict[str, KeyFiles], what: str) -> None:
    change, name, message = CHANGED[what]
    change(release)
    report = verify(release, trust=both(pairs))
    assert report.exit_code == 3
    assert any(found.where == name and message in found.message for check in report.checks for found in check.findings)


def test_damage_is_found_without_keys_too(release: Path) -> None:
    flip(release / MODEL, 1000)
    report = verify(release)
    assert report.exit_code == 3
    assert f"{MODEL}: byte 1,000: found 0xe9, signed 0xe8" in report.checks[1].detail


def test_an_unsigned_release(release: Path, pairs: dict[str, KeyFiles]) -> None:
    shutil.rmtree(release / "evidence" / "signatures")
    assert verify(release).exit_code == 4
    report = verify(release, trust=both(pairs))
    assert verdicts(report)[1] == "FAIL"
    flip(release / MODEL, 0)
    assert verify(release).exit_code == 3


@pytest.mark.parametrize("what", ["absent", "file", "empty", "other folder"])
def test_no_release_at_all(tmp_path: Path, what: str) -> None:
    path = tmp_path / "x"
    if what == "file":
        path.write_text("x")
    elif what != "absent":
        path.mkdir()
        if what == "other folder":
            plant(path / "README.md")
    with pytest.raises(InputError):
        verify(path)


def test_names_that_a_release_may_have(tmp_path: Path, pairs: dict[str, KeyFiles]) -> None:
    extra = {"gguf/größe 法令.txt": b"x", "gguf/tiny.gguf": b"GGUF", "gguf/empty.txt": b"", "gguf/.keep": b""}
    release = build(tmp_path / "r", Recipe(extra=extra), {"ministry": pairs["ministry"]})
    assert verify(release, trust=[pairs["ministry"].public]).exit_code == 0
