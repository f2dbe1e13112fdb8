"""Hooks of a site, for each integration."""

from __future__ import annotations

import socket
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import pytest

from faces.table import WITH_HOOKS
from tests.web.replay import FORM, Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from faces.served import ServedSite
    from tests.web.expected import Answer
    from tests.web.replay import Surroundings

pytestmark = pytest.mark.parametrize("face", WITH_HOOKS, indirect=True, scope="session")

SECRET, SIGNED_IN = "__Host-portier", "__Host-portier-signed-in"
HERE = {"sec-fetch-site": "same-origin", "content-type": FORM}
OWN = {"does": "answer", "status": 418, "text": "in own words"}


class Visit:
    """A browser at the site of an integration, with its cookies."""

    def __init__(self, face: ServedSite, surroundings: Surroundings) -> None:
        self.face = face
        self.surroundings = surroundings
        self.cookies: dict[str, str] = {}

    def post(self, do: str, body: str, hooks: dict[str, Any] | None = None) -> Answer:
        """Posts a form, with instructions for the hooks."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = [*HERE.items(), *([("cookie", cookies)] if cookies else [])]
        step = {"do": do, "hooks": hooks or {}}
        answer = self.face.send(step, Request("POST", headers, body.encode()))
        for cookie in answer.cookies:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    def start(self, hooks: dict[str, Any] | None = None) -> Answer:
        """Posts the login form."""
        return self.post("login", "email=alice%40example.com", hooks)

    def answer(self) -> str:
        """Starts a login and returns the fields of its callback."""
        url = self.start().header("location")
        assert url is not None
        return f"id_token={self.surroundings.broker.mint(url)}&state="

    def log_in(self, hooks: dict[str, Any] | None = None) -> Answer:
        """Logs in."""
        return self.post("callback", self.answer(), hooks)

    def fail(self, hooks: dict[str, Any] | None = None) -> Answer:
        """Cancels a login."""
        self.cookies.setdefault(SECRET, "A" * 43)
        return self.post("callback", "error=access_denied", hooks)

    def be_asked(self, hooks: dict[str, Any] | None = None) -> Answer:
        """Posts the callback of a login that another browser started."""
        other = Visit(self.face, self.surroundings)
        body = f"{other.answer()}&portier_again=1"
        self.cookies["__Host-portier-probe"] = "1"
        return self.post("callback", body, hooks)


@pytest.fixture
def make(face: ServedSite, surroundings: Surroundings) -> Callable[..., Visit]:
    """Makes a new application and a visitor."""

    def make(*, sets_cookies: bool = False, **options: object) -> Visit:
        case: dict[str, Any] = {"options": options, "steps": []}
        assert face.make(case, surroundings, sets_cookies=sets_cookies) is None
        return Visit(face, surroundings)

    return make


def names(answer: Answer) -> list[str]:
    """The names of the cookies that an answer sets."""
    return sorted(cookie.partition("=")[0] for cookie in answer.cookies)


def test_a_login_keeps_the_cookies_of_the_site(make: Callable[..., Visit]) -> None:
    visit = make(sets_cookies=True)
    assert names(visit.start()) == [SECRET, "seen"]
    done = visit.log_in({"on_login": {"does": "set a cookie"}})
    assert (done.status, names(done)) == (303, [SIGNED_IN, "email", "seen"])
    phone = Visit(visit.face, visit.surroundings)
    assert names(phone.be_asked()) == [SECRET, "seen"]


def test_hooks_run_in_order(make: Callable[..., Visit]) -> None:
    visit = make()
    for act, asked in [
        (visit.start, []),
        (visit.log_in, ["on_login"]),
        (visit.fail, ["on_login_error", "show_problem"]),
        (visit.be_asked, ["show_confirmation"]),
    ]:
        act()
        assert visit.face.seen["hooks"] == asked


@pytest.mark.parametrize("does", ["answer", "answer in a moment"])
def test_an_error_hook_may_send_the_response(make: Callable[..., Visit], does: str) -> None:
    visit = make()
    answer = visit.fail({"on_login_error": {**OWN, "does": does}})
    assert (answer.status, answer.body) == (418, "in own words")
    assert visit.face.seen["hooks"] == ["on_login_error"]
    assert answer.header("content-security-policy") is None


@pytest.mark.parametrize("does", ["answer", "answer in a moment"])
def test_a_login_hook_may_send_the_response(make: Callable[..., Visit], does: str) -> None:
    visit = make()
    body = visit.answer()
    answer = visit.post("callback", body, {"on_login": {**OWN, "status": 200, "does": does}})
    assert (answer.status, answer.body, names(answer)) == (200, "in own words", [SIGNED_IN])
    again = visit.post("callback", body)
    assert (again.status, again.header("location")) == (303, "/")


@pytest.mark.parametrize("hook", ["show_problem", "show_confirmation"])
def test_a_page_of_the_site_replaces_the_built_in_page(
    make: Callable[..., Visit], hook: str
) -> None:
    visit = make()
    act, status = {"show_problem": (visit.fail, 403), "show_confirmation": (visit.be_asked, 200)}[
        hook
    ]
    answer = act({hook: {"does": "give a page", "text": "<h1>in own words</h1>"}})
    assert (answer.status, answer.body) == (status, "<h1>in own words</h1>")
    assert answer.header("content-type") == "text/html; charset=utf-8"
    assert answer.header("x-frame-options") == "DENY"
    assert answer.header("cache-control") == "no-store, no-transform"
    assert answer.header("content-security-policy") is None
    assert names(answer) == ([SECRET] if hook == "show_confirmation" else [])


@pytest.mark.parametrize("hook", ["show_problem", "show_confirmation"])
def test_a_page_hook_may_send_the_response(make: Callable[..., Visit], hook: str) -> None:
    visit = make()
    act = visit.fail if hook == "show_problem" else visit.be_asked
    answer = act({hook: OWN})
    assert (answer.status, answer.body) == (418, "in own words")


@pytest.mark.parametrize(
    "hook", ["on_login", "on_login_error", "show_problem", "show_confirmation"]
)
def test_an_exception_of_a_hook_goes_to_the_framework(
    make: Callable[..., Visit], hook: str
) -> None:
    visit = make()
    act = {"on_login": visit.log_in, "show_confirmation": visit.be_asked}.get(hook, visit.fail)
    answer = act({hook: {"does": "throw"}})
    assert answer.status == 500
    assert SIGNED_IN not in names(answer)
    assert visit.log_in().status == 303


@pytest.mark.parametrize(
    "hook", ["on_login", "on_login_error", "show_problem", "show_confirmation"]
)
def test_a_hook_that_responds_too_late_does_no_harm(make: Callable[..., Visit], hook: str) -> None:
    visit = make()
    if not visit.face.hooks_write:
        return
    act, status = {
        "on_login": (visit.log_in, 303),
        "show_confirmation": (visit.be_asked, 200),
    }.get(hook, (visit.fail, 403))
    assert act({hook: {**OWN, "does": "answer too late"}}).status == status
    visit.face.tell("late")
    assert visit.log_in().status == 303


def test_a_form_is_limited_while_it_is_read(make: Callable[..., Visit]) -> None:
    visit = make()
    for path in ("/login", "/verify"):
        connection = HTTPConnection("127.0.0.1", visit.face.port, timeout=30)
        if visit.face.takes_chunks:
            # Without a Content-Length.
            chunks = iter([b"a" * 1000] * 70)
            connection.request("POST", path, chunks, HERE, encode_chunked=True)
        else:
            connection.request("POST", path, b"a" * 70_000, HERE)
        assert connection.getresponse().status == 413
        connection.close()
    assert visit.log_in().status == 303


def test_an_aborted_upload_does_no_harm(make: Callable[..., Visit]) -> None:
    visit = make()
    head = f"POST /verify HTTP/1.1\r\nHost: example.com\r\nContent-Type: {FORM}\r\n"
    with socket.create_connection(("127.0.0.1", visit.face.port), timeout=30) as connection:
        connection.sendall(f"{head}Content-Length: 99\r\n\r\nid_token=".encode())
    assert visit.log_in().status == 303


def test_other_paths_belong_to_the_site(make: Callable[..., Visit]) -> None:
    visit = make()
    for method, path in [("GET", "/"), ("POST", "/"), ("GET", "/verify/x"), ("POST", "/verified")]:
        assert visit.face.request(method, path, [*HERE.items()]).status == 404
