"""Logins at the real broker with an identity provider in place of a mail, in both flows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2e.broker import PROVIDED_DOMAIN, Broker
from e2e.identity_provider import IdentityProvider
from tests.web.visitor import Visitor

from .flow import confirm, is_signed_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from e2e.sites import Site
    from tests.web.visitor import Page

EMAIL = f"alice@{PROVIDED_DOMAIN}"


@pytest.fixture(params=["RS256", "EdDSA"])
def provider(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[IdentityProvider]:
    """An identity provider that signs with this algorithm."""
    with IdentityProvider(tmp_path, request.param) as provider:
        yield provider


@pytest.fixture
def broker(provider: IdentityProvider, tmp_path: Path) -> Iterator[Broker]:
    """A broker that redirects people of a domain to the identity provider."""
    with Broker(tmp_path / "broker", provider=provider) as broker:
        yield broker


@pytest.mark.parametrize("flow", ["implicit", "code"])
def test_a_login_through_an_identity_provider(
    visitor: Visitor,
    serve: Callable[..., Site],
    broker: Broker,
    provider: IdentityProvider,
    flow: str,
) -> None:
    site = serve(broker, flow=flow)
    members = answer(visitor, visitor, site, broker, provider)
    assert members.url == f"{site.origin}/"
    assert is_signed_in(visitor, site, EMAIL)
    # A person who finishes in another browser is asked.
    phone = Visitor()
    asked = answer(Visitor(), phone, site, broker, provider)
    assert confirm(phone, asked, EMAIL).url == f"{site.origin}/"
    assert is_signed_in(phone, site, EMAIL)


def answer(
    starter: Visitor, finisher: Visitor, site: Site, broker: Broker, provider: IdentityProvider
) -> Page:
    """Start a login in one browser, and let the identity provider answer in another."""
    login = starter.get(f"{site.origin}/login")
    start = starter.submit(login, "/login", email=EMAIL, follow=False)
    redirect = starter.get(start.headers["Location"], follow=False)
    assert redirect.status == 303, broker.log
    url, fields = provider.answer(redirect.headers["Location"])
    assert url == f"{broker.origin}/callback"
    page = finisher.post(url, fields)
    return page if page.url.startswith(site.origin) else finisher.submit(page, "/verify")
