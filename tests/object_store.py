"""A real S3 server for tests: OpenStack Swift with its s3api, from Debian's packages, on loopback.

Needs swift-proxy, swift-account, swift-container, swift-object and memcached, and root: Swift reads /etc/swift.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

SERVERS = ("account", "container", "object")
PROGRAMS = ("swift-proxy-server", "swift-ring-builder", "memcached", *(f"swift-{name}-server" for name in SERVERS))
USER, SECRET = "test:tester", "testing"
HASH = "[swift-hash]\nswift_hash_path_suffix = tests\nswift_hash_path_prefix = tests\n"
DEFAULT = """[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = root
swift_dir = {folder}
"""
STORAGE = """devices = {folder}/srv
mount_check = false
recon_cache_path = {folder}/run
[pipeline:main]
pipeline = {name}-server
[app:{name}-server]
use = egg:swift#{name}
"""
PROXY = """[pipeline:main]
pipeline = catch_errors cache bulk s3api tempauth slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:{cache}
"""
FILTERS = ("s3api", "catch_errors", "bulk", "slo", "dlo")


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectStore:
    """A server that answers."""

    port: int
    log: Path  # of the proxy: one line a request

    @property
    def environment(self) -> dict[str, str]:
        """What a client needs to know."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": USER,
            "AWS_SECRET_ACCESS_KEY": SECRET,
        }

    def make_bucket(self, name: str, *, public: bool = False) -> None:
        """By Swift's own interface, where a bucket is a container."""
        address = f"http://127.0.0.1:{self.port}"
        asked = urllib.request.Request(f"{address}/auth/v1.0", headers={"X-Auth-User": USER, "X-Auth-Key": SECRET})
        with urllib.request.urlopen(asked, timeout=20) as answer:
            place, token = answer.headers["X-Storage-Url"], answer.headers["X-Auth-Token"]
        headers = {"X-Auth-Token": token, **({"X-Container-Read": ".r:*,.rlistings"} if public else {})}
        urllib.request.urlopen(urllib.request.Request(f"{place}/{name}", method="PUT", headers=headers), timeout=20)


@pytest.fixture(scope="session")
def object_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """The server, one for each process of the tests."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing or os.geteuid():
        pytest.skip(f"no S3 server: {', '.join(missing) or 'not root'}")
    with serving(tmp_path_factory.mktemp("swift")) as store:
        yield store


@contextmanager
def serving(folder: Path) -> Iterator[ObjectStore]:
    """Start all servers, wait until the proxy answers, and stop them at the end."""
    cache, proxy, *ports = free_ports(2 + len(SERVERS))
    for part in ("srv/d1", "run"):
        (folder / part).mkdir(parents=True)
    for place in (Path("/etc/swift"), folder):
        place.mkdir(exist_ok=True)
        if not (place / "swift.conf").exists():
            (place / "swift.conf").write_text(HASH)
    commands = [["memcached", "-u", "root", "-l", "127.0.0.1", "-p", str(cache)]]
    for name, port in zip(SERVERS, ports, strict=True):
        make_ring(folder, name, port)
        config = folder / f"{name}-server.conf"
        config.write_text((DEFAULT + STORAGE).format(folder=folder, port=port, name=name))
        commands.append([f"swift-{name}-server", str(config)])
    config = folder / "proxy-server.conf"
    filters = "".join(f"[filter:{name}]\nuse = egg:swift#{name}\n" for name in FILTERS)
    config.write_text((DEFAULT + PROXY).format(folder=folder, port=proxy, cache=cache) + filters)
    commands.append(["swift-proxy-server", str(config)])
    logs = [(folder / "run" / f"{number}.log").open("wb") for number in range(len(commands))]
    started = [
        subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        for command, log in zip(commands, logs, strict=True)
    ]
    try:
        await_answer(proxy, folder)
        yield ObjectStore(port=proxy, log=folder / "run" / f"{len(commands) - 1}.log")
    finally:
        for process in started:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def make_ring(folder: Path, name: str, port: int) -> None:
    """One device, one copy."""
    builder = ["swift-ring-builder", f"{name}.builder"]
    device = ["--region", "1", "--zone", "1", "--ip", "127.0.0.1", "--port", str(port), "--device", "d1"]
    for step in (["create", "2", "1", "0"], ["add", *device, "--weight", "1"], ["rebalance"]):
        subprocess.run([*builder, *step], cwd=folder, check=True, capture_output=True)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def await_answer(port: int, folder: Path, *, patience_s: float = 60) -> None:
    """Until the port is open; the log when it is not."""
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    told = "\n".join(path.read_text(errors="replace")[-500:] for path in sorted((folder / "run").glob("*.log")))
    pytest.fail(f"no answer on port {port}: {told}")
