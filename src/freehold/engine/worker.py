"""The child side of a job: read the spec, call the entry point, leave a result or a reason."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from freehold.errors import FreeholdError
from freehold.plugins import part, silence

ORPHAN_CHECK_S = 0.5


def main(spec: Path) -> int:
    """Run the job described in `spec`; the exit code is the job's."""
    silence()
    follow_parent()
    job: dict[str, Any] = json.loads(spec.read_text(encoding="utf-8"))
    folder = Path(job["folder"])
    try:
        result = part(job["entry"])(**job["arguments"])
    except FreeholdError as error:
        (folder / "failure.json").write_text(json.dumps({"message": str(error)}), encoding="utf-8")
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except Exception:
        (folder / "traceback.txt").write_text(traceback.format_exc(), encoding="utf-8")
        traceback.print_exc()
        return 1
    (folder / "result.json").write_text(json.dumps(result, ensure_ascii=False), encoding="utf-8")
    return 0


def follow_parent() -> None:
    """Die when the process that started us dies, so that a killed run leaves no orphan holding the workspace."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(ORPHAN_CHECK_S)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
