"""Verify, sign, rotate and revoke as a person types them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from freehold.cli.main import main
from freehold.proof import bundle


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run a verb with --json: exit code and what it said."""

    def call(*arguments: object) -> tuple[int, dict[str, Any]]:
        monkeypatch.setattr("sys.argv", ["freehold", *map(str, arguments), "--json"])
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        out = capsys.readouterr().out.strip().splitlines()
        return code, json.loads(out[-1]) if out else {}

    return call


@pytest.fixture
def release(tmp_path: Path, run) -> Path:
    """A sealed folder whose policy names ministry and archive, two of them due; nobody has signed."""
    folder = tmp_path / "tiny"
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "model.safetensors").write_bytes(b"weights")
    parties = {}
    for name in ("ministry", "archive", "clock"):
        code, made = run("keys", "new", name, "--folder", tmp_path)
        assert code == 0
        if name != "clock":
            parties[name] = made["artifact"]["digest"]
    bundle.write_policy(folder, parties=parties, threshold=2)
    bundle.seal(folder, name="tiny", version="1", licence="MIT", inputs={})
    return folder


def verdict(found: dict[str, Any]) -> str:
    return found["figures"]["checks"][0]["verdict"]


def test_two_parties_sign_and_a_witness_sees_it(release: Path, tmp_path: Path, run) -> None:
    trust = ["--trust", tmp_path / "ministry.pub", "--trust", tmp_path / "archive.pub"]
    assert run("sign", release, "--key", tmp_path / "ministry.key", "--party", "ministry")[0] == 0
    assert verdict(run("verify", release, *trust)[1]) == "FAIL"
    assert verdict(run("verify", release, *trust[:2])[1]) == "NOT CHECKED", "its own policy asks for two"
    assert run("sign", release, "--key", tmp_path / "ministry.key", "--party", "archive")[0] == 2, "not its key"
    assert run("sign", release, "--key", tmp_path / "archive.key", "--party", "archive")[0] == 0
    assert verdict(run("verify", release, *trust)[1]) == "PASS"
    assert run("sign", release, "--key", tmp_path / "clock.key", "--party", "clock", "--witness")[0] == 0
    code, found = run("verify", release, *trust, "--witness", tmp_path / "clock.pub", "--html", tmp_path / "x.html")
    assert (code, verdict(found)) == (3, "PASS"), "the folder holds no statements: lineage fails, signatures do not"
    assert {key["role"] for key in found["figures"]["keys"]} == {"trusted", "witness"}
    assert found["artifact"]["name"] == "tiny"
    assert found["figures"]["checks"][2]["findings"]
    assert (tmp_path / "x.html").is_file()


def test_rotate_and_revoke(release: Path, tmp_path: Path, run) -> None:
    for party in ("ministry", "archive"):
        run("sign", release, "--key", tmp_path / f"{party}.key", "--party", party)
    old = ["--trust", tmp_path / "clock.pub", "--threshold", 1]
    code, made = run("keys", "rotate", tmp_path / "clock.key", tmp_path / "ministry.key")
    assert (code, made["artifact"]["path"]) == (0, str(tmp_path / "ministry.rotation.json"))
    assert verdict(run("verify", release, *old)[1]) == "FAIL"
    assert verdict(run("verify", release, *old, "--statements", tmp_path / "ministry.rotation.json")[1]) == "PASS"
    assert run("keys", "rotate", tmp_path / "clock.key", tmp_path / "ministry.key")[0] == 2, "never overwritten"
    assert run("keys", "revoke", tmp_path / "ministry.key", "--reason", "stolen", "--since", "2026-01-02")[0] == 0
    found = run("verify", release, *old, "--statements", tmp_path)[1]
    assert verdict(found) == "FAIL"
    assert "revoked since 2026-01-02T00:00:00Z: stolen" in json.dumps(found)
