"""Run the train stage of a charter over a tokenize artifact in a process of its own, so that it can be killed."""

from __future__ import annotations

import sys
from pathlib import Path

from freehold import charter_file
from freehold.progress import Progress
from freehold.stage import Identity, Stage
from freehold.stages.train.run import run
from freehold.store.workspace import Sealed, Workspace


def main(charter: Path, tokenized: Path, output: Path) -> None:
    output.mkdir(parents=True, exist_ok=True)
    sealed = Sealed(stage="tokenize", key="tokenize", digest="0" * 64, path=tokenized, attestation=tokenized)
    stage = Stage(
        charter=charter_file.load(charter),
        identity=Identity(stage="train", format=1, code="", parameters={}, inputs={}, files={}),
        inputs={"tokenize": sealed},
        workspace=Workspace(output.parent / "workspace"),
        output=output,
        run_folder=output.parent,
        progress=Progress(quiet=True),
    )
    run(stage)


if __name__ == "__main__":
    main(*(Path(name) for name in sys.argv[1:4]))
