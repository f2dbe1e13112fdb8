"""Brokers that restart, and whose keys change."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from e2e.broker import ROOT, Broker

from .flow import answer, ask, header_of, log_in, type_code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from e2e.sites import Site
    from tests.web.visitor import Visitor

    Serve = Callable[..., Site]

INSTALLED = "New EdDSA keys installed."
KEYS = ROOT / "tests" / "keys"


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker for one test; with one algorithm it makes its keys quickly."""
    with Broker(tmp_path, algorithms=["EdDSA"]) as broker:
        yield broker


def test_a_login_completes_after_the_broker_restarted_with_new_keys(
    visitor: Visitor, serve: Serve, own_broker: Broker, email: str
) -> None:
    site = serve(own_broker, algorithms="EdDSA")
    known = answer(visitor, site, own_broker, email)
    assert email in visitor.submit(known).text
    completed_at = time.monotonic()
    later = f"later-{email}"
    login = visitor.get(f"{site.origin}/members")
    visitor.submit(login, "/logout")
    start = visitor.submit(visitor.get(f"{site.origin}/"), "/login", email=later, follow=False)
    own_broker.restart()
    waiting = visitor.get(start.headers["Location"])
    callback = type_code(visitor, waiting, own_broker.mailbox.take(later).code)
    assert kid_of(callback.form().fields["id_token"]) != kid_of(known.form().fields["id_token"])
    wait_until_keys_are_old(completed_at)
    assert later in visitor.submit(callback).text


def test_a_callback_is_accepted_while_the_broker_is_down(
    visitor: Visitor, serve: Serve, own_broker: Broker, email: str
) -> None:
    site = serve(own_broker, algorithms="EdDSA")
    log_in(visitor, site, own_broker, email)
    later = f"later-{email}"
    visitor.submit(visitor.get(f"{site.origin}/"), "/logout")
    callback = answer(visitor, site, own_broker, later)
    own_broker.stop()
    assert later in visitor.submit(callback).text


def test_a_broker_that_lost_its_sessions_asks_to_start_again(
    visitor: Visitor, serve: Serve, own_broker: Broker, email: str
) -> None:
    site = serve(own_broker, algorithms="EdDSA")
    waiting = ask(visitor, site, email)
    code = own_broker.mailbox.take(email).code
    own_broker.restart()
    forgotten = type_code(visitor, waiting, code)
    assert forgotten.status == 400
    assert forgotten.url.startswith(own_broker.origin)
    assert "The session has expired" in forgotten.text
    assert email in log_in(visitor, site, own_broker, email).text


def test_a_broker_with_a_database_keeps_logins_and_keys_when_it_restarts(
    visitor: Visitor, serve: Serve, tmp_path: Path, email: str
) -> None:
    database = tmp_path / "broker.sqlite"
    with Broker(tmp_path, algorithms=["EdDSA"], sqlite=database) as broker:
        site = serve(broker, algorithms="EdDSA")
        known = answer(visitor, site, broker, f"first-{email}")
        waiting = ask(visitor, site, email)
        broker.restart()
        callback = type_code(visitor, waiting, broker.mailbox.take(email).code)
        assert kid_of(callback.form().fields["id_token"]) == kid_of(known.form().fields["id_token"])
        assert email in visitor.submit(callback).text


@pytest.mark.parametrize(
    ("algorithm", "names"),
    [("EdDSA", ("ed25519-a", "ed25519-b")), ("RS256", ("rsa-2048-a", "rsa-3072"))],
    ids=["EdDSA", "RS256"],
)
def test_logins_complete_while_an_operator_replaces_keys_one_by_one(  # noqa: PLR0917 (fixtures)
    visitor: Visitor,
    serve: Serve,
    tmp_path: Path,
    email: str,
    algorithm: str,
    names: tuple[str, str],
) -> None:
    old, new = (key(name) for name in names)
    with Broker(tmp_path, algorithms=[algorithm], keytext=old) as broker:
        site = serve(broker, algorithms=algorithm)
        kids = []
        completed_at = 0.0
        # The last of the two keys signs, and the site does not know it yet.
        for keytext in (old, old + new, new):
            broker.restart(KEYTEXT=keytext)
            callback = answer(visitor, site, broker, email)
            kids.append(kid_of(callback.form().fields["id_token"]))
            wait_until_keys_are_old(completed_at)
            assert email in visitor.submit(callback).text
            completed_at = time.monotonic()
            visitor.submit(visitor.get(f"{site.origin}/"), "/logout")
        assert kids[0] != kids[1] == kids[2]


def test_logins_complete_while_keys_rotate_automatically(
    visitor: Visitor, serve: Serve, tmp_path: Path, email: str
) -> None:
    seconds = {"KEYS_TTL": "2"}
    with Broker(tmp_path, algorithms=["EdDSA"], options=seconds) as broker:
        site = serve(broker, algorithms="EdDSA")
        kids = set()
        # A site also knows the next key; only the one after that is new to it.
        for _ in range(3):
            broker.wait_for(INSTALLED, times=broker.log.count(INSTALLED) + 1 if kids else 1)
            callback = answer(visitor, site, broker, email)
            kids.add(kid_of(callback.form().fields["id_token"]))
            assert email in visitor.submit(callback).text
            visitor.submit(visitor.get(f"{site.origin}/"), "/logout")
        assert len(kids) == 3


def wait_until_keys_are_old(completed_at: float) -> None:
    """Wait until the keys of the site are old enough to be fetched again."""
    while (left := completed_at + 1 - time.monotonic()) > 0:
        time.sleep(left)


def key(name: str) -> str:
    """One of the test keys in the repository."""
    return (KEYS / f"{name}.pem").read_text(encoding="ascii")


def kid_of(token: str) -> str:
    """The id of the key that signed a token."""
    kid: str = header_of(token)["kid"]
    return kid
