"""The sites that the tests are replayed against: each integration, under its servers."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent / "sites"
_NODE = os.environ.get("NODE", "node")
_RUNTIMES = ROOT / "node" / "tests" / "runtimes" / "node_modules" / ".bin"

# Tornado reads forms before a handler runs, with its own limits, and answers 400.
_REFUSED_BY_TORNADO = (
    "login-takes-forms-only-multipart",
    "login-takes-forms-only-gzip",
    "callback-takes-forms-only-multipart",
    "callback-takes-forms-only-gzip",
    "form-with-no-encoding-by-name",
    "form-of-many-fields",
)

# The server for development reads headers as those of a mail: some control characters end a line.
_CHANGED_BY_RUNSERVER = (
    "cookie-with-a-name-like-ours-is-another-in-front",
    "cookie-with-a-name-like-ours-counts-as-none-space-that-is-none",
    "cookie-with-a-name-like-ours-counts-as-none-next-line",
)

# Django has sessions, so it does not use those of the flow.
_WITH_SESSIONS = ("secret", "session_max_age", "session_absolute_max_age")


@dataclass(frozen=True)
class Face:
    """The site of an integration under one of its servers."""

    command: Sequence[str]
    """The program. A site in Python listens at `{port}`, which is also in its environment."""
    hooks: Literal["write", "return"] | None = "return"
    """What the hooks of the site do: write a response, or return it. On axum, the site itself acts
    on each step."""
    absent: Collection[str] = ()
    """Options of the flow that the integration lacks."""
    refused: Collection[str] = ()
    """Cases in which the framework refuses a request before the integration sees it, with 400."""
    changed: Collection[str] = ()
    """Cases whose request the server changes, so that they are not replayed."""
    takes_chunks: bool = True
    """Whether the server takes a body without a `Content-Length`."""
    routes: Literal["targets", "paths", "decoded paths"] = "decoded paths"
    """What decides whether a request is for the callback: the target of the request line, which may
    be a whole URL, its path, or what the server has made of the path."""
    further: bool = False
    """Whether it is a further server or runtime, and another site replays all cases."""


def asgi(server: str, site: str) -> list[str]:
    """The command of an ASGI site, a module in `sites` with an `app`."""
    words = {
        "uvicorn": ("--port={port}", "--log-level=warning", f"--app-dir={FOLDER}"),
        "hypercorn": ("--bind=127.0.0.1:{port}",),
        "granian": ("--interface=asgi", "--port={port}", "--log-level=warning"),
    }[server]
    return [sys.executable, "-m", server, *words, _target(server, site)]


def wsgi(server: str, site: str) -> list[str]:
    """The command of a WSGI site, a module in `sites` with an `app`."""
    words = {
        "gunicorn": (
            "--bind=127.0.0.1:{port}",
            "--threads=2",
            "--no-control-socket",
            "--limit-request-line=8190",
        ),
        "waitress": ("--listen=127.0.0.1:{port}",),
        "granian": (
            "--interface=wsgi",
            "--port={port}",
            "--log-level=error",
            "--blocking-threads=2",
        ),
    }[server]
    return [sys.executable, "-m", server, *words, _target(server, site)]


def _target(server: str, site: str) -> str:
    # Granian makes a package of the folder in which it is started.
    return f"{FOLDER / site}:app" if server == "granian" else f"{site}:app"


def on_runtimes(site: str) -> dict[str, Face]:
    """A site of handlers of `fetch`, on each runtime of JavaScript."""
    file = str(FOLDER / f"{site}.mjs")
    deno = [str(_RUNTIMES / "deno"), "run", "--quiet", "--allow-all", "--no-check"]
    commands = {"": [_NODE], "-bun": [str(_RUNTIMES / "bun")], "-deno": deno}
    return {
        f"{site}{name}": Face([*words, file], further=bool(name))
        for name, words in commands.items()
    }


SITES = {
    "tornado": Face(
        [sys.executable, str(FOLDER / "tornado_site.py")],
        hooks="write",
        # It checks form tokens itself.
        absent=["form_token_checked"],
        refused=_REFUSED_BY_TORNADO,
        routes="paths",
    ),
    "asgi": Face(asgi("uvicorn", "asgi_site")),
    "asgi on hypercorn": Face(asgi("hypercorn", "asgi_site"), further=True),
    "asgi on granian": Face(asgi("granian", "asgi_site"), further=True),
    "litestar": Face(asgi("uvicorn", "litestar_site")),
    "starlette": Face(asgi("uvicorn", "starlette_site")),
    "starlette on hypercorn": Face(asgi("hypercorn", "starlette_site"), further=True),
    "starlette on granian": Face(asgi("granian", "starlette_site"), further=True),
    "fastapi": Face(asgi("uvicorn", "fastapi_site")),
    "django": Face(wsgi("gunicorn", "django_wsgi_site"), absent=_WITH_SESSIONS),
    "django on waitress": Face(
        wsgi("waitress", "django_wsgi_site"), absent=_WITH_SESSIONS, further=True
    ),
    "django on runserver": Face(
        [sys.executable, str(FOLDER / "django_runserver_site.py")],
        absent=_WITH_SESSIONS,
        changed=_CHANGED_BY_RUNSERVER,
        takes_chunks=False,
        further=True,
    ),
    "django on uvicorn": Face(asgi("uvicorn", "django_asgi_site"), absent=_WITH_SESSIONS),
    "express": Face([_NODE, str(FOLDER / "express.mjs")], hooks="write", routes="targets"),
    "express4": Face(
        [_NODE, str(FOLDER / "express.mjs"), "express-v4"],
        hooks="write",
        routes="targets",
    ),
    "fastify": Face([_NODE, str(FOLDER / "fastify.mjs")], hooks="write", routes="targets"),
    "nest-express": Face(
        [_NODE, str(FOLDER / "nest.mjs"), "express"],
        hooks="write",
        routes="targets",
    ),
    "nest-fastify": Face(
        [_NODE, str(FOLDER / "nest.mjs"), "fastify"],
        hooks="write",
        routes="targets",
    ),
    "passport": Face(
        [_NODE, str(FOLDER / "passport.mjs")],
        hooks="write",
        # Passport has sessions of its own.
        absent=["secret"],
        routes="targets",
    ),
    "node": Face([_NODE, str(FOLDER / "node.mjs")], hooks="write", routes="targets"),
    "koa": Face([_NODE, str(FOLDER / "koa.mjs")], hooks="write", routes="targets"),
    "koa2": Face([_NODE, str(FOLDER / "koa.mjs"), "koa-v2"], hooks="write", routes="targets"),
    **on_runtimes("fetch"),
    **on_runtimes("hono"),
    "axum": Face(
        [str(ROOT / "target" / "debug" / "examples" / "face_site")],
        hooks=None,
        routes="targets",
    ),
    "flask": Face(wsgi("gunicorn", "flask_site")),
    "flask on waitress": Face(wsgi("waitress", "flask_site"), further=True),
    "flask on werkzeug": Face(
        [
            sys.executable,
            "-c",
            "from flask_site import app; from werkzeug.serving import run_simple; "
            "run_simple('127.0.0.1', {port}, app, threaded=True)",
        ],
        further=True,
    ),
    "aiohttp": Face([sys.executable, str(FOLDER / "aiohttp_site.py")]),
    "bottle": Face(wsgi("waitress", "bottle_site")),
    "bottle on gunicorn": Face(wsgi("gunicorn", "bottle_site"), further=True),
    "quart": Face(asgi("hypercorn", "quart_site")),
    "quart on uvicorn": Face(asgi("uvicorn", "quart_site"), further=True),
}
"""The sites, by name: a further one is a line here."""

# `SHARE=1/2` is the first of two processes, each of which tries every second site. With xdist, each
# would collect the tests of all sites, and report the result of every test to a third one.
_SHARE, _SHARES = map(int, os.environ.get("SHARE", "1/1").split("/"))
FACES = list(SITES)[_SHARE - 1 :: _SHARES]
WITH_HOOKS = [name for name in FACES if SITES[name].hooks]

# Servers limit the request line themselves.
REFUSED_BY_SERVERS = {"query-too-large"}

# The members of a step that say what its request looks like, beyond the fields of a form.
_LOOKS = {"body", "cookies", "headers", "method", "page", "query"}


def replays(name: str, case: dict[str, Any]) -> bool:
    """Whether a site replays a case: if it can, and a further server may matter."""
    face = SITES[name]
    needed = {*case.get("options", {}), *(step["do"] for step in case["steps"])}
    if case["id"] in face.changed or not needed.isdisjoint(face.absent):
        return False
    return not face.further or any(
        step["do"] == "ask" or _LOOKS & step.keys() for step in case["steps"]
    )


def can_run(name: str) -> bool:
    """Whether the program that runs the site is installed."""
    return shutil.which(SITES[name].command[0]) is not None
