"""The stack: what decides the last digits of a training, where it ran and here."""

from __future__ import annotations

import platform

import torch

from freehold.learn import compilation
from freehold.learn.phases import Recipe
from freehold.learn.setting import kernels
from freehold.proof.statements import StageStatement
from freehold.store.environment import processor

Stack = dict[str, str]
UNTOLD = "not told"


def there(recipe: Recipe, step: StageStatement) -> Stack:
    """The stack that trained, as the recipe and the statement of the stage tell it."""
    environment = step.environment
    return {
        "python": str(environment.get("python", UNTOLD)),
        "system": str(environment.get("system", UNTOLD)),
        "processor": str(environment.get("processor", UNTOLD)),
        "torch": str(recipe["torch"]),
        "device": recipe["device"],
        "kernels": recipe["kernels"],
        "threads": str(recipe["threads"]),
        "compiled": str(recipe["compiled"]),
        "ranks": ranks_of(recipe, step),
        "gpu": "none" if recipe["device"] == "cpu" else UNTOLD,
    }


def here(recipe: Recipe) -> Stack:
    """The stack that a recipe is replayed on, after `adapted`."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "torch": torch.__version__,
        "device": recipe["device"],
        "kernels": kernels(),
        "threads": str(recipe["threads"]),
        "compiled": str(recipe["compiled"]),
        "ranks": "1",
        "gpu": "none" if recipe["device"] == "cpu" else torch.cuda.get_device_name(),
    }


def adapted(recipe: Recipe) -> Recipe:
    """The recipe as this machine can follow it: on a CPU where it has no GPU, plain where nothing compiles.

    The number of threads stays, for sums are split by it; a machine with fewer cores is only slower.
    """
    device = recipe["device"] if recipe["device"] == "cpu" or torch.cuda.is_available() else "cpu"
    return {**recipe, "device": device, "compiled": recipe["compiled"] and compilation.possible(device)}


def ranks_of(recipe: Recipe, step: StageStatement) -> str:
    """How many ranks shared every batch, as far as the charter's words tell: on GPUs, 0 means as many as there were."""
    declared = step.parameters.get("train", {}).get("ranks", 0) if step.stage == "train" else 1
    return str(declared or (1 if recipe["device"] == "cpu" else UNTOLD))


def differences(there: Stack, here: Stack) -> tuple[str, ...]:
    """In what two stacks differ, each with both values.

    >>> differences({"threads": "2", "torch": "2.11"}, {"threads": "1", "torch": "2.11"})
    ('threads 2, here 1',)
    """
    return tuple(f"{name} {there[name]}, here {here[name]}" for name in there if there[name] != here[name])
