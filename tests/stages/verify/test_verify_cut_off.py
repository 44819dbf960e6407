"""Check 4 on documents that were cut off: statement, recipe, account and chain must say the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from freehold.errors import GateError
from freehold.proof import chain
from freehold.proof.bundle import CUT_OFF
from freehold.proof.chain import Segment
from freehold.proof.statements import StageStatement
from freehold.records import canonical_json
from freehold.stages.verify import cut_off

FIRST = {"law/1": 3, "law/2": 12, "law/3": None}


class Files:
    """What `Contents` gives of a release that holds."""

    def __init__(self, files: dict[str, Any]) -> None:
        self.listed = {path: canonical_json(value) for path, value in files.items()}

    def read(self, path: str) -> bytes:
        return self.listed[path]


def statement(*ids: str) -> StageStatement:
    rows = [{"level": "W3", "id": name, "key": "a" * 64} for name in ids]
    parameters = {"withdrawn": rows} if rows else {}
    return StageStatement(
        stage="train",
        output="",
        manifest={},
        inputs={},
        files={},
        parameters=parameters,
        figures={},
        environment={},
        seconds=0.0,
    )


def root(*ids: str) -> str:
    return chain.withdrawn_root(ids)


def segments() -> list[Segment]:
    stretches = [
        ("train", 0, 0),
        ("train", 1, 2),
        ("train", 3, 10),
        ("train", 11, 20),
        ("refine", 0, 0),
        ("refine", 1, 4),
    ]
    gone = [None, None, root("law/1"), root("law/1", "law/2"), root(*FIRST), root(*FIRST)]
    plain: dict[str, Any] = {"documents": "", "seed": 1, "learning_rate": 0.1, "checkpoint": "", "previous": ""}
    return [
        Segment(stage=stage, first_step=first, last_step=last, withdrawn=named, **plain)
        for (stage, first, last), named in zip(stretches, gone, strict=True)
    ]


def files(**changed: Any) -> Files:
    account = {"format": 1, "documents": FIRST}
    return Files({CUT_OFF: account, cut_off.RECIPE: {"withdrawn": sorted(FIRST)}} | changed)


def test_they_agree() -> None:
    assert cut_off.demand(files(), {"train": statement(*FIRST)}, segments()) == 3
    plain = [replace(segment, withdrawn=None) for segment in segments()]
    assert cut_off.demand(Files({}), {"train": statement()}, plain) == 0
    passed = [*segments()[:4], replace(segments()[4], withdrawn=None)]  # refine without instructions
    assert cut_off.demand(files(), {"train": statement(*FIRST)}, passed) == 3


@pytest.mark.parametrize("place", range(6))
def test_every_segment_is_compared(place: int) -> None:
    for told in (None, root("law/2"), root(*FIRST), root("law/1")):
        rows = segments()
        if rows[place].withdrawn != told:
            rows[place] = replace(rows[place], withdrawn=told)
            with pytest.raises(GateError, match="cut off so far"):
                cut_off.demand(files(), {"train": statement(*FIRST)}, rows)


@pytest.mark.parametrize(
    ("changed", "ids", "words"),
    [
        ({}, ("law/1", "law/2"), "cuts off other documents"),
        ({}, (), "names none"),
        ({cut_off.RECIPE: {}}, ("law/1", "law/2", "law/3"), "cuts off other documents"),
        ({CUT_OFF: {"format": 1, "documents": {"law/1": 3, "law/2": 12}}}, tuple(FIRST), "law/3: .* differ"),
        ({CUT_OFF: {"format": 1, "documents": {**FIRST, "law/1": 0}}}, tuple(FIRST), "law/1 is used first at no step"),
        ({CUT_OFF: {"format": 1, "documents": {**FIRST, "law/1": True}}}, tuple(FIRST), "at no step"),
        ({CUT_OFF: {"format": 1, "documents": {**FIRST, "law/1": 11}}}, tuple(FIRST), "cut off so far"),
        ({CUT_OFF: {"format": 2, "documents": FIRST}}, tuple(FIRST), "no account|not an account"),
        ({CUT_OFF: [1]}, tuple(FIRST), "not an account"),
        ({cut_off.RECIPE: {"withdrawn": []}}, (), "train's statement names none"),
    ],
)
def test_none_can_be_dropped_from_one_place_alone(changed: dict[str, Any], ids: tuple[str, ...], words: str) -> None:
    with pytest.raises(GateError, match=words):
        cut_off.demand(files(**changed), {"train": statement(*ids)}, segments())
