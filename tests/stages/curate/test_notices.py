"""Where notices come from: the charter's folder and the readers' archives."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from freehold import charter_file
from freehold.charter import Charter
from freehold.errors import InputError
from freehold.stages.curate.notices import agents, gather, lines
from freehold.stages.curate.parts import write_table
from freehold.store.closure import sources_of

ROBOTS = b"User-agent: *\nDisallow: /\n"
ARCHIVE = pa.schema(
    [("host", pa.string()), ("kind", pa.string()), ("url", pa.string()), ("retrieved", pa.string()),
     ("status", pa.int64()), ("body", pa.binary()), ("sha256", pa.string())]
)  # fmt: skip


def put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


@pytest.fixture
def charter(charter_of: Callable[..., Path], tmp_path: Path) -> Charter:
    put(tmp_path / "law.txt", b"x")
    put(tmp_path / "notices" / ".hidden", b"")
    return charter_file.load(charter_of({"law": {"path": "law.txt", "origin": "o"}}, policy='notices = "notices"'))


def test_a_folder_of_notices(charter: Charter) -> None:
    folder = charter.folder / "notices"
    put(folder / "E.org" / "robots.txt", ROBOTS)
    put(folder / "E.org" / "2024-05-01" / "robots.txt", b"\xff\xfe\x00" * 500_000)
    put(folder / "E.org" / "2025-05-01" / "tdmrep.json", b"[")
    meta = {"retrieved": "2025-05-01T10:00:00Z", "status": {"robots.txt": "unreachable", "tdmrep.json": 200}}
    put(folder / "E.org" / "2025-05-01" / "meta.json", json.dumps(meta).encode())
    found = list(lines(gather(charter, [])))
    assert [(row["kind"], row["retrieved"], row["status"], row["readable"]) for row in found] == [
        ("robots", None, None, True),
        ("robots", "2024-05-01", None, True),
        ("robots", "2025-05-01T10:00:00Z", 0, True),
        ("tdmrep", "2025-05-01T10:00:00Z", 200, False),
    ]
    assert {row["host"] for row in found} == {"e.org"}
    assert found[0]["sha256"] == hashlib.sha256(ROBOTS).hexdigest()
    assert found[1]["sha256"] == hashlib.sha256(b"\xff\xfe\x00" * 500_000).hexdigest()  # of all bytes
    assert found[2]["sha256"] is None
    assert "policy/notices/E.org/2024-05-01/robots.txt" in charter.files("policy")


@pytest.mark.parametrize(
    ("name", "data", "fault"),
    [
        ("robots.txt", ROBOTS, "no folder of a host"),
        ("e.org/humans.txt", b"", "no notice"),
        ("e.org/yesterday/robots.txt", ROBOTS, "no day"),
        ("e.org/meta.json", b"{", "meta.json"),
        ("e.org/meta.json", b'{"date": "2024-01-01"}', "meta.json"),
        ("e.org/meta.json", b'{"retrieved": "May"}', "ISO"),
        ("e.org/meta.json", b'{"status": {"robots.txt": "OK"}}', "HTTP status"),
        ("e.org/meta.json", b'{"status": {"robots.txt": 7}}', "HTTP status"),
        ("e.org/meta.json", b'{"status": {"humans.txt": 200}}', "file names"),
    ],
)
def test_a_folder_that_is_laid_out_otherwise(charter: Charter, name: str, data: bytes, fault: str) -> None:
    put(charter.folder / "notices" / name, data)
    with pytest.raises(InputError, match=fault):
        gather(charter, [])


def test_notices_of_an_archive(charter: Charter, tmp_path: Path) -> None:
    row = {
        "host": "e.org",
        "kind": "robots",
        "url": "https://e.org:8443/robots.txt",
        "retrieved": "2024-01-01T00:00:00Z",
        "status": 200,
        "body": ROBOTS,
        "sha256": hashlib.sha256(ROBOTS).hexdigest(),
    }
    write_table(tmp_path / "notices-00000.parquet", [row, row], ARCHIVE)
    (found,) = gather(charter, [tmp_path / "notices-00000.parquet"])
    assert (found.host, found.status, found.body) == ("e.org:8443", 200, ROBOTS.decode())


def test_the_list_of_agents_is_part_of_the_code() -> None:
    assert {"GPTBot", "CCBot", "Google-Extended"} <= set(agents())
    assert len(agents()) == len(set(agents()))
    assert "agents.toml" in [path.name for path in sources_of("freehold.stages.curate")]
