"""The health of a client, and the answer to health checks."""

from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from portier_client import BrokerUnavailable, Client, PortierError, blocking
from portier_client.testing import DevBroker
from portier_client.web import LoginFlow, WebRequest

from .conftest import REDIRECT_URI

PASS = {"status": "pass"}
NOBODY = "http://127.0.0.1:9"


def get(method: str = "GET") -> WebRequest:
    return WebRequest(method, {}, b"")


def test_a_client_that_has_done_nothing_is_healthy(client: Client) -> None:
    checks = {"discovery": PASS, "keys": PASS, "store": PASS, "clock": PASS}
    assert client.health() == {"status": "pass", "checks": checks}


def test_a_client_without_a_broker_fails_until_it_has_the_documents() -> None:
    with DevBroker() as broker:
        broker.fail_next("/.well-known/openid-configuration", status=500)
        client = blocking.Client(REDIRECT_URI, broker=broker.origin)
        with pytest.raises(BrokerUnavailable):
            client.warm()
        health = client.health()
        assert health["status"] == "fail"
        assert health["checks"]["discovery"] == {"status": "fail", "code": "broker_status"}
        # A check starts the next attempt, as soon as the pause is over.
        done = threading.Event()
        for _ in range(500):
            if client.health()["status"] == "pass":
                break
            done.wait(0.02)
        assert client.health()["status"] == "pass"


def test_a_store_that_fails_is_a_warning() -> None:
    class Broken:
        def put(self, _nonce: str, _record: str, _ttl: float, /) -> None:
            raise OSError("gone")

        def take(self, _nonce: str, /) -> str | None:
            raise OSError("gone")

    with DevBroker() as broker:
        client = blocking.Client(REDIRECT_URI, broker=broker.origin, store=Broken())
        with pytest.raises(PortierError):
            client.authenticate("alice@example.com")
        assert client.health()["checks"]["store"] == {"status": "warn", "code": "store_failed"}


def test_a_flow_answers_health_checks(client: Client) -> None:
    step = asyncio.run(LoginFlow(client).health(get()))
    assert step.reply.status == 200
    assert json.loads(step.reply.body) == client.health()
    headers = dict(step.header_list)
    assert headers["content-type"] == "application/json"
    assert headers["cache-control"].startswith("no-store")
    assert "set-cookie" not in headers
    assert step.error is None
    assert asyncio.run(LoginFlow(client).health(get("POST"))).reply.status == 405


def test_a_process_that_never_reached_the_broker_is_unavailable() -> None:
    client = blocking.Client(REDIRECT_URI, broker=NOBODY)
    flow = blocking.LoginFlow(client)
    with pytest.raises(BrokerUnavailable):
        client.warm()
    reply = flow.health(get()).reply
    assert reply.status == 503
    assert json.loads(reply.body)["checks"]["discovery"]["code"] == "broker_unreachable"


def test_checks_from_loops_and_threads_cause_one_request() -> None:
    with DevBroker() as broker:
        client = Client(REDIRECT_URI, broker=broker.origin)
        flow = LoginFlow(client)

        async def check() -> set[int]:
            steps = await asyncio.gather(*(flow.health(get()) for _ in range(50)))
            return {step.reply.status for step in steps}

        with ThreadPoolExecutor(4) as threads:
            answers = [*threads.map(lambda _: asyncio.run(check()), range(8))]
        assert set().union(*answers) == {200}
        asyncio.run(client.warm())
        assert broker.requests()["/.well-known/openid-configuration"] == 1


def test_a_closed_client_has_no_health(client: Client) -> None:
    flow = LoginFlow(client)
    asyncio.run(client.aclose())
    with pytest.raises(RuntimeError, match="the client is closed"):
        client.health()
    with pytest.raises(RuntimeError, match="the client is closed"):
        asyncio.run(flow.health(get()))
