"""Sites, each in its own process, which the tests control over a second port."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import urlsplit

from e2e.program import Program
from faces.acts import as_act
from tests.web.expected import Answer

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from types import TracebackType

    from tests.web.replay import Request, Surroundings

_ROOT = Path(__file__).parents[2]
_SITES = Path(__file__).parent / "sites"
_NODE = os.environ.get("NODE", "node")
_RUNTIMES = _ROOT / "node" / "tests" / "runtimes" / "node_modules" / ".bin"

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
        "uvicorn": ("--port={port}", "--log-level=warning", f"--app-dir={_SITES}"),
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
    return f"{_SITES / site}:app" if server == "granian" else f"{site}:app"


def on_runtimes(site: str) -> dict[str, Face]:
    """A site of handlers of `fetch`, on each runtime of JavaScript."""
    file = str(_SITES / f"{site}.mjs")
    deno = [str(_RUNTIMES / "deno"), "run", "--quiet", "--allow-all", "--no-check"]
    commands = {"": [_NODE], "-bun": [str(_RUNTIMES / "bun")], "-deno": deno}
    return {
        f"{site}{name}": Face([*words, file], further=bool(name))
        for name, words in commands.items()
    }


SITES = {
    "tornado": Face(
        [sys.executable, str(_SITES / "tornado_site.py")],
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
        [sys.executable, str(_SITES / "django_runserver_site.py")],
        absent=_WITH_SESSIONS,
        changed=_CHANGED_BY_RUNSERVER,
        takes_chunks=False,
        further=True,
    ),
    "django on uvicorn": Face(asgi("uvicorn", "django_asgi_site"), absent=_WITH_SESSIONS),
    "express": Face([_NODE, str(_SITES / "express.mjs")], hooks="write", routes="targets"),
    "express4": Face(
        [_NODE, str(_SITES / "express.mjs"), "express-v4"],
        hooks="write",
        routes="targets",
    ),
    "fastify": Face([_NODE, str(_SITES / "fastify.mjs")], hooks="write", routes="targets"),
    "nest-express": Face(
        [_NODE, str(_SITES / "nest.mjs"), "express"],
        hooks="write",
        routes="targets",
    ),
    "nest-fastify": Face(
        [_NODE, str(_SITES / "nest.mjs"), "fastify"],
        hooks="write",
        routes="targets",
    ),
    "passport": Face(
        [_NODE, str(_SITES / "passport.mjs")],
        hooks="write",
        # Passport has sessions of its own.
        absent=["secret", "health"],
        routes="targets",
    ),
    "node": Face([_NODE, str(_SITES / "node.mjs")], hooks="write", routes="targets"),
    "koa": Face([_NODE, str(_SITES / "koa.mjs")], hooks="write", routes="targets"),
    "koa2": Face([_NODE, str(_SITES / "koa.mjs"), "koa-v2"], hooks="write", routes="targets"),
    **on_runtimes("fetch"),
    **on_runtimes("hono"),
    "axum": Face(
        [str(_ROOT / "target" / "debug" / "examples" / "face_site")],
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
    "aiohttp": Face([sys.executable, str(_SITES / "aiohttp_site.py")]),
    "bottle": Face(wsgi("waitress", "bottle_site")),
    "bottle on gunicorn": Face(wsgi("gunicorn", "bottle_site"), further=True),
    "quart": Face(asgi("hypercorn", "quart_site")),
    "quart on uvicorn": Face(asgi("uvicorn", "quart_site"), further=True),
}
"""The sites, by name: a further one is a line here."""

FACES = list(SITES)
WITH_HOOKS = [name for name, face in SITES.items() if face.hooks]

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


PATHS = {name: f"/{name}" for name in ("login", "start", "logout", "session")}
PATHS["health"] = "/healthz"
SECONDS_TO_WAIT = 30


class ServedSite:
    """The site of an integration, as a process.

    The program prints `ready SITE_PORT CONTROL_PORT`. The second port accepts these commands, as
    posted JSON: `/case` makes a new application; `/step` gives instructions for the next request;
    `/seen` returns the arguments of the hooks since then; `/late` makes a hook answer that has
    returned;
    `/authenticate` starts a login with the client; `/advance` moves its clock.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._face = SITES[name]
        port = str(_free_port())
        command = [word.replace("{port}", port) for word in self._face.command]
        path = os.pathsep.join(str(folder) for folder in (_SITES, _ROOT / "python"))
        environment = {**os.environ, "SITE_PORT": port, "PYTHONPATH": path}
        self._program = Program(command, environment, ready="ready ")
        line = next(line for line in self._program.printed if line.startswith("ready "))
        self.port, control = (int(port) for port in line.split()[1:])
        self._control = HTTPConnection("127.0.0.1", control, timeout=SECONDS_TO_WAIT)
        self._options: dict[str, Any] = {}
        self._token_answer = 400, "{}"
        self._token_requests = 0
        self.seen: dict[str, Any] = {}
        """The hooks that ran with the last request, and their arguments."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._control.close()
        self._program.stop()

    def make(
        self, case: dict[str, Any], surroundings: Surroundings, *, sets_cookies: bool = False
    ) -> str | None:
        """Makes a new application; returns the code of the error if that fails.

        With `sets_cookies`, every response of the site also sets a cookie of the site.
        """
        given = surroundings.given_to(case)
        self._options = given["options"]
        answer = self.tell("/case", **given, sets_cookies=sets_cookies)
        refused: str | None = answer["refused"]
        return refused

    def refuses(self, case: dict[str, Any]) -> bool:
        """Whether the framework refuses a request of the case itself."""
        return case["id"] in self._face.refused

    @property
    def takes_chunks(self) -> bool:
        """Whether the server takes a body without a `Content-Length`."""
        return self._face.takes_chunks

    @property
    def hooks_write(self) -> bool:
        """Whether hooks write their responses, and so may do it too late."""
        return self._face.hooks == "write"

    def can_ask(self, step: dict[str, Any]) -> bool:
        """Whether an expectation of the case can be checked over HTTP."""
        if step["do"] != "ask":
            return True
        of, routes = step.get("of", ""), self._face.routes
        if routes == "decoded paths" and of != self.callback_path and ("%" in of or "//" in of):
            return False
        starts = ("/", "http") if routes == "targets" else ("/",)
        return step["name"] == "is_callback" and of.startswith(starts)

    def ask(self, name: str, of: str) -> object:
        """Whether a target is the callback, found by a GET request."""
        assert name == "is_callback"
        status = self.request("GET", of, [("Sec-Fetch-Site", "none")]).status
        # Some frameworks redirect to the path without a slash at its end.
        return {405: True, 404: False, 307: False}.get(status, status)

    def authenticate(self, session: str) -> str:
        """Starts a login with `authenticate` of the client."""
        url: str = self.tell("/authenticate", session=session)["url"]
        return url

    def advance(self, seconds: int) -> None:
        """Moves the clock of the client."""
        self.tell("/advance", seconds=seconds)

    def send(self, step: dict[str, Any], request: Request) -> Answer:
        """Sends a request."""
        start = {name: step[name] for name in ("email", "next") if name in step}
        hooks = dict(step.get("hooks", {}))
        if "hook" in step:
            hooks["on_login"] = as_act(step["hook"])
        self.tell(
            "/step",
            hooks=hooks,
            store_is_down="store" in step,
            start=start,
            token_answer=self._token_answer,
        )
        path = step.get("page") or PATHS.get(step["do"], self.callback_path)
        target = f"{path}?{request.query}" if request.query else path
        assert isinstance(request.body, bytes)
        answer = self.request(request.method, target, request.headers, request.body)
        seen = self.seen = self.tell("/seen")
        self._token_requests += seen["token_requests"]
        is_ours = seen["login"] is None or "hook" not in step or "refuses" in step["hook"]
        return Answer(
            answer.status,
            answer.headers,
            answer.cookies,
            answer.body,
            seen["error"],
            seen["login"],
            is_ours,
        )

    def session(self, request: Request) -> tuple[str, str | None] | None:
        """The address of the session of a request, and the cookie that renews it."""
        answer = self.request(request.method, PATHS["session"], request.headers)
        assert answer.status == 200, answer.body
        email = json.loads(answer.body)["email"]
        return email and (email, next(iter(answer.cookies), None))

    def answer_token_requests(self, status: int, body: str) -> None:
        """Sets how the broker answers token requests from the next request on."""
        self._token_answer = status, body

    def token_requests(self) -> int:
        """How many token requests there were so far."""
        return self._token_requests

    @property
    def callback_path(self) -> str:
        """The path of the callback."""
        given: str | None = self._options.get("callback_path")
        return given or urlsplit(self._options["redirect_uri"]).path

    def request(
        self, method: str, target: str, headers: list[tuple[str, str]], body: bytes = b""
    ) -> Answer:
        """Sends the bytes of a request, and reads the response."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=SECONDS_TO_WAIT)
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            connection.putheader("Host", urlsplit(self._options["redirect_uri"]).netloc)
            for name, value in headers:
                connection.putheader(name, value.encode("latin-1"))
            if method == "POST":
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body or None)
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        all_headers = [(name.lower(), value) for name, value in response.getheaders()]
        return Answer(
            response.status,
            [header for header in all_headers if header[0] != "set-cookie"],
            [value for name, value in all_headers if name == "set-cookie"],
            text,
        )

    def tell(self, path: str, **members: object) -> dict[str, Any]:
        """Sends a command to the program; returns its answer."""
        self._control.request("POST", path, json.dumps(members))
        response = self._control.getresponse()
        text = response.read()
        assert response.status == 200, text
        answer: dict[str, Any] = json.loads(text)
        return answer


def can_run(name: str) -> bool:
    """Whether the program that runs the site is installed."""
    return shutil.which(SITES[name].command[0]) is not None


def _free_port() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port
