"""The handlers alone: the hooks of a site, and the effects of their answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from portier_client import Client, Login, PortierError
from portier_client.tornado import (
    Confirmation,
    LoginHandler,
    PortierMixin,
    Problem,
    VerifyHandler,
    login_policy,
)

from ..examples import examples_in, section_of
from ..test_documentation import ROOT, run
from .conftest import Verify

if TYPE_CHECKING:
    from .visitor import Page, Visitor

Serve = Callable[..., str]
Answer = Callable[..., dict[str, str]]

SIGNED_IN = "portier-signed-in"


@pytest.fixture
def log_in(visitor: Visitor, serve_handlers: Serve, answer_to: Answer) -> Callable[..., Page]:
    """Logs in at a site with a handler, without following the last redirect."""

    def log_in(verify: type[VerifyHandler], next_page: str = "/members") -> Page:
        site = serve_handlers(verify)
        answer = answer_to(site, next_page=next_page)
        return visitor.post(f"{site}/verify", answer, origin=site, follow=False)

    return log_in


@pytest.fixture
def cookies(visitor: Visitor) -> Callable[[], set[str]]:
    """The names of the site's cookies in the visitor's browser."""
    return lambda: set(visitor.cookies["localhost"])


def test_hooks_may_be_async(log_in: Callable[..., Page], cookies: Callable[[], set[str]]) -> None:
    class Async(VerifyHandler):
        async def on_login(self, login: Login) -> None:
            await asyncio.sleep(0)
            self.set_cookie("email", login.email)

    answer = log_in(Async)
    assert (answer.status, answer.headers["Location"]) == (303, "/members")
    assert cookies() == {"portier", "email", SIGNED_IN}


class Redirects(Verify):
    def on_login(self, login: Login) -> None:
        self.redirect("/welcome")


class Finishes(Verify):
    def on_login(self, login: Login) -> Awaitable[None]:
        return self.finish("welcome")  # type: ignore[return-value]


class Writes(Verify):
    async def on_login(self, login: Login) -> None:  # type: ignore[override]
        self.write("welcome")


class Streams(Verify):
    async def on_login(self, login: Login) -> None:  # type: ignore[override]
        self.write("wel")
        await self.flush()
        self.write("come")


@pytest.mark.parametrize("verify", [Redirects, Finishes, Writes, Streams])
def test_the_answer_of_the_site_carries_the_proof_of_the_login(
    log_in: Callable[..., Page], cookies: Callable[[], set[str]], verify: type[VerifyHandler]
) -> None:
    answer = log_in(verify)
    assert answer.status == (302 if verify is Redirects else 200)
    assert answer.text == ("" if verify is Redirects else "welcome")
    assert SIGNED_IN in cookies()


class Refuses(Verify):
    def on_login(self, login: Login) -> None:
        self.set_status(403)
        self.write("for staff only")


class Raises(Verify):
    async def on_login(self, login: Login) -> None:  # type: ignore[override]
        await asyncio.sleep(0)
        raise LookupError("the database said no")


class RaisesAndRedirects(Raises):
    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.redirect("/sorry")


@pytest.mark.parametrize(
    ("verify", "status"),
    [(Refuses, 403), (Raises, 500), (RaisesAndRedirects, 302)],
)
def test_a_reload_says_that_nobody_was_signed_in(
    visitor: Visitor,
    serve_handlers: Serve,
    answer_to: Answer,
    *,
    verify: type[VerifyHandler],
    status: int,
) -> None:
    errors: list[str] = []

    class Told(verify):  # type: ignore[valid-type, misc]
        def on_login_error(self, error: PortierError) -> None:
            errors.append(error.code)

    site = serve_handlers(Told)
    answer = answer_to(site, next_page="/members")
    for expected in (status, 400):
        page = visitor.post(f"{site}/verify", answer, origin=site, follow=False)
        assert page.status == expected
        assert visitor.cookies["localhost"].keys() == {"portier"}
    assert errors == ["session_used"]


def test_a_reload_after_a_login_redirects_to_the_same_page(
    visitor: Visitor, serve_handlers: Serve, answer_to: Answer
) -> None:
    site = serve_handlers()
    answer = answer_to(site, next_page="/members")
    for _ in range(2):
        page = visitor.post(f"{site}/verify", answer, origin=site, follow=False)
        assert (page.status, page.headers["Location"]) == (303, "/members")


LATE: list[asyncio.Task[None]] = []


class RedirectsLate(Verify):
    def on_login(self, login: Login) -> None:
        self.sent = asyncio.Event()
        LATE.append(asyncio.ensure_future(self.later()))

    def on_finish(self) -> None:
        if self.request.path == "/verify":
            self.sent.set()

    async def later(self) -> None:
        await self.sent.wait()
        self.redirect("/late")


class SetsCookieLate(RedirectsLate):
    async def later(self) -> None:
        await self.sent.wait()
        self.set_signed_cookie("email", "x")


class RedirectsTwice(Verify):
    def on_login(self, login: Login) -> None:
        self.redirect("/members", status=303)
        self.redirect("/twice")


@pytest.mark.parametrize(
    ("verify", "words"),
    [
        (RedirectsLate, "after headers"),
        (SetsCookieLate, "the cookie was set after the response"),
        (RedirectsTwice, "after headers"),
    ],
)
def test_a_late_or_second_answer_is_an_error_and_the_site_continues(
    visitor: Visitor,
    serve_handlers: Serve,
    answer_to: Answer,
    caplog: pytest.LogCaptureFixture,
    *,
    verify: type[VerifyHandler],
    words: str,
) -> None:
    LATE.clear()
    site = serve_handlers(verify, cookie_secret="a secret of some length")
    for _ in range(2):
        visitor.cookies.clear()
        answer = answer_to(site, next_page="/members")
        page = visitor.post(f"{site}/verify", answer, origin=site, follow=False)
        assert (page.status, page.headers["Location"]) == (303, "/members")
    raised = [str(task.exception()) for task in LATE[:1] if task.done()]
    logged = [str(record.exc_info[1]) for record in caplog.records if record.exc_info]
    assert any(words in text for text in raised + logged)


def test_an_error_hook_may_send_its_own_answer(
    visitor: Visitor, serve_handlers: Serve, answer_to: Answer, cookies: Callable[[], set[str]]
) -> None:
    class Teapot(Verify):
        async def on_login_error(self, error: PortierError) -> None:  # type: ignore[override]
            self.set_status(418)
            self.write(error.code)

        def show_problem(self, problem: Problem) -> None:
            raise AssertionError("it was answered")

    site = serve_handlers(Teapot)
    answer_to(site)
    visitor.cookies.clear()
    page = visitor.post(f"{site}/verify", {"error": "access_denied"})
    assert (page.status, page.text) == (418, "broker_error")
    assert cookies() >= {"portier"}


def test_an_error_hook_need_not_answer(visitor: Visitor, serve_handlers: Serve) -> None:
    seen: list[object] = []

    class Counts(LoginHandler):
        def on_login_error(self, error: PortierError) -> None:
            seen.append(error.code)

        def show_problem(self, problem: Problem) -> None:
            seen.append(problem.id)

    site = serve_handlers(login=Counts)
    page = visitor.post(f"{site}/login", {"email": "nobody"}, origin=site)
    assert seen == ["invalid_email"] * 2
    assert page.status == 400
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]


def test_a_site_may_show_its_own_pages(
    visitor: Visitor, serve_handlers: Serve, answer_to: Answer
) -> None:
    class Terse(Verify):
        async def show_problem(self, problem: Problem) -> None:  # type: ignore[override]
            self.write(problem.id)

        def show_confirmation(self, confirmation: Confirmation) -> None:
            self.finish(confirmation.email)

    site = serve_handlers(Terse)
    answer = answer_to(site)
    visitor.cookies.clear()
    asked = visitor.post(f"{site}/verify", answer)
    assert (asked.status, asked.text) == (200, "alice@example.com")
    refused = visitor.post(f"{site}/verify", {"id_token": "x"})
    assert (refused.status, refused.text) == (400, "not_confirmed")
    for page in (asked, refused):
        assert page.headers["X-Frame-Options"] == "DENY"
        assert page.headers["Cache-Control"] == "no-store, no-transform"
        assert "Content-Security-Policy" not in page.headers


def test_pages_are_in_the_languages_of_the_site(visitor: Visitor, serve_handlers: Serve) -> None:
    class German(Verify):
        languages = ("en", "de")
        texts: ClassVar = {"de": {"problem.not_confirmed.title": "Das war nichts"}}

    site = serve_handlers(German)
    visitor.headers["Accept-Language"] = "de-AT"
    page = visitor.post(f"{site}/verify", {"id_token": "x"})
    assert '<html lang="de"' in page.text
    assert "Das war nichts" in page.text


def test_a_flow_is_made_once_for_a_client_and_its_options(
    visitor: Visitor, serve_handlers: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    flows: list[object] = []

    class Start(LoginHandler):
        async def post(self) -> None:
            flows.append(self.login_flow)
            await self.start_login(self.get_body_argument("email"), "/members")

    site = serve_handlers(login=Start)
    for _ in range(2):
        visitor.post(f"{site}/login", {"email": "alice@example.com"}, origin=site, follow=False)
    assert flows[0] is flows[1]
    monkeypatch.setattr(PortierMixin, "browser_binding", "off")
    visitor.cookies.clear()
    started = visitor.post(
        f"{site}/login", {"email": "alice@example.com"}, origin=site, follow=False
    )
    assert flows[2] is not flows[1]
    assert "Set-Cookie" not in started.headers


def test_options_that_cannot_work_are_an_error_of_the_site(
    visitor: Visitor, serve_handlers: Serve
) -> None:
    class Nowhere(LoginHandler):
        default_next = "//evil.example"

    site = serve_handlers(login=Nowhere)
    assert visitor.post(f"{site}/login", {"email": "a@example.com"}, origin=site).status == 500


def test_a_handler_that_signs_nobody_in_starts_and_uses_up_no_login(
    visitor: Visitor,
    serve_handlers: Serve,
    answer_to: Answer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Start(LoginHandler):
        async def post(self) -> None:
            await self.start_login(self.get_body_argument("email"))

    class Unfinished(VerifyHandler):
        """Lacks `on_login`."""

    site = serve_handlers(Unfinished)
    started = visitor.post(f"{site}/login", {"email": "a@example.com"}, origin=site, follow=False)
    assert (started.status, started.headers["Location"]) == (500, None)
    site = serve_handlers(Unfinished, Start)
    answer = answer_to(site)
    assert visitor.post(f"{site}/verify", answer, origin=site).status == 500
    logged = [str(record.exc_info[1]) for record in caplog.records if record.exc_info]
    assert len(logged) == 2
    assert all("set portier_secret, for sessions handler=Unfinished" in text for text in logged)
    monkeypatch.setattr(Unfinished, "on_login", Verify.on_login)
    assert visitor.post(f"{site}/verify", answer, origin=site, follow=False).status == 303


def test_the_handler_shows_a_page_that_posts_the_fragment(
    visitor: Visitor, serve_handlers: Serve, answer_to: Answer
) -> None:
    site = serve_handlers(response_mode="fragment")
    answer = answer_to(site)
    page = visitor.get(f"{site}/verify")
    assert (page.status, page.form().action) == (200, "")
    assert visitor.request("HEAD", f"{site}/verify").status == 200
    assert visitor.submit(page, follow=False, **answer).status == 303


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_only_a_post_completes_a_login(
    visitor: Visitor, serve_handlers: Serve, method: str
) -> None:
    refused = visitor.request(method, f"{serve_handlers()}/verify?id_token=x")
    assert (refused.status, refused.headers["Allow"]) == (405, "POST")


def test_a_policy_names_the_broker_and_the_identity_providers() -> None:
    client = Client("https://example.com/verify", broker="https://broker.example.com/")
    policy = login_policy(client, identity_providers=["https://idp.example.com"])
    assert "form-action 'self' https://broker.example.com https://idp.example.com; " in policy


def test_the_documented_log_of_a_site_has_one_line_for_an_event(
    visitor: Visitor, serve_handlers: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    run(examples_in(section_of(page, "Logging"), "operations.md"))
    capsys.readouterr()
    site = serve_handlers()
    form = {"id_token": "e30.e30.c2ln", "state": "s3cret"}
    assert visitor.post(f"{site}/verify", form, origin=site).status == 400
    assert visitor.post(f"{site}/login", {"email": "nobody"}, origin=site).status == 400
    assert visitor.post(f"{site}/login", {"email": "nobody"}).status == 403
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    refused = [line["code"] for line in lines if line["event"] == "login refused"]
    assert refused == ["token_header", "invalid_email", "request_origin"]
    assert "e30" not in str(lines)
    assert "s3cret" not in str(lines)
