"""Sites, each in its own process, which the tests control over a second port."""

from __future__ import annotations

import json
import os
import socket
from contextlib import ExitStack
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from e2e.ports import Port
from e2e.program import Program
from faces.acts import as_act
from faces.table import FOLDER, ROOT, SITES
from tests.web.expected import Answer

if TYPE_CHECKING:
    from types import TracebackType

    from tests.web.replay import Request, Surroundings

PATHS = {name: f"/{name}" for name in ("login", "start", "logout", "session")}
PATHS["health"] = "/healthz"
SECONDS_TO_WAIT = 30


class ServedSite:
    """The site of an integration, as a process.

    The program prints `ready SITE_PORT CONTROL_PORT`. The second port takes commands, each a line
    of JSON with a name and an object, and answers with a line. `case` makes a new application;
    `step` gives instructions for the next request; `seen` returns the arguments of the hooks since
    then; `late` makes a hook answer that has returned; `authenticate` starts a login with the
    client; `advance` moves its clock.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._face = SITES[name]
        path = os.pathsep.join(str(folder) for folder in (FOLDER, ROOT / "python"))
        with ExitStack() as stack:
            # Reserved until the end: connections of other tests get ports from the same range.
            reserved = Port()
            stack.callback(reserved.release)
            port = str(reserved.number)
            command = [word.replace("{port}", port) for word in self._face.command]
            environment = {**os.environ, "SITE_PORT": port, "PYTHONPATH": path}
            program = Program(command, environment, ready="ready ")
            stack.callback(program.stop)
            line = next(line for line in program.printed if line.startswith("ready "))
            self.port, control = (int(port) for port in line.split()[1:])
            address = "127.0.0.1", control
            connection = stack.enter_context(socket.create_connection(address, SECONDS_TO_WAIT))
            lines = connection.makefile("rw", encoding="utf-8", newline="\n")
            self._control = stack.enter_context(lines)
            self._running = stack.pop_all()
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
        self._running.close()

    def make(
        self, case: dict[str, Any], surroundings: Surroundings, *, sets_cookies: bool = False
    ) -> str | None:
        """Makes a new application; returns the code of the error if that fails.

        With `sets_cookies`, every response of the site also sets a cookie of the site.
        """
        given = surroundings.given_to(case)
        self._options = given["options"]
        answer = self.tell("case", **given, sets_cookies=sets_cookies)
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
        url: str = self.tell("authenticate", session=session)["url"]
        return url

    def advance(self, seconds: int) -> None:
        """Moves the clock of the client."""
        self.tell("advance", seconds=seconds)

    def send(self, step: dict[str, Any], request: Request) -> Answer:
        """Sends a request."""
        start = {name: step[name] for name in ("email", "next") if name in step}
        hooks = dict(step.get("hooks", {}))
        if "hook" in step:
            hooks["on_login"] = as_act(step["hook"])
        self.tell(
            "step",
            hooks=hooks,
            store_is_down="store" in step,
            start=start,
            token_answer=self._token_answer,
        )
        path = step.get("page") or PATHS.get(step["do"], self.callback_path)
        target = f"{path}?{request.query}" if request.query else path
        assert isinstance(request.body, bytes)
        answer = self.request(request.method, target, request.headers, request.body)
        seen = self.seen = self.tell("seen")
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

    def tell(self, command: str, **members: object) -> dict[str, Any]:
        """Sends a command to the program; returns its answer."""
        self._control.write(f"{json.dumps([command, members])}\n")
        self._control.flush()
        answer: dict[str, Any] = json.loads(self._control.readline())
        assert "failed" not in answer, answer
        return answer
