"""Run every bench and say what falls short."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Exit 0 if every figure holds or cannot be measured here."""
    short = 0
    folder = Path(__file__).parent
    for script in sorted(folder.glob("*.py")):
        if script.name in ("all.py", "report.py"):
            continue
        print(f"── {script.stem}", flush=True)
        command = [sys.executable, str(script), *sys.argv[1:], "--json"]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
        if done.returncode:
            print(f"   ended with {done.returncode}")
            short += 1
            continue
        for figure in json.loads(done.stdout):
            if figure["holds"] is not True:
                value = "–" if figure["value"] is None else f"{figure['value']:.4g} {figure['unit']}"
                verdict = "FALLS SHORT" if figure["holds"] is False else "no verdict"
                print(f"   {verdict}: {figure['figure']} {value} {figure['goal']} {figure['why']}")
            short += figure["holds"] is False
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
