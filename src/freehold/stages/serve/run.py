"""Serve: open a release, put the routes before it, and say when it answers."""

from __future__ import annotations

import ipaddress
import socket
import sys
import time
from pathlib import Path

import uvicorn

from freehold.errors import InputError
from freehold.model.folder import open_folder
from freehold.stages.serve.app import create_app
from freehold.stages.serve.embedded import Embedded
from freehold.stages.serve.generator import Served
from freehold.stages.serve.release import find

DRAIN_S = 5  # answers under way may go on this long after SIGTERM


def serve(
    release: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    slots: int = 8,
    precision: str = "auto",
    device: str = "cpu",
) -> None:
    """Answer OpenAI clients until SIGINT or SIGTERM; port 0 takes a free one.

    Prints one line to stdout when it answers. Raises InputError before that if the release or the address is wrong.
    """
    begun = time.monotonic()
    found = find(release)
    listening = listen(host, port)  # first: a taken port should not cost the time to load
    opened = open_folder(found.folder, slots=slots, precision=precision, device=device)
    served = Served(
        name=found.name,
        created=found.created,
        fingerprint=found.fingerprint,
        context=opened.decoder.config.context,
        chats=opened.template is not None,
    )
    app = create_app(Embedded(opened, served=served))
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=DRAIN_S)
    url = address(listening)
    if not is_loopback(host):
        print(f"freehold: {url} can be reached from other machines and asks for no key", file=sys.stderr)
    Announcing(config, line=f"{served.name} answers at {url}/v1", begun=begun).run(sockets=[listening])


class Announcing(uvicorn.Server):
    """A server that says when it is ready."""

    def __init__(self, config: uvicorn.Config, *, line: str, begun: float) -> None:
        super().__init__(config)
        self.line, self.begun = line, begun

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept, then print the line that others wait for."""
        await super().startup(sockets=sockets)
        if self.started:
            print(f"{self.line} (ready after {time.monotonic() - self.begun:.1f} s; Ctrl-C ends it)", flush=True)


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to the address. Raises InputError if it cannot be had."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(place)
    except OSError as error:
        advice = "choose another with --port, or 0 for any free one"
        raise InputError(f"cannot listen: {error.strerror}", where=f"{host}:{port}", remedy=advice) from None
    bound.set_inheritable(True)
    return bound


def address(listening: socket.socket) -> str:
    """The URL of a bound socket."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a host name or address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
