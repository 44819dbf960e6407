"""The chain of training: links, steps, stages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from freehold.errors import GateError
from freehold.proof import chain


def rows(*changes: dict[str, Any], relink: bool = True) -> bytes:
    """Four sound segments with `changes` put over the first of them; `previous` recomputed when `relink`."""
    base = {"documents": chain.documents_root(["a"]), "seed": 1, "learning_rate": 0.02, "checkpoint": "c" * 64}
    steps = [("train", 0, 0), ("train", 1, 10), ("train", 11, 20), ("refine", 1, 4)]
    data, previous = b"", chain.GENESIS
    for position, (stage, first, last) in enumerate(steps):
        row = base | {"stage": stage, "first_step": first, "last_step": last, "previous": previous}
        row |= changes[position] if position < len(changes) else {}
        line = chain.line(row)
        if relink or position >= len(changes):
            previous = chain.line_digest(line)
        data += line + b"\n"
    return data


def test_a_sound_chain_in_one_file_or_two() -> None:
    data = rows()
    whole = chain.parse([("chain.jsonl", data)])
    head = b"".join(data.splitlines(keepends=True)[:3])
    assert chain.parse([("train", head), ("refine", data[len(head) :])]) == whole
    assert [(one.stage, one.first_step, one.last_step) for one in whole][-1] == ("refine", 1, 4)
    assert whole[3].previous == chain.last_digest(head) == chain.line_digest(head.splitlines()[2])
    assert chain.last_digest(b"") == chain.GENESIS
    assert chain.parse([]) == ()


@pytest.mark.parametrize(
    ("position", "change", "reason"),
    [
        (1, {"first_step": 2}, "the step due is 1"),
        (2, {"first_step": 10}, "the step due is 11"),
        (2, {"first_step": 12}, "the step due is 11"),
        (2, {"last_step": 10}, "before it begins"),
        (0, {"last_step": 5}, "stands alone"),
        (3, {"stage": "train"}, "the step due is 21"),
        (1, {"previous": "0" * 64}, "previous is"),
        (1, {"seed": True}, "seed is True"),
        (1, {"seed": "1"}, "seed is '1'"),
        (1, {"learning_rate": None}, "learning_rate is None"),
        (1, {"checkpoint": "C" * 64}, "checkpoint is"),
        (1, {"stage": "../x"}, "stage is"),
        (1, {"first_step": 1.0}, "first_step is"),
        (1, {"extra": 1}, "exactly the fields"),
        (0, {"base": "llama"}, "base is 'llama'"),
        (1, {"base": "b" * 64}, "only the weights before the first step"),
        (3, {"base": "b" * 64}, "only the weights before the first step"),
    ],
)
def test_a_broken_segment_is_named_even_when_all_links_are_made_anew(
    position: int, change: dict[str, Any], reason: str
) -> None:
    with pytest.raises(GateError, match=reason) as refused:
        chain.parse([("chain.jsonl", rows(*[{}] * position, change))])
    assert refused.value.where in {f"chain.jsonl:{position + 1}"}


def test_the_first_line_may_name_the_open_model_it_went_on_from() -> None:
    first, second, *_ = chain.parse([("chain.jsonl", rows({"base": "b" * 64}))])
    assert (first.base, second.base) == ("b" * 64, None)


def test_what_is_cut_off_stays_out_for_the_rest_of_its_stage() -> None:
    root = chain.withdrawn_root(["b", "a"])
    assert root == chain.documents_root(["a", "b"])
    for gone in ([1, 2], [2], [0, 1, 2], [3], [2, 3]):
        told = [{"withdrawn": root} if place in gone else {} for place in range(4)]
        found = chain.parse([("chain.jsonl", rows(*told))])
        assert [place for place, segment in enumerate(found) if segment.withdrawn == root] == gone
    with pytest.raises(GateError, match=r"chain.jsonl:3: .*stays out"):
        chain.parse([("chain.jsonl", rows({}, {"withdrawn": root}))])
    with pytest.raises(GateError, match="withdrawn is None"):
        chain.parse([("chain.jsonl", rows({"withdrawn": None}))])


def test_a_stage_does_not_come_back() -> None:
    data = rows() + chain.line(
        json.loads(rows().splitlines()[2]) | {"previous": chain.last_digest(rows()), "first_step": 1}
    )
    with pytest.raises(GateError, match="comes back"):
        chain.parse([("chain.jsonl", data)])


def test_every_changed_dropped_or_moved_line_breaks_a_link() -> None:
    lines = rows().splitlines()
    for position in range(3):
        changed = lines.copy()
        changed[position] = changed[position].replace(b'"seed":1', b'"seed":2')
        for wrong in (changed, lines[:position] + lines[position + 1 :]):
            with pytest.raises(GateError):
                chain.parse([("chain.jsonl", b"\n".join(wrong))])
    with pytest.raises(GateError):
        chain.parse([("chain.jsonl", b"\n".join([lines[0], lines[2], lines[1], lines[3]]))])


def test_weights_of_one_file_are_its_digest_and_of_several_their_table() -> None:
    assert chain.weights_digest({"model.safetensors": "a" * 64}) == "a" * 64
    two = chain.weights_digest({"1": "a" * 64, "2": "b" * 64})
    assert (
        two
        == chain.weights_digest({"2": "b" * 64, "1": "a" * 64})
        != chain.weights_digest({"1": "b" * 64, "2": "a" * 64})
    )


def test_documents_root_depends_on_order() -> None:
    assert chain.documents_root(["a", "b"]) != chain.documents_root(["b", "a"])
