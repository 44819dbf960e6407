"""Withdraw: whom a request means, what is like it, what it costs, and the entry that is left."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from legal_prose import edited, prose
from typer.testing import CliRunner

from freehold import charter_file
from freehold.cli.main import app
from freehold.errors import FreeholdError, InputError
from freehold.proof.log import withdrawals
from freehold.proof.log.withdrawn_filter import parse
from freehold.proof.signing import keys
from freehold.proof.tree.sparse import key_of_text
from freehold.stage import perform
from freehold.stages.withdraw.resolve import Request, request_of, resolve
from freehold.stages.withdraw.silence import Silence, keep
from freehold.store.workspace import Workspace
from freehold.text.withdrawn import Filter

TEXTS = {f"law/{number}": prose("deu", number) for number in range(24)}
NEAR, COPY = (
    edited(TEXTS["law/1"], share=0.25, seed=1, spaced=True),
    edited(TEXTS["law/2"], share=0.02, seed=2, spaced=True),
)
ALL = TEXTS | {"press/near": NEAR, "press/copy": COPY}
CHARTER = """
format = 1
[responsible]
name = "Tiny Town"
country = "DE"
[[languages]]
code = "deu"
share = 1.0
[[sources]]
name = "law"
path = "law.jsonl"
origin = "o"
licence = "CC0-1.0"
language = "deu"
[[sources]]
name = "press"
path = "press.jsonl"
origin = "o"
licence = "CC0-1.0"
language = "deu"
[policy]
licences = ["CC0-1.0"]
[curate]
held_out_bytes = 3000
[train]
tokens = 1000
[release]
name = "tiny"
"""


def written(path: Path, texts: dict[str, str], **more: str) -> None:
    rows = [{"id": name, "text": text, "url": f"https://e.org/{name}"} | more for name, text in texts.items()]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A charter whose corpus is curated, with a signing key; tests copy it."""
    folder = tmp_path_factory.mktemp("built") / "town"
    folder.mkdir()
    written(folder / "law.jsonl", TEXTS)
    written(folder / "press.jsonl", {"press/near": NEAR, "press/copy": COPY})
    (folder / "charter.toml").write_text(CHARTER, encoding="utf-8")
    home = folder / ".freehold"
    perform(
        charter=str(folder / "charter.toml"), workspace=str(home), stage="curate", run_folder=str(home / "runs" / "x")
    )
    keys.new_pair(home / "keys", "tiny-town")
    return folder


@pytest.fixture
def town(built: Path, tmp_path: Path) -> Path:
    import shutil

    return shutil.copytree(built, tmp_path / "town")


def withdraw(town: Path, *arguments: str) -> dict[str, Any]:
    """The verb's JSON. Raises what the verb raises."""
    done = CliRunner().invoke(app, ["withdraw", str(town), *arguments, "--json"], catch_exceptions=True)
    if isinstance(done.exception, FreeholdError):
        raise done.exception
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found["figures"]


WHY = ("--reason", "the author asked", "--by", "author")


def log(town: Path) -> tuple[withdrawals.Entry, ...]:
    return withdrawals.read(town / "withdrawals.jsonl")


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (Request(kind="document", value="law/3"), ["law/3"]),
        (Request(kind="document", value="law/99"), []),
        (Request(kind="url", value="https://e.org/law/1*"), [f"law/{n}" for n in (1, *range(10, 20))]),
        (Request(kind="url", value="domain:elsewhere.org"), []),
        (Request(kind="source", value="press"), ["press/copy", "press/near"]),
        (Request(kind="digest", value=hashlib.sha256(TEXTS["law/4"].encode()).hexdigest()), ["law/4"]),
        (Request(kind="digest", value=key_of_text(TEXTS["law/5"]).hex()), ["law/5"]),
        (Request(kind="text", value=key_of_text(f"\n {TEXTS['law/6']} ").hex()), ["law/6"]),
    ],
)
def test_whom_a_request_means(built: Path, request_: Request, expected: list[str]) -> None:
    sealed = Workspace(built / ".freehold").latest("curate")
    assert sealed is not None
    found = resolve(sealed.path, request_)
    assert [one.id for one in found] == sorted(expected)
    assert all(one.key == key_of_text(ALL[one.id]).hex() for one in found)


@pytest.mark.parametrize(
    "given", [{}, {"document": "a", "source": "b"}, {"digest": "xyz"}, {"file": Path("/nowhere")}], ids=str
)
def test_a_request_is_one_thing(given: dict[str, Any]) -> None:
    none = dict.fromkeys(("document", "digest", "source", "url", "file"))
    with pytest.raises(InputError):
        request_of(**none | given)


def test_what_is_like_it_is_listed_and_not_taken(town: Path) -> None:
    near = withdraw(town, "--document", "law/1", "--dry-run")["alike"]
    assert (near[0]["id"], near[0]["fate"]) == ("press/near", "stays")  # the likest comes first
    copy = withdraw(town, "--document", "press/copy", "--dry-run")["alike"]
    assert [(row["id"], row["fate"]) for row in copy] == [("law/2", "left out as its copy")]
    assert not (town / "withdrawals.jsonl").exists()


def test_an_entry_is_written_once(town: Path) -> None:
    told = withdraw(town, "--document", "law/1", *WHY)
    assert told["entry"] == 1 and told["cost"]["runs_again"] == ["curate"]
    assert any("copies" in text for text in told["never"])
    before = (town / "withdrawals.jsonl").read_bytes()
    again = withdraw(town, "--document", "law/1", *WHY)
    assert again["entry"] is None and again["standing"] == ["law/1"] and not again["documents"]
    assert (town / "withdrawals.jsonl").read_bytes() == before
    more = withdraw(town, "--url", "https://e.org/law/1*", *WHY)
    assert more["standing"] == ["law/1"] and len(more["documents"]) == 10
    (first, _) = log(town)
    public = keys.load_public(town / ".freehold" / "keys" / "tiny-town.pub")
    assert withdrawals.signed_by(first, public) and (first.by, first.level) == ("author", "W1")


def test_the_next_curation_goes_without_it_and_the_request_stays_answered(town: Path) -> None:
    withdraw(town, "--document", "law/1", *WHY)
    home = town / ".freehold"
    perform(
        charter=str(town / "charter.toml"), workspace=str(home), stage="curate", run_folder=str(home / "runs" / "y")
    )
    sealed = Workspace(home).latest("curate")
    assert sealed is not None and resolve(sealed.path, Request(kind="document", value="law/1")) == ()
    assert len(resolve(sealed.path, Request(kind="source", value="law"))) == len(TEXTS) - 2  # law/2 is a copy
    assert withdraw(town, "--document", "law/1", *WHY)["standing"] == ["law/1"]


def test_a_filter_says_no_word_of_it_and_is_measured(town: Path) -> None:
    told = withdraw(town, "--document", "law/3", "--level", "W2", *WHY)
    (entry,) = log(town)
    data = withdrawals.filter_path(town / "withdrawals.jsonl", entry.evidence["filter"]).read_bytes()
    known = Filter.of(parse(data, where="filter"))
    assert known.emits(f"Es steht geschrieben: {TEXTS['law/3'][:300]}")
    assert not known.emits(TEXTS["law/4"])
    assert told["cost"]["of_them_stopped_somewhere"] == 0 and told["cost"]["held_out_documents"] > 0
    assert withdraw(town, "--document", "law/3", *WHY)["entry"] == 2  # W1 is a promise of its own


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--document", "law/99", *WHY), "the corpus has no document"),
        (("--document", "law/2", *WHY), "left out as near-duplicate, of press/copy"),
        (("--document", "law/1", "--level", "W4", *WHY), "is no level of this verb"),
        (("--document", "law/1", "--level", "W3", *WHY), "needs tokenize"),
        (("--document", "law/1"), "an entry says why"),
        (("--document", "law/1", "--source", "law", *WHY), "2 ways to name"),
        (("--url", "no address", *WHY), "is no address"),
    ],
)
def test_bad_input_writes_nothing(town: Path, arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        withdraw(town, *arguments)
    assert not (town / "withdrawals.jsonl").exists()


def test_a_level_does_not_fall_back_to_received(town: Path) -> None:
    withdraw(town, "--document", "law/1", "--level", "W0", *WHY)
    withdraw(town, "--document", "law/1", "--level", "W1", *WHY)
    withdraw(town, "--document", "law/7", "--level", "W1", *WHY)
    with pytest.raises(InputError, match="W0 is lower"):
        withdraw(town, "--document", "law/7", "--level", "W0", *WHY)


def test_without_a_key_nothing_is_looked_up(town: Path) -> None:
    for path in (town / ".freehold" / "keys").iterdir():
        path.unlink()
    with pytest.raises(InputError, match="no key to sign"):
        withdraw(town, "--document", "law/99", *WHY)


def test_two_filters_are_not_written_at_once(tmp_path: Path) -> None:
    made = Silence(data=b"filter", windows=1, elsewhere=0, others=0, wronged=0, share=0.0)
    with withdrawals.alone(tmp_path / "withdrawals.jsonl"), pytest.raises(InputError, match="is being written"):
        keep(tmp_path / "withdrawals.jsonl", made)
    assert keep(tmp_path / "withdrawals.jsonl", made).read_bytes() == b"filter"


def test_a_broken_log_and_two_at_once_are_bad_input(town: Path) -> None:
    withdraw(town, "--document", "law/1", *WHY)
    place = town / "withdrawals.jsonl"
    with withdrawals.alone(place), pytest.raises(InputError, match="another withdrawal"):
        withdraw(town, "--document", "law/7", *WHY)
    place.write_bytes(place.read_bytes().replace(b"the author", b"an author "))
    place.write_bytes(place.read_bytes()[:-1])
    with pytest.raises(InputError, match="broken"):
        withdraw(town, "--document", "law/7", *WHY)
    assert charter_file.load(town).withdrawals == place
