"""Hooks of a site run in the `contextvars` of the request that they are about."""

from __future__ import annotations

import asyncio
import contextvars
import secrets
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from portier_client import Client, LoginRefused, blocking
from portier_client import flask as flask_face
from portier_client import starlette as starlette_face
from portier_client.testing import DevBroker, login

if TYPE_CHECKING:
    from collections.abc import Callable

REDIRECT_URI = "https://example.com/verify"
FORM = '<!doctype html><form method="post" action="/login"><input name="email"></form>'
NOBODY = "nobody@example.com"
REQUEST: contextvars.ContextVar[str] = contextvars.ContextVar("request", default="none")


class Notes:
    """Options whose hooks record the request in whose context they run."""

    def __init__(self, *, waits: bool) -> None:
        self.seen: list[tuple[str, str]] = []
        self.waits = waits

    @property
    def options(self) -> dict[str, Any]:
        """The options of an integration."""
        return {
            "secret": secrets.token_urlsafe(),
            "accept": self._hook("accept", lambda *_: True),
            "on_login": self._hook("on_login", self._sign_in),
            "on_login_error": self._hook("on_login_error", lambda *_: None),
            "show_problem": self._hook("show_problem", lambda *_: None),
        }

    def _sign_in(self, *arguments: Any) -> None:
        if arguments[-1].email == NOBODY:
            raise LoginRefused

    def _hook(self, name: str, answer: Callable[..., Any]) -> Callable[..., Any]:
        def plain(*arguments: Any) -> Any:
            self.seen.append((name, REQUEST.get()))
            return answer(*arguments)

        async def waiting(*arguments: Any) -> Any:
            before = REQUEST.get()
            await asyncio.sleep(0.001)
            assert REQUEST.get() == before
            return plain(*arguments)

        return waiting if self.waits else plain

    def check(self) -> None:
        """Every hook has run, each in the context of one request."""
        hooks = {hook for hook, _ in self.seen}
        assert hooks == {"accept", "on_login", "on_login_error", "show_problem"}
        assert all(request.startswith("request") for _, request in self.seen), self.seen
        logins = [request for hook, request in self.seen if hook == "on_login"]
        assert len({*logins}) == len(logins)


@pytest.mark.parametrize("waits", [False, True])
def test_hooks_of_an_asgi_site_run_in_the_context_of_the_request(
    broker: DevBroker, waits: bool
) -> None:
    notes = Notes(waits=waits)
    client = Client(REDIRECT_URI, broker=broker.origin)
    portier = starlette_face.Portier(client, login_url="/login", **notes.options)

    @portier.require_login
    async def members(_: object) -> PlainTextResponse:
        return PlainTextResponse("for members")

    async def form(_: object) -> HTMLResponse:
        return HTMLResponse(FORM)

    site = Starlette(routes=[Route("/login", form), Route("/members", members)])
    portier.install(site)
    numbers = count()

    async def outermost(scope: Any, receive: Any, send: Any) -> None:
        REQUEST.set(f"request {next(numbers)}")
        await site(scope, receive, send)

    visit(TestClient(outermost, base_url="https://example.com"))
    notes.check()


def test_hooks_of_a_wsgi_site_run_in_the_context_of_the_request(broker: DevBroker) -> None:
    notes = Notes(waits=False)
    app = Flask(__name__)
    client = blocking.Client(REDIRECT_URI, broker=broker.origin)
    portier = flask_face.Portier(app, client=client, login_url="/login", **notes.options)
    app.add_url_rule("/login", view_func=lambda: FORM, endpoint="form")
    app.add_url_rule("/members", view_func=portier.login_required(lambda: "for members"))
    inner, numbers = app.wsgi_app, count()

    def outermost(environ: Any, start_response: Any) -> Any:
        REQUEST.set(f"request {next(numbers)}")
        return inner(environ, start_response)

    app.wsgi_app = outermost  # type: ignore[method-assign]
    visit(app.test_client())
    notes.check()


def visit(browser: Any) -> None:
    """People sign in, cancel, and are refused."""
    for name in ("alice", "bob"):
        login(browser, f"{name}@example.com", next_page="/members")
    login.cancelled(browser)
    login.refused(browser, NOBODY)
