"""The tree against a naive one, on keys by chance and keys made to share beginnings; files that lie."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freehold.errors import GateError, InputError
from freehold.proof.tree import sparse
from freehold.proof.tree.nodes import EMPTY, check, fold, inner, leaf, root
from freehold.proof.tree.sparse import Proof, Tree

near = st.tuples(st.integers(0, 255), st.integers(0, 3)).map(lambda pair: (pair[1] << pair[0]) % 2**256)
keys = (st.integers(0, 2**256 - 1) | near).map(lambda number: number.to_bytes(32, "big"))
key_sets = st.sets(keys, max_size=40)
in_a_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)


def naive(found: Iterable[bytes], depth: int = 0) -> bytes:
    """The definition, bit by bit, over keys that agree in all bits before `depth`."""
    group = sorted(found)
    if not group:
        return EMPTY
    if len(group) == 1:
        return leaf(group[0])
    sides: tuple[list[bytes], list[bytes]] = ([], [])
    for key in group:
        sides[int(f"{int.from_bytes(key, 'big'):0256b}"[depth])].append(key)
    if all(sides):
        return inner(depth, naive(sides[0], depth + 1), naive(sides[1], depth + 1))
    return naive(sides[0] or sides[1], depth + 1)


def written(path: Path, found: Iterable[bytes]) -> Tree:
    sparse.write(path, found)
    return Tree.open(path)


def hashed(count: int) -> list[bytes]:
    return [sha256(str(number).encode()).digest() for number in range(count)]


@given(key_sets)
def test_the_root_is_that_of_the_definition(found: set[bytes]) -> None:
    assert root(found) == naive(found).hex()


@given(st.lists(keys, max_size=30), st.randoms())
@in_a_folder
def test_order_and_repetition_do_not_matter(tmp_path: Path, found: list[bytes], chance: random.Random) -> None:
    shuffled = found + found[:3]
    chance.shuffle(shuffled)
    assert sparse.write(tmp_path / "a", found) == sparse.write(tmp_path / "b", shuffled) == naive(set(found)).hex()
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@given(key_sets, keys)
@in_a_folder
def test_every_key_has_a_proof_and_only_one_answer(tmp_path: Path, found: set[bytes], other: bytes) -> None:
    with written(tmp_path / "tree", found) as tree:
        tree.check()
        assert list(tree) == sorted(found)
        for key in {*found, other}:
            assert check(tree.prove(key), tree.root) is (key in found)


@given(key_sets.filter(bool), keys, st.data())
@in_a_folder
def test_a_proof_changed_anywhere_fails(tmp_path: Path, found: set[bytes], other: bytes, data: st.DataObject) -> None:
    with written(tmp_path / "tree", found) as tree:
        proof = tree.prove(data.draw(st.sampled_from([*sorted(found), other])))
        flip = data.draw(st.integers(0, 255))

        def flipped(value: bytes) -> bytes:
            return (int.from_bytes(value, "big") ^ 1 << flip).to_bytes(32, "big")

        assert proof.ends_at is not None
        mutants = [replace(proof, ends_at=flipped(proof.ends_at)), replace(proof, ends_at=None)]
        for place, (depth, sibling) in enumerate(proof.path):
            before, after = proof.path[:place], proof.path[place + 1 :]
            mutants += [
                replace(proof, path=(*before, (depth, flipped(sibling)), *after)),
                replace(proof, path=(*before, ((depth + 1) % 256, sibling), *after)),
                replace(proof, path=(*before, (depth - 1, sibling), *after)),
                replace(proof, path=(*before, (depth, sibling[:-1]), *after)),
                replace(proof, path=(*before, *after)),
            ]
        for mutant in mutants:
            with pytest.raises(GateError):
                check(mutant, tree.root)


def test_a_proof_for_one_key_proves_nothing_of_another(tmp_path: Path) -> None:
    """A key may end at the same leaf; the answer is then the same, because it is absent. It is never the other one."""
    found = hashed(500)
    with written(tmp_path / "tree", found[:400]) as tree:
        for one, other in itertools.product(found[::25], found[::20]):
            proof = replace(tree.prove(one), key=other)
            try:
                said = check(proof, tree.root)
            except GateError:
                continue
            assert said is (other in found[:400])


def test_the_empty_tree(tmp_path: Path) -> None:
    with written(tmp_path / "tree", []) as tree:
        assert (len(tree), tree.root) == (0, sha256(b"\2").hexdigest())
        assert check(tree.prove(bytes(32)), tree.root) is False
        tree.check()
    with pytest.raises(GateError):
        check(Proof(key=bytes(32), ends_at=None, path=()), root([bytes(32)]))


def test_golden_roots() -> None:
    """By hand, from the definition; another implementation can begin here."""
    zero, one, high = bytes(32), bytes(31) + b"\1", b"\x80" + bytes(31)
    assert root([zero]) == sha256(b"\0" + zero).hexdigest()
    pair = sha256(b"\1\xff" + sha256(b"\0" + zero).digest() + sha256(b"\0" + one).digest()).digest()
    assert root([one, zero]) == pair.hex()
    assert root([high, one, zero]) == sha256(b"\1\0" + pair + sha256(b"\0" + high).digest()).hexdigest()


def test_keys_that_do_not_ascend_have_no_hash() -> None:
    one, other = sorted(hashed(2))
    for pair in ((other, one), (one, one)):
        with pytest.raises(GateError, match="ascend"):
            fold((key, leaf(key)) for key in pair)


def test_sorting_on_disk_gives_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [*hashed(1_000), *hashed(300)]
    sparse.write(tmp_path / "memory", found)
    monkeypatch.setattr(sparse, "RUN_KEYS", 64)
    sparse.write(tmp_path / "disk", found)
    assert (tmp_path / "memory").read_bytes() == (tmp_path / "disk").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"memory", "disk"}
    with pytest.raises(ValueError, match="32 bytes"):
        sparse.write(tmp_path / "short", [b"short"])
    with pytest.raises(GateError, match="no tree"):
        Tree.open(tmp_path / "short")


def test_a_wrong_key_anywhere_is_found_by_the_whole_check(tmp_path: Path) -> None:
    path = tmp_path / "tree"
    sparse.write(path, hashed(200))
    sound = path.read_bytes()
    for place in range(sparse.HEADER.size, sparse.HEADER.size + 200 * 32, 32 * 13):
        path.write_bytes(sound[:place] + bytes([sound[place] ^ 128]) + sound[place + 1 :])
        with Tree.open(path) as tree, pytest.raises(GateError):
            tree.check()


@given(st.lists(st.integers(0, 25), min_size=1, max_size=3), st.data())
@in_a_folder
def test_a_file_made_to_lie_is_refused_or_tells_the_truth_of_its_root(
    tmp_path: Path, slots: list[int], data: st.DataObject
) -> None:
    """Keys and nodes are exchanged and the root is made to fit: no answer without a proof, and no other error."""
    found = hashed(22)
    path = tmp_path / "tree"
    sparse.write(path, found)
    slot = st.sampled_from([EMPTY, bytes(32), b"\xff" * 32, leaf(found[0]), *found]) | keys
    content = [path.read_bytes()[start : start + 32] for start in range(64, path.stat().st_size, 32)]
    for place in slots:
        content[place] = data.draw(slot)
    level = [node for node in sparse.enumerated(content[22:], bits=2) if node[1] != bytes(32)]
    header = sparse.HEADER.pack(sparse.MAGIC, 22, 2, fold(level))
    path.write_bytes(header + b"".join(content))
    with Tree.open(path) as tree:
        for key in (*found, *hashed(30)[22:], *content[:22]):
            try:
                proof = tree.prove(key)
                check(proof, tree.root)
            except GateError:
                continue
            assert not proof.included or key in content[:22]


def test_a_node_for_no_keys_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tree"
    path.write_bytes(sparse.HEADER.pack(sparse.MAGIC, 0, 0, EMPTY) + EMPTY)
    with Tree.open(path) as tree:
        for ask in (lambda: tree.prove(bytes(32)), tree.check):
            with pytest.raises(GateError):
                ask()


def test_taking_keys_out_and_putting_them_back(tmp_path: Path) -> None:
    found = hashed(300)
    sparse.write(tmp_path / "before", found)
    with Tree.open(tmp_path / "before") as tree:
        assert sparse.write(tmp_path / "after", sparse.without(tree, found[:9])) == root(found[9:])
        with pytest.raises(InputError, match="has no key"):
            list(sparse.without(tree, [bytes(32)]))
    with Tree.open(tmp_path / "after") as tree:
        assert sparse.with_keys(tree, found[:9]) == sha256((tmp_path / "before").read_bytes()).hexdigest()
        assert sparse.with_keys(tree, found[:8]) != sha256((tmp_path / "before").read_bytes()).hexdigest()
        with pytest.raises(GateError, match="was withdrawn"):
            sparse.with_keys(tree, found[:10])


def test_a_link_or_a_folder_is_no_tree(tmp_path: Path) -> None:
    sparse.write(tmp_path / "tree", hashed(3))
    (tmp_path / "link").symlink_to(tmp_path / "tree")
    for path in (tmp_path / "link", tmp_path, tmp_path / "none"):
        with pytest.raises(InputError):
            Tree.open(path)


def test_proofs_stay_short(tmp_path: Path) -> None:
    """As a logarithm: 20,000 keys need 14.3 siblings at the least and, by chance, a few more."""
    found = hashed(20_000)
    with written(tmp_path / "tree", found) as tree:
        lengths = [len(tree.prove(key).path) for key in found[::500]]
    assert 14 <= sum(lengths) / len(lengths) <= 17
    assert max(lengths) <= 24
