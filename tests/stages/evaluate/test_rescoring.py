"""Check 7's second part: a changed answer that is consistent and signed again is caught by the weights themselves."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from freehold.errors import GateError, IncompleteError
from freehold.progress import Progress
from freehold.proof.digests import sha256_bytes
from freehold.stages.evaluate import rescoring as again
from freehold.stages.evaluate.choice import answers, load_pack
from freehold.stages.evaluate.completions import TEMPERATURE, TOP_P
from freehold.stages.evaluate.judged import Judged
from freehold.stages.verify import rescoring
from freehold.stages.verify.asked import Asked
from freehold.stages.verify.contents import Contents
from freehold.stages.verify.report import Check

Make = Callable[..., Contents]


@pytest.fixture(scope="module")
def pack(tiny_source: Path) -> Path:
    return tiny_source / "pack.jsonl"


@pytest.fixture(scope="module")
def given(judged: Judged, pack: Path) -> list[dict[str, Any]]:
    found = answers(judged, load_pack(pack), progress=Progress(quiet=True))
    return [{"pack": "pack", **row} for row in found]


@pytest.fixture(scope="module")
def written(trained: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [{"document": f"d{place}", "prompt": "Der Bundestag"} for place in range(2)]
    for row in rows:
        row |= {"seed": int(sha256_bytes(row["document"].encode())[:8], 16)}
        row |= {"temperature": TEMPERATURE, "top_p": TOP_P, "language": "deu"}
    texts = again.completed(trained / "model", rows)
    return [row | {"completion": text} for row, text in zip(rows, texts, strict=True)]


@pytest.fixture
def release(trained: Path, tmp_path: Path, pack: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """A release that is as it was signed: what these checks read of one. Its other checks have tests of their own."""

    def make(given: list[dict[str, Any]], written: list[dict[str, Any]]) -> Contents:
        files = {
            "evidence/evaluation/answers.jsonl": given,
            "evidence/evaluation/completions.jsonl": written,
            "evidence/train/recipe.json": [{"precision": "fp32"}],
        }
        (tmp_path / "model").symlink_to(trained / "model")
        listed = {}
        for path, rows in files.items():
            data = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_bytes(data)
            listed[path] = sha256_bytes(data)
        files_read = {"evaluate/pack.jsonl": sha256_bytes(pack.read_bytes())}
        statement = SimpleNamespace(files=files_read)
        monkeypatch.setattr(rescoring, "read_steps", lambda _: {"evaluate": statement})
        whole = Check(number=2, verdict="PASS", detail="")
        return Contents(check=whole, release=tmp_path, index=None, listed=listed, damaged=frozenset())

    return make


def test_true_answers_hold_and_the_draw_is_told(release: Make, given: Any, written: Any, pack: Path) -> None:
    asked = Asked(rescore=100, packs=pack.parent, draw="dice")
    told = rescoring.rescored(release(given, written), asked)
    assert told == "6 answers and 2 completions drawn with dice were given again and hold"


def test_a_draw_can_be_repeated_and_is_another_one_without_a_seed(release: Make, given: Any, written: Any) -> None:
    contents = release(given, written)
    first, second = (rescoring.draw(contents, count=3, seed="dice") for _ in range(2))
    assert first == second and len(first) == 3
    assert len({str(rescoring.draw(contents, count=3, seed=str(seed))) for seed in range(20)}) > 10


def test_an_answer_made_better_is_caught(release: Make, given: Any, written: Any, pack: Path) -> None:
    forged = [dict(row) for row in given]
    place = next(place for place, row in enumerate(forged) if not row["correct"])
    nats = [score + 0.3 for score in forged[place]["nats_per_byte"]]
    nats[forged[place]["answer"]] = min(forged[place]["nats_per_byte"]) - 0.3
    forged[place] |= {"nats_per_byte": nats, "chosen": forged[place]["answer"], "correct": True}
    with pytest.raises(GateError, match="the shipped weights give") as caught:
        rescoring.rescored(release(forged, written), Asked(rescore=100, packs=pack.parent))
    assert caught.value.where == f"evidence/evaluation/answers.jsonl:{place + 1}"


def test_the_tolerance_bears_other_last_digits(release: Make, given: Any, written: Any, pack: Path) -> None:
    moved = [{**row, "nats_per_byte": [score + 0.0009 for score in row["nats_per_byte"]]} for row in given]
    assert "hold" in rescoring.rescored(release(moved, written), Asked(rescore=100, packs=pack.parent))


@pytest.mark.parametrize("change", ["left out", "twice", "another key"])
def test_answers_must_be_to_the_whole_pack(release: Make, given: Any, written: Any, pack: Path, change: str) -> None:
    rows = {
        "left out": given[1:],
        "twice": [*given, given[0]],
        "another key": [{**given[0], "answer": (given[0]["answer"] + 1) % 4}, *given[1:]],
    }[change]
    with pytest.raises(GateError, match="are not those to the questions"):
        rescoring.rescored(release(rows, written), Asked(rescore=100, packs=pack.parent))


def test_a_nicer_completion_and_a_nicer_seed_are_caught(release: Make, written: Any) -> None:
    nicer = [{**written[0], "completion": "Alle Menschen sind vor dem Gesetz gleich."}, written[1]]
    with pytest.raises(GateError, match="the shipped weights write"):
        rescoring.rescored(release([], nicer), Asked(rescore=2))


def test_a_seed_must_be_its_documents(release: Make, written: Any) -> None:
    with pytest.raises(GateError, match="its id gives"):
        rescoring.rescored(release([], [{**written[0], "seed": 3}]), Asked(rescore=1))


def test_without_the_very_pack_answers_are_not_checked(release: Make, given: Any, written: Any, tmp_path: Path) -> None:
    contents = release(given, written)
    with pytest.raises(IncompleteError, match="is needed: give the folder"):
        rescoring.rescored(contents, Asked(rescore=100))
    (tmp_path / "packs").mkdir()
    (tmp_path / "packs" / "pack.jsonl").write_text('{"id": "other"}\n')
    with pytest.raises(IncompleteError, match="2 completions were written again and hold"):
        rescoring.rescored(contents, Asked(rescore=100, packs=tmp_path / "packs"))


def test_where_no_model_can_run_it_says_what_to_install(
    release: Make, given: Any, written: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> Any:
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr(rescoring, "part", absent)
    with pytest.raises(IncompleteError, match=r"freehold\[train\]"):
        rescoring.rescored(release(given, written), Asked(rescore=100))
