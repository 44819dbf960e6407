from __future__ import annotations

from typing import Any

import pytest
import torch

from freehold.errors import InputError
from freehold.learn import compilation, setting
from freehold.learn.setting import ranks_of, same_machine

MODEL = {"heads": 2}


def recipe_of(**chosen: Any) -> dict[str, Any]:
    begun = {"device": "cpu", "torch": torch.__version__, "kernels": setting.kernels(), "compiled": False}
    return {**begun, "samples": 4, "model": MODEL, **chosen}


def test_a_run_goes_on_where_it_began() -> None:
    same_machine(recipe_of(), where="recipe.json")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"torch": "1.0"}, r"recipe.json: this run began with torch 1.0, and here is .*; install torch 1.0, or start"),
        ({"kernels": "vax"}, r"began with the kernels 'vax', and here are .*; .*--resume never"),
        ({"device": "cuda"}, r"this run began on a GPU, and torch sees none here"),
        ({"compiled": True}, r"this run began compiled, and nothing here compiles"),
    ],
)
def test_elsewhere_it_says_what_differs(changed: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilation, "possible", lambda device: False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match=message):
        same_machine(recipe_of(**changed), where="recipe.json")


def test_a_gpu_does_not_ask_for_the_kernels_of_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    same_machine(recipe_of(device="cuda", kernels="vax"), where="recipe.json")


def test_ranks_fit_the_machine_and_the_batch() -> None:
    assert ranks_of(0, recipe_of()) == 1 and ranks_of(4, recipe_of()) == 4
    with pytest.raises(InputError, match="5 ranks cannot share a batch of 4"):
        ranks_of(5, recipe_of())
    with pytest.raises(InputError, match="experts"):
        ranks_of(2, recipe_of(model={**MODEL, "experts": {"count": 8}}))
