"""Check 4: the training chain is consistent, and its last checkpoint is the shipped weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from freehold.errors import GateError
from freehold.proof import canonical, chain
from freehold.proof.bundle import CHAINS
from freehold.proof.chain import MAX_CHAIN_BYTES, Segment
from freehold.proof.statements import StageStatement
from freehold.stages.verify import cut_off, recipes
from freehold.stages.verify.contents import Contents
from freehold.stages.verify.lineage import WEIGHTS, maker_of, read_steps


def check(contents: Contents) -> str:
    """What held, in words. Raises GateError where the chain breaks."""
    steps = read_steps(contents)
    files = [path for path in CHAINS if path in contents.listed]
    segments = chain.parse([(path, contents.read(path, max_bytes=MAX_CHAIN_BYTES)) for path in files])
    if not segments:
        raise GateError("no segment of training", where=CHAINS[0])
    if segments[0].stage != "train":
        raise GateError("does not begin with train", where=f"{files[0]}:1")
    begun(steps, segments[0])
    reached(contents, steps, segments)
    agreeing(contents, steps, segments)
    recipes.check(contents, steps, segments)
    gone = cut_off.demand(contents, steps, segments)
    trained = sum(segment.last_step - segment.first_step + 1 for segment in segments if segment.last_step)
    drawn = "from the weights drawn at step 0" if segments[0].first_step == 0 else "from step 1"
    origin = drawn if segments[0].base is None else f"from the open model with the weights {segments[0].base}"
    without = f", documents cut off: {gone:,}" if gone else ""
    return f"{len(segments)} segments, {trained:,} steps {origin} to the shipped weights{without}"


def begun(steps: Mapping[str, StageStatement], first: Segment) -> None:
    """Raise GateError unless the chain begins with the base that train read, or train read none and it names none."""
    where, read = CHAINS[0], steps["train"].files if "train" in steps else {}
    weights = {name.removeprefix("base/"): read[name] for name in read if name.startswith("base/")}
    digests = {name: digest for name, digest in weights.items() if name.endswith(WEIGHTS)}
    if digests and first.base is None:
        raise GateError("names no base, but train read the weights of one", where=f"{where}:1")
    if first.base is not None and (not digests or chain.weights_digest(digests) != first.base):
        raise GateError(f"begins with the base {first.base}, train read another", where=f"{where}:1")


def reached(contents: Contents, steps: Mapping[str, StageStatement], segments: Sequence[Segment]) -> None:
    """Raise GateError unless each stage's last checkpoint is the weights it made, and the last of all is shipped."""
    maker = maker_of(steps)
    last = {segment.stage: segment.checkpoint for segment in segments}
    for stage, checkpoint in last.items():
        if stage not in steps:
            raise GateError(f"goes through {stage}, which has no statement", where=CHAINS[-1])
        made = {path: facts["sha256"] for path, facts in steps[stage].manifest.items()}
        if checkpoint != weights_of(made):
            raise GateError(
                f"the last checkpoint of {stage} is not the weights it made", where=f"evidence/{stage}/chain.jsonl"
            )
    if segments[-1].stage != maker:
        raise GateError(f"ends with {segments[-1].stage}, but {maker} made the model", where=CHAINS[-1])
    if segments[-1].checkpoint != weights_of(contents.listed):
        raise GateError(f"the chain ends with {segments[-1].checkpoint}, other weights are shipped", where="model")


def agreeing(contents: Contents, steps: Mapping[str, StageStatement], segments: Sequence[Segment]) -> None:
    """Raise GateError unless each recipe agrees with its chain: seed, number of steps, the weights it began with.

    A recipe is read as far as it says these things; the seed must be the charter's.
    """
    last = {segment.stage: segment for segment in segments}
    for stage, final in last.items():
        where = f"evidence/{stage}/recipe.json"
        if where not in contents.listed:
            continue
        recipe = canonical.load(contents.read(where), where=where)
        if not isinstance(recipe, dict):
            raise GateError("is no table", where=where)
        seeds = {segment.seed for segment in segments if segment.stage == stage} | declared_seed(steps[stage])
        if "seed" in recipe and any(type(recipe["seed"]) is not int or seed != recipe["seed"] for seed in seeds):
            raise GateError(f"gives the seed {recipe['seed']}, the chain or the charter another", where=where)
        if "steps" in recipe and recipe["steps"] != final.last_step:
            raise GateError(f"gives {recipe['steps']} steps, the chain {final.last_step}", where=where)
        if stage == "refine" and "base" in recipe and recipe["base"] != last["train"].checkpoint:
            raise GateError("began with other weights than train ended with", where=where)


def declared_seed(step: StageStatement) -> set[int]:
    """The seed in the charter's words, as the stage's statement repeats them."""
    words = step.parameters.get("train")
    seed = words.get("seed") if isinstance(words, dict) else None
    return set() if seed is None else {seed} if type(seed) is int else {-1}


def weights_of(files: Mapping[str, str]) -> str:
    """The digest of the weights among files {path: SHA-256}, named below model/. Raises GateError if there are none."""
    weights = {
        path.removeprefix("model/"): digest
        for path, digest in files.items()
        if path.startswith("model/") and path.endswith(WEIGHTS)
    }
    if not weights:
        raise GateError("holds no weights", where="model")
    return chain.weights_digest(weights)
