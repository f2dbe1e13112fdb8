"""Logging in with the real broker, as a person does."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.web.visitor import Visitor

from .flow import (
    answer,
    ask,
    claims_of,
    confirm,
    header_of,
    is_signed_in,
    log_in,
    post_fragment,
    type_code,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2e.broker import Broker
    from e2e.sites import Site


def test_a_visitor_logs_in_with_the_code_and_logs_out(
    visitor: Visitor, site: Site, broker: Broker, email: str
) -> None:
    waiting = ask(visitor, site, email)
    assert waiting.url.startswith(f"{broker.origin}/auth?")
    assert site.origin in waiting.text
    mail = broker.mailbox.take(email)
    assert site.origin in mail.subject

    callback = type_code(visitor, waiting, mail.code)
    assert callback.form().action == f"{site.origin}/verify"
    greeting = visitor.submit(callback)
    assert greeting.url == f"{site.origin}/"
    assert email in greeting.text
    assert is_signed_in(visitor, site, email)

    goodbye = visitor.submit(greeting, "/logout")
    assert goodbye.url == f"{site.origin}/"
    assert email not in goodbye.text
    assert not is_signed_in(visitor, site, email)


def test_a_visitor_logs_in_with_the_link(
    visitor: Visitor, site: Site, broker: Broker, email: str
) -> None:
    ask(visitor, site, email)
    callback = visitor.get(broker.mailbox.take(email).link)
    assert callback.status == 200
    assert email in visitor.submit(callback, "/verify").text
    assert is_signed_in(visitor, site, email)


def test_the_link_opened_in_another_profile_logs_in_there(
    visitor: Visitor, site: Site, broker: Broker, email: str
) -> None:
    ask(visitor, site, email)
    other = Visitor()
    # On an unknown device the broker asks, since a mail scanner could have opened the link.
    unknown = other.get(broker.mailbox.take(email).link)
    assert unknown.status == 403
    callback = other.submit(unknown, "/confirm")
    # The site asks as well, since its own cookies are missing here.
    asked = other.submit(callback, "/verify")
    assert email in confirm(other, asked, email).text
    assert is_signed_in(other, site, email)
    assert not is_signed_in(visitor, site, email)


def test_a_login_returns_to_the_page_that_required_it(
    visitor: Visitor, site: Site, broker: Broker, email: str
) -> None:
    waiting = ask(visitor, site, email, page="/members")
    callback = type_code(visitor, waiting, broker.mailbox.take(email).code)
    members = visitor.submit(callback)
    assert members.url == f"{site.origin}/members"
    assert email in members.text


@pytest.mark.parametrize(
    "page", ["//elsewhere.example", "https://elsewhere.example/", "/\\e.example"]
)
def test_a_login_does_not_redirect_to_another_site(
    visitor: Visitor, site: Site, broker: Broker, email: str, page: str
) -> None:
    login = visitor.get(f"{site.origin}/login")
    waiting = visitor.submit(login, "/login", email=email, next=page)
    callback = type_code(visitor, waiting, broker.mailbox.take(email).code)
    assert visitor.submit(callback).url == f"{site.origin}/"


@pytest.mark.parametrize("algorithm", ["RS256", "EdDSA"])
def test_the_token_is_signed_with_the_preferred_algorithm(
    visitor: Visitor,
    serve_shared: Callable[..., Site],
    broker: Broker,
    email: str,
    algorithm: str,
) -> None:
    site = serve_shared(algorithms=algorithm)
    callback = answer(visitor, site, broker, email)
    assert header_of(callback.form().fields["id_token"])["alg"] == algorithm
    assert email in visitor.submit(callback).text


def test_a_visitor_logs_in_with_response_mode_fragment(
    visitor: Visitor, serve_shared: Callable[..., Site], broker: Broker, email: str
) -> None:
    site = serve_shared(response_mode="fragment")
    waiting = ask(visitor, site, email, page="/members")
    page = type_code(visitor, waiting, broker.mailbox.take(email).code)
    assert page.url.startswith(f"{site.origin}/verify#")
    assert page.status == 200
    members = post_fragment(visitor, page)
    assert members.url == f"{site.origin}/members"
    assert email in members.text


def test_an_address_is_normalized(visitor: Visitor, site: Site, broker: Broker, email: str) -> None:
    typed = f" {email.replace('reader', 'Reader').replace('example.com', 'EXAMPLE.com')} "
    waiting = ask(visitor, site, typed)
    callback = type_code(visitor, waiting, broker.mailbox.take(email).code)
    claims = claims_of(callback.form().fields["id_token"])
    assert claims["email"] == email
    assert claims["email_original"] == typed.strip()
    assert email in visitor.submit(callback).text


def test_an_address_in_other_scripts_logs_in(
    visitor: Visitor, site: Site, broker: Broker, email: str
) -> None:
    address = f"zoë.ßтест+{email}"
    greeting = log_in(visitor, site, broker, address)
    assert address in greeting.text


def test_the_redirect_has_parameters_that_the_broker_accepts(
    visitor: Visitor, site: Site, broker: Broker, email: str
) -> None:
    login = visitor.get(f"{site.origin}/login")
    start = visitor.submit(login, "/login", email=email, follow=False)
    url = urlsplit(start.headers["Location"])
    query = parse_qs(url.query, strict_parsing=True)
    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{broker.origin}/auth"
    assert query.pop("nonce")
    assert query == {
        "login_hint": [email],
        "scope": ["openid email"],
        "response_type": ["id_token"],
        "response_mode": ["form_post"],
        "client_id": [site.origin],
        "redirect_uri": [f"{site.origin}/verify"],
    }
