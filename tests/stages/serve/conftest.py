"""A real server process on a free loopback port, with a tiny random model."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from tiny_model import tiny_folder

PROGRAM = """
import sys
from pathlib import Path
from freehold.stages.serve.run import serve
serve(Path(sys.argv[1]), port=0)
"""


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with model/ in it, as releases have."""
    folder = tmp_path_factory.mktemp("served") / "tiny-town"
    tiny_folder(folder / "model", context=256)
    return folder


@pytest.fixture(scope="session")
def url(release: Path) -> Iterator[str]:
    """Where the server answers."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", PROGRAM, str(release)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"answers at (http://127\.0\.0\.1:\d+)/v1", line)
        assert found, line
        yield found[1]
        process.terminate()
        assert process.wait(timeout=20) == 0 or process.returncode == -15


@pytest.fixture(scope="session")
def client(url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0, timeout=60) as client:
        yield client
