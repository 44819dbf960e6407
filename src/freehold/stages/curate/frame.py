"""The data frame: the only file that knows Daft, on its native runner here and the same code on Ray elsewhere.

What Daft moves between its operators and processes is paths, ids and hashes, never text: its own sort and distinct on
text take 8–10 GB for 3 GB of it.
"""

from __future__ import annotations

import importlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pyarrow as pa

from freehold.errors import FreeholdError, InputError
from freehold.plugins import SILENCE, need, silence

silence()  # before Daft is imported: its telemetry is on by default
daft = need("daft")
col = daft.col
functions = daft.functions

ORPHAN_CHECK_S: Final = 0.1
KNOCK_S: Final = 10.0
PARTITIONS_PER_CORE: Final = 4  # so that no core of a cluster waits long for the last


def use(runner: str) -> None:
    """Work on this machine (`local`), or on the Ray cluster of this machine or of RAY_ADDRESS (`ray`), or on the one
    whose client server is at `ray://HOST:PORT`; once per process. Ray's workers must see the same files under the
    same paths, and import the same Freehold. Raises InputError where no cluster answers.
    """
    if runner == "local":
        return
    ray = need("ray")
    try:
        knock(os.environ.get("RAY_ADDRESS", "") if runner == "ray" else runner)
        ray.init(
            address="auto" if runner == "ray" else runner,
            log_to_driver=False,
            logging_level="ERROR",
            ignore_reinit_error=True,
            runtime_env={"env_vars": SILENCE},
        )
    except (ConnectionError, OSError, ValueError) as error:
        fault = (str(error).splitlines() or [type(error).__name__])[0]
        advice = "start one with `ray start --head`, name it in RAY_ADDRESS, or use --runner local"
        raise InputError(f"no Ray cluster answers: {fault[:200]}", where="--runner", remedy=advice) from error
    daft.set_runner_ray(noop_if_initialized=True)


def knock(address: str) -> None:
    """Raise OSError if nobody listens at an address with a port; Ray itself would go on asking for minutes."""
    named = urlsplit(address if "//" in address else f"//{address}")
    if named.hostname and named.port:
        socket.create_connection((named.hostname, named.port), timeout=KNOCK_S).close()


def on_ray() -> bool:
    """Whether work is done by a Ray cluster."""
    return bool(daft.get_or_infer_runner_type() == "ray")


def cores() -> int:
    """Processors that the work may use: of this process, or of the whole cluster."""
    if on_ray():
        return max(1, int(need("ray").cluster_resources().get("CPU", 1)))
    return len(os.sched_getaffinity(0))


def each(work: Callable[[str], str], tasks: Sequence[str], *, processes: int) -> Iterator[str]:
    """Do `work` (a function of a module, str → str) for every task; results as they come.

    One process works here and in order, several are Daft's. Raises what the work raises, and FreeholdError if a
    worker dies.
    """
    if processes <= 1 or len(tasks) <= 1:
        yield from map(work, tasks)
        return
    worker = workers(work.__module__, work.__qualname__, processes=min(processes, len(tasks)))
    frame = daft.from_pydict({"task": list(tasks)})
    if on_ray():  # there a partition stays whole on one node
        frame = frame.into_partitions(min(len(tasks), processes * PARTITIONS_PER_CORE))
    frame = frame.select(worker.perform(col("task")).alias("result"))
    try:
        for row in frame.iter_rows(results_buffer_size=None):
            yield row["result"]
    except daft.errors.UDFException as error:
        raise error.__cause__ or error from None
    except RuntimeError as error:
        if "UDF process" not in str(error):
            raise
        remedy = "run again; if it dies again it ran out of memory: give it more, or split the largest file"
        raise FreeholdError("a worker process died", remedy=remedy) from error


def workers(module: str, name: str, *, processes: int) -> Any:
    """A pool of processes that each import the function once and then do tasks one at a time."""

    @daft.cls(use_process=True, max_concurrency=processes)
    class Worker:
        """One process."""

        def __init__(self) -> None:
            threading.Thread(target=leave_with_parent, daemon=True).start()
            self.function: Callable[[str], str] = getattr(importlib.import_module(module), name)

        @daft.method.batch(return_dtype=daft.DataType.string(), batch_size=1)  # type: ignore[untyped-decorator]
        def perform(self, batch: Any) -> list[str]:
            return [self.function(task) for task in batch.to_pylist()]

    return Worker()


def leave_with_parent() -> None:
    """End this worker soon after the process that started it is gone, so that no orphan writes into the next run."""
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(ORPHAN_CHECK_S)
    os._exit(1)


def passed(judged: Sequence[Path], *columns: str) -> pa.Table:
    """Columns (never the text) of all records that no rule turned away, in reading order."""
    frame = read(judged).where(col("reason").is_null()).select("row", *columns)
    return frame.to_arrow().sort_by("row")


def read(paths: Sequence[Path]) -> Any:
    """A frame over Parquet files."""
    return daft.read_parquet([str(path) for path in paths])
