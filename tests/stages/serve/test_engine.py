"""What happens when the engine is full, fails or closes; in this process, over the same routes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from freehold.errors import InputError
from freehold.model.folder import open_folder
from freehold.proof.chain import weights_digest
from freehold.stages.serve.app import create_app
from freehold.stages.serve.embedded import Embedded
from freehold.stages.serve.generator import Served
from freehold.stages.serve.release import find
from freehold.stages.serve.run import is_loopback, listen, serve

WANTED = {"model": "tiny", "prompt": "Die Würde", "max_tokens": 30}


def engine_of(release: Path, *, max_waiting: int = 64) -> Embedded:
    served = Served(name="tiny", created=0, fingerprint=None, context=256, chats=True)
    return Embedded(open_folder(release / "model", slots=2), served=served, max_waiting=max_waiting)


def with_client(
    engine: Embedded, use: Callable[[httpx.AsyncClient], Awaitable[list[httpx.Response]]]
) -> list[httpx.Response]:
    async def run() -> list[httpx.Response]:
        transport = httpx.ASGITransport(create_app(engine))
        async with httpx.AsyncClient(transport=transport, base_url="http://tiny") as client:
            return await use(client)

    return asyncio.run(run())


def test_a_full_queue_answers_429_with_a_time_to_wait(release: Path) -> None:
    engine = engine_of(release, max_waiting=3)

    async def crowd(client: httpx.AsyncClient) -> list[httpx.Response]:
        return await asyncio.gather(*(client.post("/v1/completions", json=WANTED) for _ in range(12)))

    answers = with_client(engine, crowd)
    engine.close()
    assert {answer.status_code for answer in answers} == {200, 429}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.headers["Retry-After"] == "1"
    assert refused.json()["error"]["type"] == "rate_limit_error"


def test_a_failure_of_the_engine_is_told_and_the_next_call_is_answered(
    release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_of(release)
    real = engine.decoder.cache.decode
    broken = True

    def failing(*given: object, **named: object) -> object:
        if broken:
            raise RuntimeError("out of memory")
        return real(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(engine.decoder.cache, "decode", failing)

    async def thrice(client: httpx.AsyncClient) -> list[httpx.Response]:
        nonlocal broken
        steady = {**WANTED, "temperature": 0}  # chance must not end an answer before it can fail
        streamed = await client.post("/v1/completions", json={**steady, "stream": True})
        whole = await client.post("/v1/completions", json=steady)
        broken = False
        return [streamed, whole, await client.post("/v1/completions", json=steady)]

    streamed, whole, after = with_client(engine, thrice)
    engine.close()
    assert '"server_error"' in streamed.text and "[DONE]" not in streamed.text
    assert whole.status_code == 500 and "out of memory" in whole.json()["error"]["message"]
    assert after.status_code == 200
    assert len(engine.decoder.free) == 2


def test_a_closing_engine_tells_those_who_wait(release: Path) -> None:
    engine = engine_of(release)

    async def close_under(client: httpx.AsyncClient) -> list[httpx.Response]:
        asked = asyncio.gather(*(client.post("/v1/completions", json={**WANTED, "max_tokens": 250}) for _ in range(4)))
        await asyncio.sleep(0.05)
        await asyncio.to_thread(engine.close)
        return [*await asked, await client.post("/v1/completions", json=WANTED)]

    *under_way, late = with_client(engine, close_under)
    assert {answer.status_code for answer in under_way} <= {500, 429, 200}
    assert 500 in {answer.status_code for answer in under_way}
    assert late.status_code == 429


def test_what_cannot_be_served_is_named(release: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no model here"):
        serve(tmp_path)
    with listen("127.0.0.1", 0) as taken:
        taken.listen()
        with pytest.raises(InputError, match="cannot listen"):
            serve(release, port=taken.getsockname()[1])
    with pytest.raises(InputError, match="cannot listen"):
        serve(release, host="no.such.host.invalid")


def test_a_bare_folder_is_served_under_its_own_name(release: Path) -> None:
    assert find(release).name == "tiny-town"
    assert find(release / "model").folder == release / "model"
    assert find(release / "model").name == "model"


def test_a_release_names_its_model_and_its_weights(release: Path, tmp_path: Path) -> None:
    (tmp_path / "evidence").mkdir()
    (tmp_path / "model").symlink_to(release / "model")
    path = tmp_path / "evidence" / "release.json"
    path.write_text('{"name": "commons", "files": {"model/model.safetensors": {"sha256": "abcdef0123456789"}}}')
    found = find(tmp_path)
    assert (found.name, found.fingerprint) == ("commons", "fp_abcdef012345")
    path.write_text("{")
    with pytest.raises(InputError, match="not JSON"):
        find(tmp_path)


def test_a_release_in_shards_is_named_by_all_of_them(release: Path, tmp_path: Path) -> None:
    shas = {"model-00001-of-00002.safetensors": "a" * 64, "model-00002-of-00002.safetensors": "b" * 64}
    (tmp_path / "evidence").mkdir()
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    for name in shas:
        (tmp_path / "model" / name).write_bytes(b"")
    files = {f"model/{name}": {"sha256": sha} for name, sha in shas.items()}
    path = tmp_path / "evidence" / "release.json"
    path.write_text(json.dumps({"name": "commons", "files": files}))
    assert find(tmp_path).fingerprint == f"fp_{weights_digest(shas)[:12]}"
    files.popitem()
    path.write_text(json.dumps({"name": "commons", "files": files}))
    assert find(tmp_path).fingerprint is None


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("example.org", False)],
)
def test_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
