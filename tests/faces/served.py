"""Sites, each in its own process, which the tests control over a second port."""

from __future__ import annotations

import json
import os
import shutil
import sys
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from e2e.program import Program
from tests.web.expected import Answer

if TYPE_CHECKING:
    from types import TracebackType

    from tests.web.replay import Request, Surroundings

_ROOT = Path(__file__).parents[2]
_SITES = Path(__file__).parent / "sites"
_NODE = os.environ.get("NODE", "node")

COMMANDS = {
    "tornado": [sys.executable, str(_SITES / "tornado_site.py")],
    "express": [_NODE, str(_SITES / "express.mjs")],
    "express4": [_NODE, str(_SITES / "express.mjs"), "express-v4"],
    "fastify": [_NODE, str(_SITES / "fastify.mjs")],
    "axum": [str(_ROOT / "target" / "debug" / "examples" / "face_site")],
}
FACES = list(COMMANDS)
WITH_HOOKS = ["tornado", "express", "express4", "fastify"]
"""The integrations that run hooks of the site. On axum, the site itself acts on each step."""

# Options that an integration lacks: Tornado checks form tokens itself, and a site sets the routes.
_ABSENT = {"tornado": {"form_token_checked"}}
# Tornado reads forms before a handler runs, with its own limits, and answers 400.
REFUSED_BY_FRAMEWORK = {
    "tornado": {
        "login-takes-forms-only-multipart",
        "login-takes-forms-only-gzip",
        "callback-takes-forms-only-multipart",
        "callback-takes-forms-only-gzip",
        "form-with-no-encoding-by-name",
        "form-of-many-fields",
    }
}
# Servers limit the request line themselves.
REFUSED_BY_SERVERS = {"query-too-large"}
_ROUTES_ABSOLUTE_TARGETS = {"axum", "express", "express4", "fastify"}

PATHS = {"login": "/login", "start": "/start", "logout": "/logout", "session": "/session"}
SECONDS_TO_WAIT = 30


class ServedSite:
    """The site of an integration.

    The program prints `ready SITE_PORT CONTROL_PORT`. Over the second port it takes, as JSON that
    is posted: `/case`, to make a fresh application; `/step`, what comes with the next request;
    `/seen`, what its hooks were given since; `/late`, to let a hook answer that has returned;
    `/authenticate`, to start a login with the client; `/advance`, to move its clock.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._program = Program(COMMANDS[name], dict(os.environ), ready="ready ")
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

    def can_take(self, case: dict[str, Any]) -> bool:
        """Whether the integration has all options of a case."""
        return not _ABSENT.get(self.name, set()) & case.get("options", {}).keys()

    def can_ask(self, step: dict[str, Any]) -> bool:
        """Whether an expectation of the case can be checked over HTTP."""
        if step["do"] != "ask":
            return True
        starts = ("/", "http") if self.name in _ROUTES_ABSOLUTE_TARGETS else ("/",)
        return step["name"] == "is_callback" and step["of"].startswith(starts)

    def ask(self, name: str, of: str) -> object:
        """Whether a target is the callback, found by a GET request."""
        assert name == "is_callback"
        status = self.request("GET", of, [("Sec-Fetch-Site", "none")]).status
        return {405: True, 404: False}.get(status, status)

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
        is_ours = seen["login"] is None or "hook" not in step
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
        """Says how the broker answers token requests from the next request on."""
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


def as_act(hook: str | list[Any]) -> dict[str, Any]:
    """The behaviour of a hook, as a command for the program."""
    if hook == "throws":
        return {"does": "throw"}
    status, text = hook
    return {"does": "answer", "status": status, "text": text}


def can_run(name: str) -> bool:
    """Whether the program that runs the site is installed."""
    return shutil.which(COMMANDS[name][0]) is not None
