"""Sources in a real object store: fetched once, gone on with when killed, read without a network."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import obstore
import pytest
from legal_prose import prose
from obstore.store import S3Store

from freehold import charter_file
from freehold.errors import InputError
from freehold.mirror import Address
from freehold.progress import Progress
from freehold.stages.curate import fetching
from object_store import ObjectStore

Write = Callable[..., Path]
BUCKET = "laws"


@pytest.fixture
def bucket(object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[S3Store]:
    """An empty bucket, with its keys in the environment."""
    for name, value in object_store.environment.items():
        monkeypatch.setenv(name, value)
    object_store.make_bucket(BUCKET)
    store = S3Store(BUCKET, client_options={"allow_http": True})
    for page in obstore.list(store):
        for meta in page:
            obstore.delete(store, meta["path"])
    yield store


def texts(*numbers: int) -> bytes:
    rows = [{"id": f"d{n}", "text": prose("deu", n, words=200)} for n in numbers]
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def charter_for(charter_of: Write, path: str) -> Path:
    return charter_of({"law": {"path": path, "origin": "o", "licence": "CC0-1.0", "language": "deu"}})


def fetch(path: Path, **options: Any) -> fetching.Fetched:
    charter = charter_file.load(path)
    return fetching.fetch(charter, charter.sources[0], progress=Progress(quiet=True), **options)


def freehold(*words: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "freehold.cli.main", *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=120)


def test_fetched_once_and_read_without_a_network(charter_of: Write, bucket: S3Store) -> None:
    obstore.put(bucket, "de/a.jsonl", texts(*range(40)))
    obstore.put(bucket, "de/sub/b.jsonl", texts(*range(40, 60)))
    obstore.put(bucket, "de/.hidden/c.jsonl", texts(70))
    obstore.put(bucket, "fr/x.jsonl", texts(80))
    path = charter_for(charter_of, f"s3://{BUCKET}/de")

    early = freehold("curate", str(path))
    assert early.returncode == 2 and "freehold fetch charter.toml" in early.stderr and "charter.toml:" in early.stderr
    assert fetch(path, dry_run=True).fetched == 2 and not (path.parent / ".freehold" / "mirror").exists()

    first = freehold("fetch", str(path), "--json")
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout)["figures"]["sources"]["law"]["fetched"] == 2
    assert fetch(path).fetched == 0

    offline = {**os.environ, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    made = freehold("curate", str(path), "--json", environment=offline)
    assert made.returncode == 0, made.stderr
    artifact = Path(json.loads(made.stdout)["artifact"]["path"])
    (source,) = [json.loads(line) for line in (artifact / "sources.jsonl").read_text().splitlines()]
    assert {file["path"] for file in source["files"]} == {"law/a.jsonl", "law/sub/b.jsonl"}


def test_what_changed_is_fetched_and_what_went_goes(charter_of: Write, bucket: S3Store) -> None:
    for name, numbers in (("a", (1, 2)), ("b", (3,)), ("c", (4,))):
        obstore.put(bucket, f"de/{name}.jsonl", texts(*numbers))
    path = charter_for(charter_of, f"s3://{BUCKET}/de/*.jsonl")
    assert fetch(path).fetched == 3
    time.sleep(1.1)  # the store tells time in seconds
    obstore.put(bucket, "de/b.jsonl", texts(9))
    obstore.delete(bucket, "de/c.jsonl")
    found = fetch(path)
    assert (found.objects, found.fetched, found.removed) == (2, 1, 1)
    charter = charter_file.load(path)
    files = charter.files_of(charter.sources[0])
    assert [file.name for file in files] == ["a.jsonl", "b.jsonl"] and files[1].read_bytes() == texts(9)


def test_a_key_may_become_a_folder_and_a_folder_a_key(charter_of: Write, bucket: S3Store) -> None:
    obstore.put(bucket, "de/a", texts(1))
    obstore.put(bucket, "de/b/c", texts(2))
    path = charter_for(charter_of, f"s3://{BUCKET}/de")
    assert fetch(path).fetched == 2
    for key in ("de/a", "de/b/c"):
        obstore.delete(bucket, key)
    obstore.put(bucket, "de/a/d", texts(3))
    obstore.put(bucket, "de/b", texts(4))
    assert (fetch(path).fetched, fetch(path).removed) == (2, 0)
    charter = charter_file.load(path)
    assert [file.read_bytes() for file in charter.files_of(charter.sources[0])] == [texts(3), texts(4)]
    assert not any((charter.mirror_of(charter.sources[0]).folder / "partial").glob("*"))


def test_a_killed_fetch_goes_on_within_an_object(charter_of: Write, bucket: S3Store) -> None:
    data = os.urandom(24_000_000)
    obstore.put(bucket, "big.bin", data)
    path = charter_for(charter_of, f"s3://{BUCKET}")
    mirror = charter_file.load(path).mirror_of(charter_file.load(path).sources[0])
    slow = (
        "import sys, time\nfrom pathlib import Path\nfrom freehold import charter_file\n"
        "from freehold.progress import Progress, Task\nfrom freehold.stages.curate import fetching\n"
        "fetching.BLOCK_BYTES = 1 << 20\nonward = Task.advance\n"
        "Task.advance = lambda self, *a, **k: (onward(self, *a, **k), time.sleep(0.2))[0]\n"
        f"charter = charter_file.load(Path({str(path)!r}))\n"
        "fetching.fetch(charter, charter.sources[0], progress=Progress(quiet=True))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", slow], start_new_session=True)
    partial = mirror.folder / "partial"
    until = time.monotonic() + 60
    while not any(file.stat().st_size > 2_000_000 for file in partial.glob("*")):
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    with pytest.raises(InputError, match="has not been fetched"):
        charter_file.load(path).files_of(charter_file.load(path).sources[0])
    (left,) = partial.iterdir()
    assert 0 < left.stat().st_size < len(data)
    left.write_bytes(b"#" * 1000)  # were it fetched from the start, these would not stay
    fetch(path)
    held = mirror.place("big.bin").read_bytes()
    assert held[:1000] == b"#" * 1000 and held[1000:] == data[1000:]


def test_refusals_say_what_to_do(charter_of: Write, bucket: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    obstore.put(bucket, "de/a.jsonl", texts(1))
    with pytest.raises(InputError, match=r"no object matches .*; correct the path"):
        fetch(charter_for(charter_of, f"s3://{BUCKET}/it"))
    with pytest.raises(InputError, match="no such bucket"):
        fetch(charter_for(charter_of, "s3://nobody"))
    with pytest.raises(InputError, match="names no bucket"):
        fetch(charter_for(charter_of, "s3:///de"))
    path = charter_for(charter_of, f"s3://{BUCKET}/de")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(InputError, match="access is refused; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"):
        fetch(path)
    monkeypatch.setattr(fetching, "PATIENCE", {"max_retries": 0})
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(InputError, match="look at AWS_ENDPOINT_URL"):
        fetch(path)


def test_keys_that_are_no_files_are_left_in_the_ledger() -> None:
    keys = ["a", "a/b", "A", "c/d", "c/d/e", "c:x", "../f", "g"]
    rows = [fetching.Held(key=key, size=1, tag="t", changed="2026-01-01T00:00:00Z") for key in sorted(keys)]
    left = {held.key for held in fetching.judged(rows) if held.fault == "unsafe-name"}
    assert left == {"a", "a/b", "c/d/e", "c:x", "../f"}


@pytest.mark.parametrize(
    ("path", "key", "means"),
    [
        ("s3://laws", "a/b", True),
        ("s3://laws/a", "a/b", True),
        ("s3://laws/a", "a", True),
        ("s3://laws/a", "ab", False),
        ("s3://laws/a/", "a/b", True),
        ("s3://laws/**/x.txt", "a/b/x.txt", True),
        ("s3://laws/*/x.txt", "a/b/x.txt", False),
        ("s3://laws/a?.txt", "ab.txt", True),
        ("s3://laws/a#b?", "a#bc", True),
    ],
)
def test_what_an_address_means(path: str, key: str, means: bool) -> None:
    assert Address.of(path).means(key) is means
