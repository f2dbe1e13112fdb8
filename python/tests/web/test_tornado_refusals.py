"""What the example site refuses, and how it reports that."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from .visitor import Page, Visitor


@pytest.mark.parametrize("path", ["/login", "/logout", "/", "/members"])
def test_no_other_page_accepts_a_cross_site_post(
    visitor: Visitor, site: str, log_in: Callable[..., Page], path: str
) -> None:
    log_in()
    refused = visitor.post(f"{site}{path}", {"email": "victim@example.com"})
    assert refused.status == 403
    assert "alice@example.com" in visitor.get(f"{site}/").text, "still signed in"


def test_a_missing_page_is_in_the_design_of_the_site(visitor: Visitor, site: str) -> None:
    missing = visitor.get(f"{site}/no/such/page")
    assert missing.status == 404
    assert "The Reading Room" in missing.text


def test_an_impossible_address_is_asked_for_again(visitor: Visitor, site: str) -> None:
    login = visitor.get(f"{site}/login?next=/members")
    for email in ["", "nobody", "a@b@c.example", "a b@example.com"]:
        again = visitor.submit(login, "/login", email=email)
        assert again.status == 400
        assert again.form("/login").fields["email"] == email
        assert again.form("/login").fields["next"] == "/members"
        assert "does not look like an e-mail address" in again.text


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "\"><img src=x>'&", "\u202eevil"])
def test_markup_in_an_error_is_escaped(visitor: Visitor, site: str, text: str) -> None:
    again = visitor.submit(visitor.get(f"{site}/login"), "/login", email=text, next=text)
    assert again.form("/login").fields["email"] == text
    assert "<script" not in again.text
    assert "<img src=x" not in again.text


@pytest.mark.parametrize("path", ["/login", "/verify"])
def test_a_form_that_is_not_utf_8_is_not_logged(
    visitor: Visitor, site: str, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    form = b"email=vanishing@b\xfccher.example&id_token=vanishing\xfc&next=%fc&_xsrf=%fc"
    caplog.set_level(logging.DEBUG)
    assert visitor.send_form(f"{site}{path}", form, cross_site=False).status in {200, 400}
    # A request is logged after its response was sent.
    visitor.get(f"{site}/")
    assert f"POST {path}" in caplog.text
    assert "vanishing" not in caplog.text
