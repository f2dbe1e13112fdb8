"""The session cookie by itself, and its vectors."""

from __future__ import annotations

import asyncio
import base64
import copy
import gc
import json
import secrets
import weakref
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from portier_client import Client, ConfigError, blocking
from portier_client.testing import ManualClock, MockTransport, mock_client
from portier_client.web import Session, SessionCookie

from ..client.test_frames import secrets_in
from ..forks import in_child, needs_fork
from .by_hand import REDIRECT_URI

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[3] / "tests" / "vectors" / "sealed_sessions.json").read_text("utf-8")
)
SECRET = "rN5yH8cV2bM7kX4zT9wQ1pL6sD3gF0jA"
OTHER = "WkT1vS7mQ9x4LhR2nYcB8dGpJ6fZaE3u"
DAY = 24 * 60 * 60
NOW = 1_790_000_000


def make(
    clock: ManualClock | None = None, secret: Any = SECRET, uri: str = REDIRECT_URI, **ages: Any
) -> SessionCookie:
    clock = ManualClock(NOW) if clock is None else clock
    client = mock_client(uri, clock=clock, transport=MockTransport())
    return SessionCookie(client, secret, **ages)


def sent_back(set_cookie: str) -> str:
    return set_cookie.partition(";")[0]


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["id"])
def test_cookies_are_read_as_the_vectors_say(case: dict[str, Any]) -> None:
    cookie = make(
        ManualClock(VECTORS["now"]),
        VECTORS["secrets"],
        VECTORS["redirect_uri"],
        max_age=VECTORS["max_age"],
        absolute_max_age=VECTORS["absolute_max_age"],
    )
    session = cookie.read(case["cookie"])
    expected = case["expect"]["session"]
    found = session and {
        "email": session.email,
        "id": session.id,
        "signed_in_at": session.signed_in_at,
        "expires_at": session.expires_at,
        "renews": cookie.renew(session) is not None,
    }
    assert found == expected


def test_a_session_is_started_read_renewed_and_cleared() -> None:
    clock = ManualClock(NOW)
    cookie = make(clock)
    session, set_cookie = cookie.start("björn@example.com")
    assert set_cookie.startswith("__Host-portier-session=")
    assert set_cookie.endswith("; Max-Age=1209600; Path=/; HttpOnly; SameSite=Lax; Secure")
    read = cookie.read(f"a=1; {sent_back(set_cookie)}; b=2")
    assert read is not None
    assert (read.email, read.id, read.signed_in_at, read.expires_at, read.renewal) == (
        "björn@example.com",
        session.id,
        NOW,
        NOW + 14 * DAY,
        None,
    )
    assert cookie.renew(read) is None
    clock.advance(8 * DAY)
    renewed = cookie.renew(read)
    assert renewed is not None
    later = cookie.read(sent_back(renewed))
    assert later is not None
    assert (later.id, later.expires_at) == (session.id, NOW + 22 * DAY)
    assert cookie.clear().startswith("__Host-portier-session=; Max-Age=0;")
    assert cookie.read(None) is None
    assert cookie.read("") is None
    assert cookie.read("\udc00\x00__Host-portier-session=\udfff") is None
    assert cookie.start("björn@example.com")[0].id != session.id


def test_sessions_are_values() -> None:
    cookie = make()
    session, set_cookie = cookie.start("alice@example.com")
    same = cookie.read(sent_back(set_cookie))
    other, _ = cookie.start("alice@example.com")
    assert session == same
    assert hash(session) == hash(same)
    assert session != other
    assert len({session, same, other}) == 2
    assert copy.copy(session) is session
    assert copy.deepcopy({"session": session}) == {"session": session}


def test_secrets_can_be_replaced() -> None:
    _, old = make(secret=OTHER.encode()).start("alice@example.com")
    both = make(secret=(SECRET, OTHER.encode()))
    assert both.read(sent_back(old)) is not None
    _, new = both.start("alice@example.com")
    assert make(secret=[OTHER]).read(sent_back(new)) is None
    assert make(secret=SECRET).read(sent_back(new)) is not None


def test_every_byte_of_a_cookie_counts() -> None:
    cookie = make()
    name, _, text = sent_back(cookie.start("alice@example.com")[1]).partition("=")
    sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1 << (place % 8)
        for given in (bytes(changed), sealed[:place]):
            value = base64.urlsafe_b64encode(given).rstrip(b"=").decode()
            assert cookie.read(f"{name}={value}") is None, place


@pytest.mark.parametrize(
    ("secret", "ages", "error", "words"),
    [
        ("", {}, ConfigError, "32 bytes"),
        (SECRET[:31], {}, ConfigError, "32 bytes"),
        (f"change-me-{SECRET}", {}, ConfigError, "placeholder"),
        (b"x" * 31, {}, ConfigError, "32 bytes"),
        ("x" * 64, {}, ConfigError, "placeholder"),
        ([], {}, ConfigError, "secret"),
        ([SECRET, "change me"], {}, ConfigError, "32 bytes"),
        (SECRET[:-1] + "\udc00", {}, ConfigError, "surrogate"),
        (bytearray(40), {}, TypeError, "secret must be"),
        (None, {}, TypeError, "secret must be"),
        ([SECRET, 1], {}, TypeError, "secret must be"),
        (1, {}, TypeError, "secret must be"),
        (SECRET, {"max_age": 59}, ConfigError, "ages"),
        (SECRET, {"max_age": timedelta(days=91)}, ConfigError, "ages"),
        (SECRET, {"absolute_max_age": timedelta(days=401)}, ConfigError, "ages"),
        (SECRET, {"max_age": -1}, ConfigError, "max_age"),
        (SECRET, {"max_age": float("nan")}, ConfigError, "max_age"),
        (SECRET, {"max_age": "1"}, TypeError, "max_age"),
    ],
    ids=repr,
)
def test_wrong_options_are_refused_without_showing_the_secret(
    secret: Any, ages: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        make(secret=secret, **ages)
    if isinstance(caught.value, ConfigError):
        assert caught.value.code == "invalid_option"
    several = secret if isinstance(secret, list) else [secret]
    given = {one for one in several if isinstance(one, str) and len(one) > 9}
    assert not [one for one in given if one in str(caught.value)]
    assert secrets_in(caught.value, given) == []


def test_a_random_secret_is_accepted() -> None:
    for secret in (secrets.token_bytes(32), secrets.token_urlsafe(32), secrets.token_hex(32)):
        cookie = make(secret=secret)
        assert cookie.read(sent_back(cookie.start("a@example.com")[1])) is not None


def test_a_session_cookie_needs_a_client() -> None:
    with pytest.raises(TypeError, match="client must be a Client"):
        SessionCookie(None, SECRET)  # type: ignore[arg-type]
    client = blocking.Client(REDIRECT_URI)
    cookie = SessionCookie(client, SECRET)
    set_cookie = cookie.start("alice@example.com")[1]
    alive = weakref.ref(client)
    client.close()
    for call in (cookie.clear, lambda: cookie.read(sent_back(set_cookie))):
        with pytest.raises(RuntimeError, match="the client is closed"):
            call()
    with pytest.raises(RuntimeError, match="the client is closed"):
        SessionCookie(client, SECRET)
    del client
    gc.collect()
    assert alive() is None


def test_a_session_shows_no_secret() -> None:
    cookie = make()
    session, set_cookie = cookie.start("vanishing@example.com")
    assert isinstance(session, Session)
    shown = repr([session, cookie])
    for text in ("vanishing", session.id, set_cookie, SECRET):
        assert text not in shown
    assert f"expires_at={session.expires_at}" in shown
    with pytest.raises(AttributeError):
        session.email = "mallory@example.com"  # type: ignore[misc]
    with pytest.raises(TypeError):
        Session()


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_reads_its_parents_sessions_and_starts_its_own(
    tmp_path: Path,
) -> None:
    client = Client(REDIRECT_URI, store=f"sqlite:///{tmp_path}/logins.db")
    cookie = SessionCookie(client, SECRET)
    session, set_cookie = cookie.start("alice@example.com")

    def read() -> None:
        found = cookie.read(sent_back(set_cookie))
        assert found is not None
        assert found.id == session.id
        assert cookie.start("alice@example.com")[0].id != session.id

    assert in_child(read) == 0
    asyncio.run(client.aclose())
