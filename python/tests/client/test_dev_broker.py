"""The development broker: its time, its modes and its inbox."""

from __future__ import annotations

import gc
import re
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from portier_client import (
    BrokerError,
    BrokerUnavailable,
    ConfigError,
    InvalidSession,
    TokenExpired,
    blocking,
)
from portier_client.testing import DevBroker, ManualClock
from portier_client.testing._broker import running_broker

from .conftest import REDIRECT_URI

if TYPE_CHECKING:
    from collections.abc import Iterator

EMAIL = "alice@example.com"


@pytest.fixture(scope="module")
def shared() -> Iterator[DevBroker]:
    with DevBroker() as broker:
        yield broker


@pytest.fixture
def broker(shared: DevBroker) -> Iterator[DevBroker]:
    yield shared
    shared.reset()


@pytest.fixture
def client(broker: DevBroker) -> blocking.Client:
    return blocking.Client(REDIRECT_URI, broker=broker.origin)


def test_a_login_expires_when_the_time_is_advanced(
    broker: DevBroker, client: blocking.Client
) -> None:
    url = client.authenticate(EMAIL)
    broker.advance_time(timedelta(minutes=31))
    with pytest.raises(InvalidSession) as raised:
        client.complete(broker.sign_in(url))
    assert raised.value.code == "session_unknown"
    client.complete(broker.sign_in(client.authenticate(EMAIL)))


@pytest.mark.parametrize(
    "at", [1_000_000_000, 1e9, datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)], ids=repr
)
def test_the_time_can_be_frozen(
    at: float | datetime, broker: DevBroker, client: blocking.Client
) -> None:
    broker.freeze_time(at)
    login = client.complete(broker.sign_in(client.authenticate(EMAIL)))
    assert login.issued_at == datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)
    broker.advance_time(0.5)
    assert broker.now == 1_000_000_000.5
    broker.resume_time()
    assert broker.now > 1_700_000_000


@pytest.mark.parametrize("at", [-1, float("nan"), float("inf"), 1e300])
def test_a_wrong_time_is_refused(at: float, broker: DevBroker) -> None:
    with pytest.raises(ConfigError):
        broker.freeze_time(at)
    with pytest.raises(ConfigError):
        broker.advance_time(at)
    assert broker.now > 1_700_000_000


def test_a_broker_with_its_own_clock_moves_no_time() -> None:
    with DevBroker(clock=ManualClock(1)) as broker:
        for move in (broker.freeze_time, lambda: broker.advance_time(1)):
            with pytest.raises(ConfigError, match="a clock of its own"):
                move()
        assert broker.now == 1


@pytest.mark.parametrize(
    ("mode", "error"),
    [
        ("refuse", BrokerError),
        ("error:server_error", BrokerError),
        ("expired", TokenExpired),
        ("as:mallory@example.com", InvalidSession),
    ],
)
@pytest.mark.parametrize("flow", ["code", "implicit"])
def test_a_sign_in_fails_as_it_is_told(
    mode: str, error: type[Exception], flow: str, broker: DevBroker
) -> None:
    client = blocking.Client(REDIRECT_URI, broker=broker.origin, flow=flow)
    with pytest.raises(error):
        client.complete(broker.sign_in(client.authenticate(EMAIL), mode=mode))
    with pytest.raises(InvalidSession):
        client.complete(broker.sign_in(client.authenticate(EMAIL), email="eve@example.com"))
    client.complete(broker.sign_in(client.authenticate(EMAIL)))


def test_accounts_and_the_next_logins_have_modes(
    broker: DevBroker, client: blocking.Client
) -> None:
    broker.set_account("*@blocked.example", "refuse")
    broker.next_logins("accept", "error:server_error")
    for email, found in [
        ("eve@blocked.example", "id_token"),
        (EMAIL, "server_error"),
        ("eve@blocked.example", "access_denied"),
        (EMAIL, "Continue"),
    ]:
        assert found in _page(client.authenticate(email))
    for wrong in ("sleep", "error:", "as:nobody"):
        with pytest.raises(ConfigError, match="mode"):
            broker.set_mode(wrong)
        with pytest.raises(ConfigError, match="mode"):
            broker.next_logins(wrong)
        with pytest.raises(ConfigError, match="mode"):
            broker.set_account(EMAIL, wrong)
    with pytest.raises(ConfigError, match="account"):
        broker.set_account("nobody", "accept")


def test_the_inbox_has_the_mails(broker: DevBroker, client: blocking.Client) -> None:
    broker.set_mode("mail")
    assert "Check your mail" in _page(client.authenticate(EMAIL))
    (mail,) = broker.inbox()
    assert (mail.to, mail.site) == (EMAIL, "https://example.com")
    assert re.fullmatch(r"\w{6} \w{6}", mail.code)
    assert abs(mail.sent_at - broker.now) < 60
    assert "Continue" in _page(mail.link)
    broker.clear_inbox()
    assert broker.inbox() == []


def test_a_broker_can_be_unreachable(broker: DevBroker) -> None:
    broker.set_reachable(False)
    with pytest.raises(BrokerUnavailable):
        blocking.Client(REDIRECT_URI, broker=broker.origin).warm()
    broker.reset()
    blocking.Client(REDIRECT_URI, broker=broker.origin).warm()


def _page(url: str) -> str:
    with urllib.request.urlopen(url) as response:
        text: str = response.read().decode()
        return text


def test_a_broker_runs_until_it_is_stopped() -> None:
    client = blocking.Client(REDIRECT_URI, broker=DevBroker().origin)
    gc.collect()
    assert client.authenticate(EMAIL)
    broker = running_broker(client.broker)
    assert broker is not None
    broker.stop()
    assert running_broker(client.broker) is None
