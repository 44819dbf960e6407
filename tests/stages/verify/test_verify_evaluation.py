"""Check 7: figures follow from rows. Every forgery is hashed and signed again with the trusted key."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from freehold.errors import InputError
from freehold.proof.digests import sha256_bytes
from freehold.proof.signing.keys import KeyFiles
from freehold.stages.verify.asked import Asked
from freehold.stages.verify.contents import Contents
from freehold.stages.verify.evaluation import check
from freehold.stages.verify.report import Check
from freehold.stages.verify.run import verify

from . import evaluations
from .evaluations import answers, evaluation, held_out, memorisation, results

Forge = Callable[..., Path]


def seventh(release: Path, pairs: dict[str, KeyFiles], asked: Asked | None = None) -> Check | None:
    report = verify(release, trust=[pairs["ministry"].public], asked=asked)
    assert not {check.number for check in report.checks if check.verdict == "FAIL"} - {7}
    return next((check for check in report.checks if check.number == 7), None)


def changed(value: Any, *path: Any, to: Any) -> Any:
    value = copy.deepcopy(value)
    inner = value
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = to
    return value


def test_a_sound_evaluation_adds_up(forge: Forge, pairs: dict[str, KeyFiles]) -> None:
    found = seventh(forge(), pairs)
    assert found is not None and found.verdict == "PASS"
    assert found.detail == "4 answers add up; bits per byte of 1 languages add up; 3 passages and 2 canaries add up"


def test_a_release_without_rows_is_not_judged(forge: Forge, pairs: dict[str, KeyFiles]) -> None:
    bare = evaluation(answers=None, held_out=None, memorisation=None)
    assert seventh(forge(evaluated=bare), pairs) is None


FORGERIES: dict[str, tuple[dict[str, Any], str]] = {
    "a better accuracy": ({"results": changed(results(), "choice", "civics", "accuracy", to=0.5)}, "civics: accuracy"),
    "a narrower interval": ({"results": changed(results(), "choice", "civics", "low", to=0.2)}, "civics: low"),
    "a lower chance": ({"results": changed(results(), "choice", "civics", "chance", to=0.1)}, "civics: chance"),
    "fewer questions": ({"results": changed(results(), "choice", "civics", "n", to=3)}, "civics: n"),
    "a figure too many": ({"results": changed(results(), "choice", "civics", "f1", to=0.9)}, "civics: f1"),
    "a pack without answers": (
        {"results": changed(results(), "choice", "law", to=results()["choice"]["civics"])},
        "law: has a result without answers",
    ),
    "answers left out": ({"answers": None}, "civics: has a result without answers"),
    "an answer told right": ({"answers": changed(answers(), 0, "correct", to=True)}, "answers.jsonl:1"),
    "another choice": ({"answers": changed(answers(), 0, "chosen", to=1)}, "answers.jsonl:1: civics: the choice 1"),
    "a choice by another score": (
        {"answers": changed(answers(), 0, "nats_per_byte", to=[2.0, 1.0, 3.0])},
        "the choice 0 is not the likeliest",
    ),
    "bits of the model": (
        {"results": changed(results(), "bits_per_byte", "deu", "model", to=1.4)},
        "deu: model is 1.4",
    ),
    "bits of a reference": ({"results": changed(results(), "bits_per_byte", "deu", "xz", to=1.6)}, "deu: xz is 1.6"),
    "bytes held out": ({"results": changed(results(), "bits_per_byte", "deu", "bytes", to=299)}, "deu: bytes is 299"),
    "a language nobody measured": (
        {"results": changed(results(), "bits_per_byte", "kor", to=results()["bits_per_byte"]["deu"])},
        "does not name the languages",
    ),
    "a document dropped": ({"held_out": held_out()[:1]}, "deu: bytes is 300, its documents give 100"),
    "a lower verbatim share": (
        {"memorisation": changed(memorisation(), "passages", "deu", "5-8", "verbatim", to=0.0)},
        "passages: deu: 5-8: verbatim",
    ),
    "a passage left out": (
        {"memorisation": changed(memorisation(), "rows", to=memorisation()["rows"][:2])},
        "memorisation.json: passages",
    ),
    "a canary less exposed": (
        {"memorisation": changed(memorisation(), "canary_rows", 1, "exposure", to=1.0)},
        "canaries/deu/16/0: exposure is 1.0",
    ),
    "a mean less exposed": (
        {"memorisation": changed(memorisation(), "canaries", "16", "exposure", to=1.0)},
        "canaries: 16: exposure",
    ),
    "a canary extracted in secret": (
        {"memorisation": changed(memorisation(), "canary_rows", 1, "verbatim", to=30)},
        "canaries: 16: extracted",
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_figure_that_does_not_follow_fails(name: str, forge: Forge, pairs: dict[str, KeyFiles]) -> None:
    change, message = FORGERIES[name]
    found = seventh(forge(evaluated=evaluation(**change)), pairs)
    assert found is not None and found.verdict == "FAIL"
    assert message in found.detail


ODD: list[Any] = [None, [], {}, "x", True, 10**299, -1e308, [[]], {"deu": 3}]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: str(odd)[:12])
@pytest.mark.parametrize(
    ("file", "path"),
    [
        ("answers", (0, "nats_per_byte")),
        ("answers", (0, "nats_per_byte", 0)),
        ("answers", (0, "pack")),
        ("answers", (0,)),
        ("held_out", (0, "bits")),
        ("held_out", (0, "bytes")),
        ("memorisation", ("rows",)),
        ("memorisation", ("rows", 0)),
        ("memorisation", ("rows", 0, "times")),
        ("memorisation", ("rows", 0, "verbatim")),
        ("memorisation", ("continuation_tokens",)),
        ("memorisation", ("never_planted_nats", 3)),
        ("memorisation", ("canary_rows", 0, "nats")),
        ("memorisation", ("canary_rows", 0, "of")),
    ],
    ids=str,
)
def test_odd_values_fail_and_never_crash(
    file: str, path: tuple[Any, ...], odd: Any, forge: Forge, pairs: dict[str, KeyFiles]
) -> None:
    value = getattr(evaluations, file)()
    found = seventh(forge(evaluated=evaluation(**{file: changed(value, *path, to=odd)})), pairs)
    assert found is not None and found.verdict == "FAIL"


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: str(odd)[:12])
@pytest.mark.parametrize("path", [("choice",), ("choice", "civics"), ("bits_per_byte", "deu")], ids=str)
def test_odd_results_fail_and_never_crash(path: tuple[str, ...], odd: Any, tmp_path: Path) -> None:
    """No release can be built of them, since law documents are made of results; so the check alone is asked."""
    listed = {}
    for name, data in evaluation(results=changed(results(), *path, to=odd)).items():
        (tmp_path / name).write_bytes(data)
        listed[f"evidence/evaluation/{name}"] = sha256_bytes(data)
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "evaluation").symlink_to(tmp_path)
    second = Check(number=2, verdict="PASS", detail="")
    contents = Contents(check=second, release=tmp_path, index=None, listed=listed, damaged=frozenset())
    found = check(contents, Asked())
    assert found is not None and found.verdict == "FAIL"


def test_a_folder_of_packs_that_is_none_is_refused(forge: Forge, pairs: dict[str, KeyFiles], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        seventh(forge(), pairs, Asked(rescore=2, packs=tmp_path / "nowhere"))


def test_nothing_to_score_again_is_told(forge: Forge, pairs: dict[str, KeyFiles]) -> None:
    bare = evaluation(answers=None, results={"format": 1, "choice": {}}, held_out=None)
    found = seventh(forge(evaluated=bare), pairs, Asked(rescore=2))
    assert found is not None and found.verdict == "NOT CHECKED"
    assert "no answer and no completion" in found.detail
