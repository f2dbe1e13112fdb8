"""The steps of a login, as a person takes them."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from portier_client import Client, InvalidSession, PortierError, SessionUsed
from portier_client.web import LoginFlow

if TYPE_CHECKING:
    from e2e.broker import Broker
    from e2e.sites import Site
    from tests.web.visitor import Page, Visitor

_FLOW = LoginFlow(Client("https://example.com/verify"))


def explained(error: PortierError) -> str:
    """The title of the page about an error."""
    return _FLOW.explain(error).title


OVER = explained(InvalidSession(""))
USED = explained(SessionUsed(""))


def ask(visitor: Visitor, site: Site, email: str, page: str = "/login") -> Page:
    """Type an address on a page with the form; the broker then says that it sent a mail."""
    waiting = visitor.submit(visitor.get(f"{site.origin}{page}"), "/login", email=email)
    assert waiting.status == 200, waiting.text
    assert waiting.form("/confirm").fields["session"]
    return waiting


def answer(visitor: Visitor, site: Site, broker: Broker, email: str) -> Page:
    """Enter the code; returns the broker's form with the token, which is not posted yet."""
    waiting = ask(visitor, site, email)
    return type_code(visitor, waiting, broker.mailbox.take(email).code)


def type_code(visitor: Visitor, waiting: Page, code: str) -> Page:
    """Type the code of a mail on the broker's page."""
    return visitor.submit(waiting, "/confirm", code=code)


def log_in(visitor: Visitor, site: Site, broker: Broker, email: str) -> Page:
    """Log in; returns the page of the site at the end."""
    return visitor.submit(answer(visitor, site, broker, email), "/verify")


def confirm(visitor: Visitor, asked: Page, email: str) -> Page:
    """Confirm on the page that asks whether to continue in this browser."""
    return visitor.post(asked.url, consent(asked, email), origin=asked.url)


def consent(asked: Page, email: str) -> dict[str, str]:
    """The fields that a confirmation posts; any other page is an error."""
    assert asked.status == 200
    assert "on this device?</h1>" in asked.text
    assert email in asked.text
    (form,) = [form for form in asked.forms if "portier_confirmation" in form.fields]
    assert form.action == ""
    return form.fields


def post_fragment(visitor: Visitor, page: Page) -> Page:
    """Do what the script of the fragment page does."""
    assert '<form method="post"></form>' in page.text
    url, _, fragment = page.url.partition("#")
    fields = dict(parse_qsl(fragment, keep_blank_values=True, strict_parsing=True))
    return visitor.post(url, fields, origin=page.url)


def is_signed_in(visitor: Visitor, site: Site, email: str) -> bool:
    """Whether the visitor is signed in with that address; another address is an error."""
    page = visitor.get(f"{site.origin}/members")
    if page.url == f"{site.origin}/login?next=%2Fmembers":
        return False
    assert page.url == f"{site.origin}/members"
    assert email in page.text
    return True


def header_of(token: str) -> dict[str, Any]:
    """The header of a token."""
    return _decoded(token, 0)


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a token, not verified."""
    return _decoded(token, 1)


def _decoded(token: str, part: int) -> dict[str, Any]:
    text = token.split(".")[part]
    decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return decoded
