"""The pages between a login's answer and its end: fields, headers and cookies."""

from __future__ import annotations

import re
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from portier_client import SessionUsed

from .standin import ELSEWHERE, FORM, MESSAGE, StandIn, Verify, login, sha256

if TYPE_CHECKING:
    from .visitor import Page, Visitor


def test_the_answer_is_posted_again_before_anybody_looks_at_it(
    serve_answer: Any, visitor: Visitor
) -> None:
    client = StandIn(login())
    site = serve_answer(client)
    forged = {**FORM, "portier_confirmation": "z"}
    page = visitor.post(f"{site}/verify", forged, goes_on=False)
    assert (page.status, client.completed, visitor.cookies) == (200, [], {})
    again = {name: FORM[name] for name in ("id_token", "state", "error_description")}
    assert page.form().fields == {**again, "portier_again": "1"}
    assert FORM["state"] not in page.text
    assert_allows_its_own(page, "form-action 'self' https:;")

    assert visitor.submit(page, follow=False).status == 303
    ((form, browser, confirmation),) = client.completed
    assert form["id_token"] == [b"a.b.c"]
    assert (browser, confirmation) == (visitor.cookies["localhost"]["__Host-portier"].value, None)


def test_web_20_another_site_replaces_no_cookie(serve_answer: Any, visitor: Visitor) -> None:
    site = serve_answer(StandIn(login()))
    body = urlencode({**FORM, "portier_again": "1"}).encode()
    for said, again in [("cross-site", True), ("same-site", True), ("same-origin", False)]:
        visitor.headers["Sec-Fetch-Site"] = said
        page = visitor.send_form(f"{site}/verify", body)
        assert page.posts_again is again
        assert ("Set-Cookie" in page.headers) is not again


def test_fields_that_come_twice_are_posted_twice(serve_answer: Any, visitor: Visitor) -> None:
    site = serve_answer(StandIn(login()))
    body = urlencode([("id_token", "a"), ("id_token", "b"), ("state", b"\xff")]).encode()
    page = visitor.send_form(f"{site}/verify", body)
    assert page.text.count('name="id_token"') == 2
    assert page.form().fields["state"] == "\ufffd"


def test_the_question_names_the_person_and_allows_its_own_script_only(
    serve_answer: Any, visitor: Visitor
) -> None:
    class Shop(Verify):
        allowed_hosts = ("shop.example.com",)

    site = serve_answer(ELSEWHERE, Shop, login_url='/in?"><script>')
    page = visitor.post(f"{site}/verify", FORM)
    assert page.status == 200
    words = "<h1>Sign in as &quot;&lt;b&gt;&amp;&quot;@example.com on this device?</h1>"
    assert words in page.text
    assert '<a class="quiet" href="/in?&quot;&gt;&lt;script&gt;">No, cancel</a>' in page.text
    assert page.form().fields == {
        "id_token": FORM["id_token"],
        "state": FORM["state"],
        "portier_again": "1",
        "portier_confirmation": "a-b_c",
    }
    assert_allows_its_own(page, "form-action 'self' https:;")


def assert_allows_its_own(page: Page, form_action: str) -> None:
    style = re.search("<style>(.*?)</style>", page.text, re.DOTALL)
    script = re.search("<script>(.*?)</script>", page.text, re.DOTALL)
    assert style is not None
    assert script is not None
    policy = page.headers["Content-Security-Policy"]
    hashes = f"style-src 'sha256-{sha256(style[1])}'; script-src 'sha256-{sha256(script[1])}'; "
    assert policy.startswith(f"default-src 'none'; {hashes}base-uri 'none'; ")
    assert form_action in policy


def test_what_a_person_confirmed_reaches_the_client(serve_answer: Any, visitor: Visitor) -> None:
    client = StandIn(ELSEWHERE)
    site = serve_answer(client)
    question = visitor.post(f"{site}/verify", FORM)
    secret = visitor.cookies["localhost"]["__Host-portier"].value
    visitor.submit(question)
    assert client.completed[-1][1:] == (secret, "a-b_c")
    twice = urlencode([("id_token", "a"), *[("portier_confirmation", "b")] * 2]).encode()
    visitor.send_form(f"{site}/verify", twice, cross_site=False)
    assert client.completed[-1][1:] == (secret, None)


def test_web_19_the_cookie_of_an_https_site_is_of_this_host_only(
    serve_answer: Any, visitor: Visitor
) -> None:
    client = StandIn(login())
    site = serve_answer(client)
    # Any host of the domain can set a cookie of this name, and none can of the other.
    visitor.cookies["localhost"] = dict(SimpleCookie(f"portier={'A' * 43}"))
    assert visitor.post(f"{site}/verify", FORM, origin=site, goes_on=False).posts_again
    visitor.post(f"{site}/verify", FORM, follow=False)
    cookie = visitor.cookies["localhost"]["__Host-portier"]
    assert client.completed[-1][1] == cookie.value != "A" * 43
    assert cookie["secure"]
    assert (cookie["path"], cookie["domain"]) == ("/", "")


@pytest.mark.parametrize("space", ["\x85", "\xa0", "\x85\xa0"])
def test_web_19_a_name_that_only_looks_like_ours_is_another_cookie(
    serve_answer: Any, visitor: Visitor, space: str
) -> None:
    """Any host of the domain can set it, and Tornado takes it for the one without a space."""
    client = StandIn(login())
    site = serve_answer(client)
    own, tossed = "A" * 43, "B" * 43
    lookalike = f"{space}__Host-portier={tossed}"
    visitor.headers["Cookie"] = lookalike
    assert visitor.post(f"{site}/verify", FORM, origin=site, goes_on=False).posts_again
    for cookies in [f"__Host-portier={own}; {lookalike}", f"{lookalike};\t__Host-portier={own} "]:
        visitor.headers["Cookie"] = cookies
        visitor.post(f"{site}/verify", FORM, origin=site, follow=False)
        assert client.completed.pop()[1] == own
    visitor.headers["Cookie"] = f"__Host-portier={own}; __Host-portier={tossed}"
    assert visitor.post(f"{site}/verify", FORM, origin=site, goes_on=False).posts_again


@pytest.mark.parametrize(
    ("redirect_uri", "secure"),
    [("HTTPS://example.com/verify", True), ("http://localhost:8888/https:", False)],
)
def test_web_19_the_flags_of_cookies_go_with_the_site(
    serve_answer: Any, visitor: Visitor, redirect_uri: str, secure: bool
) -> None:
    site = serve_answer(StandIn(login(), redirect_uri))
    visitor.post(f"{site}/verify", FORM, origin=site, follow=False)
    cookies = visitor.cookies["localhost"]
    assert cookies.keys() == {"email", "__Host-portier" if secure else "portier"}
    assert [bool(cookie["secure"]) for cookie in cookies.values()] == [secure] * 2


def test_web_22_a_login_that_this_browser_has_completed_leads_home(
    serve_answer: Any, visitor: Visitor
) -> None:
    class Shop(Verify):
        default_next = "/home"

    for same_browser, status in [(True, 303), (False, 400)]:
        used = SessionUsed(MESSAGE, code="session_used", same_browser=same_browser)
        answer = visitor.post(f"{serve_answer(used, Shop)}/verify", FORM, follow=False)
        assert answer.status == status
        assert answer.headers["Location"] == ("/home" if same_browser else None)
