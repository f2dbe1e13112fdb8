"""The client for programs without an event loop."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from portier_client import InvalidToken
from portier_client.blocking import Client

from .conftest import REDIRECT_URI

if TYPE_CHECKING:
    from portier_client.testing import DevBroker

DISCOVERY = "/.well-known/openid-configuration"


def test_a_blocking_client_completes_a_login(broker: DevBroker) -> None:
    with Client(REDIRECT_URI, broker=broker.origin) as client:
        client.warm()
        url = client.authenticate("alice@example.com", session="/m")
        login = client.complete({"id_token": broker.mint(url)})
        assert (login.email, login.session) == ("alice@example.com", "/m")
        assert client.discover()["issuer"] == broker.origin
        assert broker.key_id() in {key.id for key in client.keys()}
        assert client.stats()["logins_completed"] == 1
        with pytest.raises(InvalidToken):
            client.verify("x")
    with pytest.raises(RuntimeError, match="the client is closed"):
        client.warm()


def test_other_threads_run_during_a_blocking_call(broker: DevBroker) -> None:
    client = Client(REDIRECT_URI, broker=broker.origin)
    known = broker.requests().get(DISCOVERY, 0)
    broker.hold(DISCOVERY)
    thread = threading.Thread(target=client.warm)
    thread.start()
    while broker.requests().get(DISCOVERY, 0) == known:
        time.sleep(0.001)
    assert thread.is_alive()
    broker.release(DISCOVERY)
    thread.join()
