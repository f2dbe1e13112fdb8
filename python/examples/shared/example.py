"""Shared code of the examples: settings from the environment, and servers.

The templates beside this file work with Jinja and Django. They are given `framework`, `email` of
the person who is signed in, `next_page` of the login form, `problem`, `confirmation`, and `csrf`:
the hidden field of a CSRF protection.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TEMPLATES = HERE / "templates"
STATIC = HERE.parents[2] / "node/examples/shared/static"


@dataclass(frozen=True)
class Settings:
    """What an example reads from the environment."""

    port: int
    """PORT"""
    secret: str
    """SECRET; a random one by default, so that a restart signs everybody out."""
    client: dict[str, Any]
    """Options of the client: BROKER, STORE, RESPONSE_MODE, ALGORITHMS."""
    flow: dict[str, Any]
    """Options of the flow: FLOW, BROWSER_BINDING."""

    @property
    def origin(self) -> str:
        """Where browsers find the site."""
        return f"http://localhost:{self.port}"

    @property
    def redirect_uri(self) -> str:
        """The URL of the callback."""
        return f"{self.origin}/verify"


def settings() -> Settings:
    """Read the settings. By default the broker is the public one, which sends real mails."""
    says = os.environ

    def given(*names: str) -> dict[str, Any]:
        return {name.lower(): says[name] for name in names if says.get(name)}

    client = given("BROKER", "STORE", "RESPONSE_MODE", "ALGORITHMS")
    if "algorithms" in client:
        client["algorithms"] = client["algorithms"].split(",")
    return Settings(
        port=int(says.get("PORT", "8888")),
        secret=says.get("SECRET") or secrets.token_urlsafe(32),
        client=client,
        flow=given("FLOW", "BROWSER_BINDING"),
    )


def serve_asgi(app: Any, port: int) -> None:
    """Serve an ASGI application with uvicorn until Ctrl-C."""
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    server.run(sockets=[listen(port)])


def serve_wsgi(app: Any, port: int) -> None:
    """Serve a WSGI application with waitress until Ctrl-C."""
    import waitress

    # It warns of every request that waits for a thread, however shortly.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    waitress.serve(app, sockets=[listen(port)], _quiet=True)


def listen(port: int) -> socket.socket:
    """Open the port, and say so: whoever connects now has to wait until the server takes over."""
    opened = socket.create_server(("localhost", port))
    print(f"Open http://localhost:{port}", flush=True)
    return opened
