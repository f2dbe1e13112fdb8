"""Errors: the same codes as in Rust, with their attributes."""

from __future__ import annotations

import asyncio
import copy
import json
import multiprocessing
import pickle
import re
import threading
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from portier_client import (
    BrokerError,
    BrokerUnavailable,
    Client,
    InternalError,
    PortierError,
    SessionUsed,
    _native,
    blocking,
    errors,
)
from portier_client.testing import DevBroker

from .conftest import REDIRECT_URI
from .mocked import Mocked

if TYPE_CHECKING:
    from collections.abc import Callable

CODES = [pytest.param(*row[:3], id=row[0]) for row in _native.codes()]


@pytest.mark.parametrize(("code", "kind", "retryable"), CODES)
def test_every_code_exists_in_both_languages(code: str, kind: str, retryable: bool) -> None:
    found = errors.CLASSES[code]
    assert issubclass(found, getattr(errors, kind))
    assert found.retryable is retryable
    assert re.search(rf"``{code}``", found.__doc__ or "")


def test_no_code_exists_only_here() -> None:
    assert set(errors.CLASSES) == {code for code, *_ in _native.codes()}


def test_an_unavailable_broker_has_its_status_and_the_time_to_wait() -> None:
    mocked = Mocked()
    url = f"{mocked.client.broker}/.well-known/openid-configuration"
    mocked.transport.respond(url, b"", status=429, headers=[("retry-after", "20")])
    for waited, left in [(0, 20.0), (5, 15.0)]:
        mocked.clock.advance(waited)
        with pytest.raises(BrokerUnavailable) as raised:
            asyncio.run(mocked.client.discover())
        assert (raised.value.status, raised.value.retry_after) == (429, left)
        twin = pickle.loads(pickle.dumps(raised.value))
        assert (twin.status, twin.retry_after) == (429, left)


def test_a_mocked_answer_is_text_or_bytes() -> None:
    mocked = Mocked()
    url = f"{mocked.client.broker}/.well-known/openid-configuration"
    for body in ("no document", b"no document"):
        mocked.transport.respond(url, body)
        mocked.clock.advance(60)
        with pytest.raises(BrokerUnavailable, match="not a JSON object"):
            asyncio.run(mocked.client.discover())
    with pytest.raises(TypeError, match=r"str \| bytes"):
        mocked.transport.respond(url, 1)  # type: ignore[arg-type]


@pytest.mark.parametrize(("code", "kind", "retryable"), CODES)
@pytest.mark.parametrize("duplicate", [lambda e: pickle.loads(pickle.dumps(e)), copy.deepcopy])
def test_errors_survive_pickling(
    duplicate: Callable[[PortierError], PortierError], code: str, kind: str, retryable: bool
) -> None:
    del kind
    error = errors.CLASSES[code]("the fact value=1", code=code)
    error.add_note("a note")
    twin = duplicate(error)
    assert type(twin) is type(error)
    assert (str(twin), twin.code, twin.retryable) == ("the fact value=1", code, retryable)
    assert twin.__notes__ == ["a note"]


@pytest.mark.parametrize(("code", "kind", "retryable"), CODES)
def test_an_error_can_be_rebuilt_from_its_arguments(code: str, kind: str, retryable: bool) -> None:
    del kind
    error = errors.CLASSES[code]("the fact value=1", code=code)
    # Celery rebuilds it from the values that JSON has kept.
    twin = type(error)(*json.loads(json.dumps(error.args)))
    assert (str(twin), twin.code, twin.retryable) == ("the fact value=1", code, retryable)
    assert (twin.args, repr(twin)) == (error.args, repr(error))


@pytest.mark.parametrize("kind", dict.fromkeys([*errors.CLASSES.values(), PortierError]))
def test_an_error_can_be_made_from_a_message(kind: type[PortierError]) -> None:
    error = kind("the fact")
    assert str(error) == "the fact"
    assert issubclass(kind, errors.CLASSES[error.code]) or kind is PortierError


def test_a_rebuilt_error_keeps_same_browser() -> None:
    error = SessionUsed("the fact", code="session_used", same_browser=True)
    assert SessionUsed(*error.args).same_browser


def test_an_error_without_arguments_has_no_text() -> None:
    assert str(PortierError.__new__(PortierError)) == ""


def test_the_brokers_error_survives_pickling() -> None:
    error = BrokerError("refused", code="broker_error", error="a", error_description="b")
    twin = pickle.loads(pickle.dumps(error))
    assert (twin.error, twin.error_description) == ("a", "b")
    assert twin.args == ("refused", "broker_error")


def test_causes_of_this_package_survive_pickling() -> None:
    error = InternalError("the fact", code="internal")
    error.__cause__ = Exception("what came before")
    error.__cause__.__cause__ = InternalError("the first", code="internal")
    error.__cause__.__cause__.__cause__ = Exception("the very first")
    twin = pickle.loads(pickle.dumps(error))
    assert chain(twin) == chain(error)
    assert len(chain(twin)) == 4
    # Other causes may be anything, and need not survive.
    error.__cause__ = LookupError(lambda: None)
    assert chain(pickle.loads(pickle.dumps(error))) == chain(error)[:1]


def chain(error: BaseException | None) -> list[tuple[type[BaseException], str]]:
    """An error and its causes."""
    return [] if error is None else [(type(error), str(error)), *chain(error.__cause__)]


def test_a_worker_process_returns_an_error() -> None:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        with pytest.raises(BrokerUnavailable) as caught:
            pool.submit(fail).result()
        # The pool still works.
        assert pool.submit(len, "ab").result() == 2
    assert (caught.value.code, caught.value.retryable) == ("broker_unreachable", True)
    assert str(caught.value) == "no connection to the broker host=127.0.0.1"


def fail() -> None:
    """Runs in a worker; nobody listens at port 9."""
    blocking.Client(REDIRECT_URI, broker="http://127.0.0.1:9").warm()


def test_the_sources_of_an_error_are_its_causes() -> None:
    broker = DevBroker()
    client = Client(REDIRECT_URI, broker=broker.origin)
    broker.stop()
    with pytest.raises(BrokerUnavailable) as caught:
        asyncio.run(client.warm())
    error = caught.value
    assert (error.code, error.retryable) == ("broker_unreachable", True)
    assert error.__cause__ is not None
    assert not isinstance(error.__cause__, PortierError)


@pytest.mark.parametrize("at_once", [True, False])
def test_a_panic_is_an_internal_error(
    at_once: bool, broker: DevBroker, capfd: pytest.CaptureFixture[str]
) -> None:
    client = Client(REDIRECT_URI, broker=broker.origin)

    async def operate() -> None:
        # An ordinary function of the native module: it panics when it is called, or later.
        await _native.panic_in_operation(at_once)

    for _ in range(2):
        with pytest.raises(InternalError) as caught:
            asyncio.run(operate())
        assert caught.value.code == "internal"
        assert isinstance(caught.value, Exception)
        # Threads and clients work as before.
        asyncio.run(client.warm())
        asyncio.run(Client(REDIRECT_URI, broker=broker.origin).warm())
    assert "this panic was asked for" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("size", "outcome"),
    [
        (256 * 1024, nullcontext()),
        (256 * 1024 + 1, pytest.raises(BrokerUnavailable, match="too large limit=262144")),
    ],
    ids=["largest", "larger"],
)
def test_a_document_larger_than_256_kib_is_refused(size: int, outcome: Any) -> None:
    class Broker(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            names = {"authorization_endpoint": "/auth", "jwks_uri": "/keys.json"}
            members = {name: origin + path for name, path in names.items()}
            body = json.dumps({"issuer": origin, **members}).ljust(size).encode()
            self.send_response(200)
            # There is no Content-Length.
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with HTTPServer(("127.0.0.1", 0), Broker) as server:
        origin = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        with outcome:
            asyncio.run(Client(REDIRECT_URI, broker=origin).authenticate("alice@example.com"))
        thread.join()
