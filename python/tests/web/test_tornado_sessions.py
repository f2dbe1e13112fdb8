"""Sessions in Tornado: `current_user`, the guard, and signing out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from tornado.web import Application, RequestHandler, authenticated

from portier_client import Client
from portier_client.testing import ManualClock, MockTransport, mock_client
from portier_client.tornado import (
    LoginHandler,
    LogoutHandler,
    SessionMixin,
    VerifyHandler,
    require_login,
)
from portier_client.web import SessionCookie

from .visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from portier_client import Login
    from portier_client.testing import DevBroker
    from portier_client.web import Session

    from .conftest import Serve
    from .visitor import Page

SECRET = "rN5yH8cV2bM7kX4zT9wQ1pL6sD3gF0jA"
NAME = "portier-session"
DAY = 24 * 60 * 60
ENDED: set[str] = set()


class Base(RequestHandler):
    """The site's own base class."""

    def prepare(self) -> None:
        self.set_header("X-Prepared", repr(self.current_user is not None))


class Site(SessionMixin, Base):
    async def accept_session(self, session: Session) -> bool:
        await asyncio.sleep(0)
        return session.id not in ENDED


class Index(Site):
    def get(self) -> None:
        self.finish(self.current_user.email if self.current_user else "nobody")


class Members(Site):
    @require_login
    async def get(self) -> None:
        await asyncio.sleep(0)
        self.finish(f"for {self.current_user.email}")

    @require_login
    def post(self) -> None:
        self.finish("done")

    @authenticated
    def put(self) -> None:
        self.finish("put")


class Verify(VerifyHandler, Site):
    """Has no hook."""


class Forgetful(Site):
    def accept_session(self, session: Session) -> Any:
        return None

    def get(self) -> None:
        self.finish("somebody" if self.current_user else "nobody")


class SignOut(LogoutHandler, Site):
    pass


class Unprepared(Site):
    def prepare(self) -> Any:
        pass

    def get(self) -> None:
        self.finish("somebody" if self.current_user else "nobody")


HANDLERS: list[Any] = [
    ("/", Index),
    ("/members", Members),
    ("/forgetful", Forgetful),
    ("/unprepared", Unprepared),
    ("/login", LoginHandler),
    ("/logout", SignOut),
]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_790_000_000)


@pytest.fixture
def site(serve: Serve, broker: DevBroker) -> str:
    return serve(
        lambda origin: Application(
            [*HANDLERS, ("/verify", Verify)],
            portier=Client(f"{origin}/verify", broker=broker.origin),
            portier_secret=[SECRET],
            login_url="/login",
        )
    )


def sign_in(visitor: Visitor, site: str, broker: DevBroker, next_page: str = "/") -> Page:
    form = {"email": "alice@example.com", "next": next_page}
    started = visitor.post(f"{site}/login", form, origin=site, follow=False)
    query = urlencode(broker.sign_in(started.headers["Location"]))
    return visitor.get(f"{site}/verify?{query}")


def test_a_person_signs_in_and_out_without_code_of_the_site(
    visitor: Visitor, site: str, broker: DevBroker
) -> None:
    assert visitor.get(f"{site}/").text == "nobody"
    members = sign_in(visitor, site, broker, "/members")
    assert (members.url, members.text) == (f"{site}/members", "for alice@example.com")
    assert members.headers["X-Prepared"] == "True"
    cookie = visitor.cookies["localhost"][NAME]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    assert visitor.request("GET", f"{site}/logout").status == 405
    assert visitor.post(f"{site}/logout", {}, follow=False).status == 403
    assert visitor.get(f"{site}/").text == "alice@example.com"
    left = visitor.post(f"{site}/logout", {}, origin=site, follow=False)
    assert (left.status, left.headers["Location"]) == (303, "/login")
    assert visitor.cookies["localhost"].keys() == {"portier"}
    assert visitor.get(f"{site}/").text == "nobody"


def test_a_page_for_members_redirects_others_to_the_login(visitor: Visitor, site: str) -> None:
    guarded = visitor.get(f"{site}/members?page=2", follow=False)
    assert guarded.status == 303
    assert guarded.headers["Location"] == "/login?next=%2Fmembers%3Fpage%3D2"
    posted = visitor.post(f"{site}/members", {}, origin=site, follow=False)
    assert (posted.status, posted.headers["Location"]) == (303, "/login")
    assert visitor.request("PUT", f"{site}/members").status == 403
    visitor.headers = {"Accept": "application/json"}
    script = visitor.get(f"{site}/members", follow=False)
    assert (script.status, script.headers["Content-Type"]) == (401, "application/problem+json")


def test_a_site_may_end_a_session(visitor: Visitor, site: str, broker: DevBroker) -> None:
    sign_in(visitor, site, broker)
    seen: list[str] = []
    original = Index.get

    def get(self: Index) -> None:
        if self.current_user:
            seen.append(self.current_user.id)
        original(self)

    Index.get = get  # type: ignore[method-assign]
    try:
        assert visitor.get(f"{site}/").text == "alice@example.com"
        ENDED.update(seen)
        assert visitor.get(f"{site}/").text == "nobody"
    finally:
        Index.get = original  # type: ignore[method-assign]
        ENDED.clear()
    assert visitor.get(f"{site}/forgetful").status == 500, "neither True nor False"
    assert visitor.get(f"{site}/unprepared").text == "nobody"
    assert visitor.get(f"{site}/").text == "alice@example.com"


def test_a_session_cookie_is_renewed_unless_the_answer_sets_another_one(
    visitor: Visitor, serve: Serve, clock: ManualClock
) -> None:
    site = serve(
        lambda origin: Application(
            HANDLERS,
            portier=mock_client(f"{origin}/verify", clock=clock, transport=MockTransport()),
            portier_secret=SECRET,
        )
    )
    client = mock_client(f"{site}/verify", clock=clock, transport=MockTransport())
    _, set_cookie = SessionCookie(client, SECRET).start("alice@example.com")
    visitor.headers = {"Cookie": set_cookie.partition(";")[0]}
    assert "Set-Cookie" not in visitor.get(f"{site}/").headers
    clock.advance(8 * DAY)
    page = visitor.get(f"{site}/")
    (renewed,) = page.headers.get_all("Set-Cookie")
    assert renewed.startswith(f"{NAME}=")
    assert "Max-Age=1209600" in renewed
    left = visitor.post(f"{site}/logout", {}, origin=site, follow=False)
    cookies = [cookie for cookie in left.headers.get_all("Set-Cookie") if cookie.startswith(NAME)]
    assert [cookie.startswith(f"{NAME}=; Max-Age=0") for cookie in cookies] == [True]
    clock.advance(7 * DAY)
    assert visitor.get(f"{site}/").text == "nobody"


def test_a_hook_sees_the_new_session_and_may_refuse_it(
    visitor: Visitor, serve: Serve, broker: DevBroker
) -> None:
    seen: list[Session] = []

    class Choosy(VerifyHandler, Site):
        def on_login(self, login: Login) -> Awaitable[None] | None:
            seen.append(self.current_user)
            if len(seen) > 1:
                self.set_status(403)
                self.write("not today")
            return None

    site = serve(
        lambda origin: Application(
            [*HANDLERS, ("/verify", Choosy)],
            portier=Client(f"{origin}/verify", broker=broker.origin),
            portier_secret=SECRET,
            login_url="/login",
        )
    )
    assert sign_in(visitor, site, broker).text == "alice@example.com"
    before = visitor.cookies["localhost"][NAME].value
    assert sign_in(visitor, site, broker).status == 403
    assert visitor.cookies["localhost"][NAME].value == before, "the session from before goes on"
    assert [session.email for session in seen] == ["alice@example.com"] * 2
    assert seen[0].id != seen[1].id
    stranger = Visitor()
    assert sign_in(stranger, site, broker).status == 403
    assert NAME not in stranger.cookies["localhost"]


def test_a_secret_that_can_be_guessed_is_an_error_of_the_site(
    visitor: Visitor, serve: Serve
) -> None:
    site = serve(
        lambda origin: Application(
            HANDLERS, portier=Client(f"{origin}/verify"), portier_secret="secret"
        )
    )
    for path in ("/", "/members"):
        assert visitor.get(f"{site}{path}").status == 500
    unset = serve(lambda origin: Application(HANDLERS, portier=Client(f"{origin}/verify")))
    assert visitor.get(f"{unset}/").status == 500
