"""A site that was written for asyncio-portier: a Tornado site that makes its nonces itself."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from tornado.web import Application, RequestHandler

from portier_client.asyncio_portier import get_verified_email

from ..stores.servers import redis_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portier_client.testing import DevBroker

    from .conftest import Serve
    from .visitor import Visitor


class LoginHandler(RequestHandler):
    async def get(self) -> None:
        self.write('<form action="/login" method="post"><input name="email"></form>')

    async def post(self) -> None:
        site = self.settings
        nonce = uuid4().hex
        kept = site["cache"].set(f"portier:nonce:{nonce}", "/members", timedelta(minutes=15))
        _ = await kept if hasattr(kept, "__await__") else kept
        query = {
            "login_hint": self.get_body_argument("email"),
            "scope": "openid email",
            "nonce": nonce,
            "response_type": "id_token",
            "response_mode": "form_post",
            "client_id": site["origin"],
            "redirect_uri": site["origin"] + "/verify",
        }
        self.redirect(f"{site['broker']}/auth?{urlencode(query)}", status=303)


class VerifyHandler(RequestHandler):
    async def post(self) -> None:
        site = self.settings
        token = self.get_body_argument("id_token")
        try:
            email, page = await get_verified_email(
                site["broker"], token, site["origin"], site["broker"], site["cache"]
            )
        except ValueError as error:
            self.set_status(400)
            self.write(f"refused: {error}")
            return
        self.set_signed_cookie("email", email)
        self.redirect(page, status=303)


class MembersHandler(RequestHandler):
    def get(self) -> None:
        email = self.get_signed_cookie("email")
        self.write(email.decode() if email else "nobody")


class EndHandler(RequestHandler):
    """Closes the connections in the event loop that they belong to."""

    async def get(self) -> None:
        cache = self.settings["cache"]
        await cache.aclose() if hasattr(cache, "aclose") else cache.close()


@pytest.fixture(params=["redis", "redis.asyncio"])
def cache(request: pytest.FixtureRequest) -> Iterator[Any]:
    import redis.asyncio

    kinds: dict[str, Any] = {"redis": redis.Redis, "redis.asyncio": redis.asyncio.Redis}
    with redis_server() as socket:
        yield kinds[request.param](unix_socket_path=str(socket))


def test_a_site_for_asyncio_portier_works_with_one_changed_import(
    cache: Any, broker: DevBroker, serve: Serve, visitor: Visitor
) -> None:
    def make(origin: str) -> Application:
        handlers = [
            ("/login", LoginHandler),
            ("/verify", VerifyHandler),
            ("/members", MembersHandler),
            ("/end", EndHandler),
        ]
        settings = {"cache": cache, "broker": broker.origin, "origin": origin}
        return Application(handlers, cookie_secret="a secret of some length", **settings)

    site = serve(make)
    asked = visitor.submit(visitor.get(f"{site}/login"), "/login", email="Alice@Example.com")
    callback = visitor.submit(asked, answer="continue")
    members = visitor.submit(callback)
    assert (members.url, members.text) == (f"{site}/members", "alice@example.com")
    # The same form again, like after going back in the browser.
    again = visitor.submit(callback)
    assert again.status == 400
    assert again.text.startswith("refused: no such login is pending here")
    assert visitor.get(f"{site}/end").status == 200
