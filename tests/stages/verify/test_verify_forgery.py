"""Meaning: everything is hashed and signed with the trusted key, and still does not hold. The right check says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from freehold.law import generate, packs
from freehold.law.facts import DECLARED
from freehold.law.facts import LOCK as LOCKED
from freehold.law.generate import BOM, PACKS
from freehold.proof import bundle
from freehold.proof.signing.keys import KeyFiles
from freehold.stages.verify.run import verify

from .releases import FIGURES, LOCK, POLICY, RIGHTS, SAID, SHAPE, SOURCE, TAUGHT, TRAIN, WEIGHTS, Recipe, segment

LIBRARY = {"type": "library", "name": "numpy", "version": "2.4.6"}
TORCH = {"type": "library", "name": "torch", "version": "2.13.0+cpu"}


def declared_bytes(**changed: Any) -> bytes:
    release = changed.pop("release", {"name": "tiny", "version": "0.1.0", "licence": "Apache-2.0", "threshold": 1})
    responsible = {"name": "Tiny Town", "country": "DE", "contact": ""}
    return generate.declared(release=release, responsible=responsible, statements={**SAID, **changed})


OTHER = b"weights from elsewhere" * 100
GOOD = Recipe()
BASED = {**GOOD.segments[0], "base": "b" * 64}


def changed_segments(position: int, **change: Any) -> list[dict[str, Any]]:
    rows = [dict(row) for row in GOOD.segments]
    rows[position] |= change
    return rows


STEP = bundle.step_path

FORGERIES: dict[str, tuple[dict[str, Any], set[int], str]] = {
    "an input that nobody made": (
        {"inputs": {"tokenize": {"curate": "0" * 64}}},
        {3},
        f"{STEP('tokenize')}: read curate {'0' * 64}",
    ),
    "an input without a statement": (
        {"inputs": {"train": {"pretrained": "0" * 64}}},
        {3},
        f"{STEP('train')}: its input pretrained has no statement",
    ),
    "training without an input": (
        {"inputs": {"train": {}}},
        {3},
        f"{STEP('train')}: has no input",
    ),
    "no corpus": (
        {"stages": ("tokenize", "train", "refine"), "inputs": {"tokenize": {}}},
        {3, 9},
        "does not reach the corpus",
    ),
    "no training": ({"stages": ("curate", "tokenize")}, {3, 4}, "made from no training stage"),
    "weights of somebody else": ({"shipped": OTHER}, {3, 4}, "model/model.safetensors: is not what refine made"),
    "a shard of somebody else": (
        {"shards": 3, "shipped": WEIGHTS[:-5] + b"other"},
        {3, 4},
        "model/model-00003-of-00003.safetensors: is not what refine made",
    ),
    "shards in another order": (
        {"shards": 2, "shipped": WEIGHTS[len(WEIGHTS) // 2 :] + WEIGHTS[: len(WEIGHTS) // 2 - 1] + b"?"},
        {3, 4},
        "is not what refine made",
    ),
    "a checkpoint that is one shard alone": (
        {"shards": 2, "segments": changed_segments(3, checkpoint=sha256(WEIGHTS[: len(WEIGHTS) // 2]).hexdigest())},
        {4},
        "the last checkpoint",
    ),
    "weights before the refinement": ({"shipped": WEIGHTS[::-1]}, {3, 4}, "is not what refine made"),
    "a second file of weights": (
        {"extra": {"model/adapter.bin": b"x"}},
        {3, 4},
        "model/adapter.bin: weights that refine",
    ),
    "pickled weights": ({"extra": {"model/pytorch_model.pt": b"x"}}, {3, 4}, "weights that refine did not make"),
    "a chain that ends elsewhere": (
        {"segments": changed_segments(3, checkpoint=sha256(OTHER).hexdigest())},
        {4},
        "last checkpoint of refine is not the weights it made",
    ),
    "a chain whose pre-training ends elsewhere": (
        {"segments": changed_segments(2, checkpoint=sha256(OTHER).hexdigest())},
        {4},
        "last checkpoint of train is not the weights it made",
    ),
    "a chain without refinement": ({"segments": GOOD.segments[:3]}, {4}, "ends with train, but refine made the model"),
    "a chain without pre-training": ({"segments": GOOD.segments[3:]}, {4}, "does not begin with train"),
    "a base that the chain does not name": (
        {"train_files": {"base/model.safetensors": "b" * 64}},
        {4},
        "names no base, but train read the weights of one",
    ),
    "another base than train read": (
        {"train_files": {"base/model.safetensors": "d" * 64}, "segments": [BASED, *GOOD.segments[1:]]},
        {4},
        "train read another",
    ),
    "a base that train did not read": ({"segments": [BASED, *GOOD.segments[1:]]}, {4}, "train read another"),
    "an empty chain": ({"segments": [segment(stage="evaluate")]}, {4}, "no segment"),
    "a gap in the steps": (
        {"segments": changed_segments(2, first_step=52)},
        {4},
        "begins at step 52, the step due is 51",
    ),
    "a rate beyond all numbers": ({"segments": changed_segments(1, learning_rate=10**400)}, {3, 4}, "401 digits"),
    "a broken link": ({"segments": changed_segments(1, previous="0" * 64)}, {4}, f"{bundle.CHAINS[0]}:2: previous is"),
    "a link from refinement to nowhere": (
        {"segments": changed_segments(3, previous="1" * 64)},
        {4},
        f"{bundle.CHAINS[1]}:1: previous is",
    ),
    "a chain through an unknown stage": (
        {"segments": changed_segments(0, documents="x")},
        {4},
        "documents is 'x'",
    ),
    "a forbidden licence": (
        {"sources": [SOURCE | {"licence": "CC-BY-NC-4.0"}]},
        {9},
        f"{bundle.SOURCES}:1: laws: the licence CC-BY-NC-4.0",
    ),
    "a forbidden licence among records": (
        {"sources": [SOURCE | {"licence": None, "licences": {"CC0-1.0": 9, "proprietary": 1}}]},
        {9},
        "the licence proprietary",
    ),
    "no licence": ({"sources": [SOURCE | {"licence": None, "licences": {}}]}, {9}, "no licence is given"),
    "a licence that is a list": ({"sources": [SOURCE | {"licence": ["CC0-1.0"]}]}, {9}, "no licence is given"),
    "licences of lists": ({"sources": [SOURCE | {"licences": [["CC0-1.0"]]}], "law": None}, {9}, "no licence is given"),
    "a policy that allows nothing": ({"policy": {}}, {9}, "names no licences"),
    "a source that was not read": (
        {"sources": [SOURCE, SOURCE | {"name": "more", "files": [{"sha256": "b" * 64}]}]},
        {3, 9},
        "more lists a file",
    ),
    "a source that is not told": (
        {"curate_files": {"laws/a.jsonl": "a" * 64, "leaks/b.jsonl": "b" * 64}},
        {3},
        "curate read leaks/b.jsonl, which no source lists",
    ),
    "a file of a source that is not told": (
        {"curate_files": {"laws/a.jsonl": "a" * 64, "laws/b.jsonl": "b" * 64}},
        {3},
        "curate read laws/b.jsonl",
    ),
    "a source named twice": ({"sources": [SOURCE, SOURCE]}, {3, 9}, "without a name of its own"),
    "a source without files": (
        {"sources": [{"name": "laws", "licence": "CC0-1.0"}], "law": None},
        {3, 9},
        "without digests",
    ),
    "sources that are no table": ({"sources": [["laws"]], "law": None}, {3, 9}, "without a name"),  # type: ignore[list-item]
    "a statement of an uncalled stage": (
        {"extra": {STEP("merge"): b"{}"}},
        {3, 4, 9},
        "of no stage that the release was made from",
    ),
    "another policy in one statement": (
        {"tables": {"refine": {"policy": {"licences": ["CC0-1.0", "proprietary"]}}}},
        {3},
        f"{STEP('refine')}: its [policy] is not that of curate",
    ),
    "other languages in one statement": (
        {"tables": {"train": {"languages": ["deu"]}, "evaluate": {"languages": ["jpn"]}}},
        {3},
        f"{STEP('train')}: its [languages] is not that of evaluate",
    ),
    "an evaluation of another model": (
        {"reads": {"evaluate": ("train",)}},
        {3},
        f"{STEP('evaluate')}: did not read refine",
    ),
    "training on other tokens": ({"reads": {"train": ("curate",)}}, {3}, f"{STEP('train')}: did not read tokenize"),
    "code beside the weights": (
        {"extra": {"model/modeling_tiny.py": b"import os"}},
        {3},
        "model/modeling_tiny.py: a file that refine did not make",
    ),
    "another tokenizer than the corpus was cut by": (
        {"tokenizer": b'{"swapped":true}'},
        {3},
        "model/tokenizer.json: is not the tokenizer that tokenize made",
    ),
    "another seed in the recipe": (
        {"recipes": {"train": {**TRAIN, "seed": 8}, "refine": dict(TAUGHT)}},
        {4},
        "evidence/train/recipe.json: gives the seed 8",
    ),
    "another seed in one line of the chain": (
        {"segments": changed_segments(1, seed=8)},
        {4},
        "evidence/train/recipe.json: gives the seed 7",
    ),
    "another seed in the charter's words": (
        {"tables": {"train": {"train": {"seed": 8}}}},
        {4},
        "evidence/train/recipe.json: gives the seed 7",
    ),
    "another number of steps in the recipe": (
        {"recipes": {"train": {**TRAIN, "steps": 81}, "refine": dict(TAUGHT)}},
        {4},
        "gives 81 steps, the chain 80",
    ),
    "a refinement of other weights": (
        {"recipes": {"train": dict(TRAIN), "refine": {**TAUGHT, "base": "0" * 64}}},
        {4},
        "evidence/refine/recipe.json: began with other weights than train ended with",
    ),
    "a recipe that is none": (
        {"recipes": {"train": [], "refine": dict(TAUGHT)}, "law": None},  # type: ignore[dict-item]
        {4},
        "evidence/train/recipe.json: is no table",
    ),
    "a law document that was edited": (
        {"extra": {"evidence/law/copyright_policy.md": b"# We own everything\n"}},
        {8},
        "evidence/law/copyright_policy.md: does not follow from the facts",
    ),
    "a law document that nothing generates": ({"extra": {"evidence/law/waiver.md": b"x"}}, {8}, "nothing generates it"),
    "a statement that documents do not have": (
        {"extra": {DECLARED: declared_bytes(intended_uses="weapons")}},
        {8},
        "does not follow from the facts",
    ),
    "documents of another release": (
        {"extra": {DECLARED: declared_bytes(release={"name": "x", "version": "0.1.0", "licence": "MIT"})}},
        {8},
        "speaks of another name",
    ),
    "a recipe that train did not leave": (
        {"extra": {"evidence/train/recipe.json": json.dumps({**TRAIN, "steps": 1}).encode()}},
        {3, 4, 8},
        "evidence/train/recipe.json: is not the recipe.json that train made",
    ),
    "a package that the bill does not name": (
        {"extra": {LOCKED: LOCK + b"backdoor==1.0\n"}},
        {8, 9},
        "evidence/bom/ai.cdx.json: lacks a package that evidence/train/environment.lock names",
    ),
    "a lock of packages that training did not attest": (
        {"lock": LOCK + b"backdoor==1.0\n"},
        {9},
        f"{STEP('train')}: lacks a package",
    ),
    "a lock that is none": ({"extra": {LOCKED: b"rm -rf /\n"}}, {8, 9}, "no package with its version"),
    "a bill of materials without a dataset": (
        {"extra": {BOM: json.dumps({"components": [LIBRARY, TORCH]}).encode()}},
        {8, 9},
        f"{BOM}: lacks a dataset that sources.jsonl names: laws",
    ),
    "a bill of materials with other files": (
        {"extra": {BOM: json.dumps({"components": [LIBRARY, TORCH, {"type": "data", "name": "laws"}]}).encode()}},
        {8, 9},
        "laws has other files than sources.jsonl gives it",
    ),
    "no bill of materials": ({"extra": {BOM: b"[]"}}, {8, 9}, "names no components"),
    "a model without end": (
        {"extra": {"evidence/train/recipe.json": json.dumps({**TRAIN, "model": {**SHAPE, "depth": 1 << 60}}).encode()}},
        {3, 4, 8},
        "in a model's shape",
    ),
    "a broken withdrawal log": (
        {"extra": {bundle.WITHDRAWALS: b'{"previous":"x"}\n'}},
        {10},
        f"{bundle.WITHDRAWALS}:1",
    ),
}


@pytest.mark.parametrize("what", FORGERIES)
def test_a_forgery_is_caught_by_the_check_that_should(
    forge: Callable[..., Path], pairs: dict[str, KeyFiles], what: str
) -> None:
    changed, numbers, message = FORGERIES[what]
    report = verify(forge(**changed), trust=[pairs["ministry"].public])
    assert report.exit_code == 3
    assert {check.number for check in report.checks if check.verdict == "FAIL"} == numbers
    assert any(message in check.detail for check in report.checks), [check.detail for check in report.checks]


@pytest.mark.parametrize("shards", [1, 3])
def test_the_unforged_release_passes(forge: Callable[..., Path], pairs: dict[str, KeyFiles], shards: int) -> None:
    assert verify(forge(shards=shards), trust=[pairs["ministry"].public]).exit_code == 0


def test_a_release_without_refinement_ships_what_was_pretrained(
    forge: Callable[..., Path], pairs: dict[str, KeyFiles]
) -> None:
    release = forge(
        stages=("curate", "tokenize", "train"), shipped=WEIGHTS[::-1], segments=[dict(row) for row in GOOD.segments[:3]]
    )
    assert verify(release, trust=[pairs["ministry"].public]).exit_code == 0


def test_licences_of_records_are_each_allowed(forge: Callable[..., Path], pairs: dict[str, KeyFiles]) -> None:
    counts = {"CC0-1.0": 3, "CC-BY-4.0": 4, "CC0-1.0 AND CC-BY-4.0": 1}
    kept = {"documents_read": 8, "documents_kept": 8}
    rows = [RIGHTS["rows"][0] | {"licence": name, "documents": n, "bytes": n} for name, n in counts.items()]
    release = forge(
        sources=[SOURCE | kept | {"licence": None, "licences": counts, "languages": {"deu": 8}, "bytes_kept": 8}],
        policy=POLICY | {"licences": ["CC-BY-4.0", "CC0-1.0"]},
        rights=RIGHTS
        | {"rows": rows, "evidence": {"laws": {"record": 8}}, "totals": RIGHTS["totals"] | kept | {"bytes_kept": 8}}
        | {"policy": RIGHTS["policy"] | {"licences": ["CC-BY-4.0", "CC0-1.0"]}},
        figures={**FIGURES, "curate": FIGURES["curate"] | kept},
    )
    assert verify(release, trust=[pairs["ministry"].public]).exit_code == 0


def test_a_statement_changed_and_signed_again(forge: Callable[..., Path], pairs: dict[str, KeyFiles]) -> None:
    """Every field of the training's statement in turn, release.json left as it was."""
    from freehold.proof.signing import keys

    release = forge()
    path = release / STEP("train")
    sound = json.loads(path.read_bytes())
    index = bundle.parse_release_json((release / bundle.RELEASE).read_bytes(), where="x")
    for key, value in {"stage": "trains", "manifest": {}, "inputs": {"tokenize": "1" * 64}, "code": ...}.items():
        forged = json.loads(json.dumps(sound))
        if value is ...:
            del forged["predicate"][key]
        else:
            forged["predicate"][key] = value
        path.write_text(json.dumps(forged))
        bundle.seal(release, name="tiny", version="0.1.0", licence="Apache-2.0", inputs=index.inputs)
        bundle.sign_bundle(release, party="ministry", key=keys.load_private(pairs["ministry"].private))
        report = verify(release, trust=[pairs["ministry"].public])
        assert [check.verdict for check in report.checks[:3]] == ["PASS", "PASS", "FAIL"]
        assert report.checks[2].where == STEP("train")


@pytest.mark.parametrize("change", [{"version": "1999-01-01"}, {"id": "../eu"}, {"sha256": "0" * 64}])
def test_a_rule_pack_that_we_do_not_have_is_no_verdict(
    forge: Callable[..., Path], pairs: dict[str, KeyFiles], change: dict[str, str]
) -> None:
    rows = [pack.as_json() for pack in packs.current()]
    table = json.dumps({"format": 1, "packs": [rows[0] | change, *rows[1:]]}).encode()
    report = verify(forge(extra={PACKS: table}), trust=[pairs["ministry"].public])
    assert [check.number for check in report.checks if check.verdict != "PASS"] == [8]
    assert report.exit_code == 4
    assert "rule pack" in next(check for check in report.checks if check.number == 8).detail


@pytest.mark.parametrize("rows", [[], "eu", [1], [{"id": "eu", "version": "2025-07-24"}]])
def test_packs_that_are_none_or_too_few_are_refused(
    forge: Callable[..., Path], pairs: dict[str, KeyFiles], rows: Any
) -> None:
    report = verify(forge(extra={PACKS: json.dumps({"packs": rows}).encode()}), trust=[pairs["ministry"].public])
    assert [check.number for check in report.checks if check.verdict == "FAIL"] == [8]
