"""One spelling for one file."""

from __future__ import annotations

import pytest

from freehold.proof.names import problem, twin


@pytest.mark.parametrize(
    "path", ["a", "model/model-00001-of-00002.safetensors", ".gitattributes", "größe/法令.txt", "a b"]
)
def test_allowed(path: str) -> None:
    assert problem(path) is None


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "../x",
        "a/../b",
        "a//b",
        "a/",
        "./a",
        "a\\b",
        "C:x",
        "a\0b",
        "a\nb",
        "a\u200bb",
        "a\u202eb",
        "a ",
        "a./b",
        "u\u0308",
        "\ud800",
        "x" * 1025,
        "\ue000",
    ],
)
def test_refused(path: str) -> None:
    assert problem(path) is not None


def test_twins() -> None:
    assert twin("Model/A.bin") == twin("model/a.BIN")
    assert twin("ﬁle") == twin("file")
    assert twin("a") != twin("b")
