"""Metrics and spans for OpenTelemetry."""

from __future__ import annotations

import asyncio
import gc
import inspect
import logging
import subprocess
import sys
import weakref
from typing import TYPE_CHECKING

import pytest
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from portier_client import Client, InvalidToken, PortierError, blocking
from portier_client.metrics import exposition
from portier_client.opentelemetry import uninstrument
from portier_client.testing import DevBroker, flush_events
from portier_client.web import LoginFlow, WebRequest

from .conftest import REDIRECT_URI
from .mocked import Mocked
from .test_metrics import samples

if TYPE_CHECKING:
    from .telemetry import Telemetry

FORM = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}


def test_the_metrics_are_those_of_the_exposition(telemetry: Telemetry) -> None:
    client = Mocked().client
    telemetry.instrument(client)
    asyncio.run(client.authenticate("alice@example.com"))
    values = telemetry.values()
    assert values["portier.client.logins.started", ()] == 1
    assert values["portier.client.logins.failed", (("error.type", "internal"),)] == 0
    age = ("portier.client.document.age", (("portier.document", "discovery"),))
    assert values[age] == 0
    exposed = samples(exposition(client)).items()
    numbers = [value for (name, _), value in exposed if "_operation_duration_" not in name]
    assert sorted(values.values()) == sorted(numbers)


def test_the_durations_of_calls_are_a_histogram(telemetry: Telemetry, broker: DevBroker) -> None:
    client = blocking.Client(REDIRECT_URI, broker=broker.origin)
    telemetry.instrument(client, "shop")
    client.verify(broker.mint(client.authenticate("alice@example.com")))
    with pytest.raises(InvalidToken):
        client.verify("secret.secret.secret")
    blocking.LoginFlow(client).login(WebRequest("POST", FORM, b"email=alice%40example.com"))
    points = telemetry.points()
    calls = {
        dict(attributes)["portier.operation"] + dict(attributes).get("error.type", ""): point
        for (name, attributes), point in points.items()
        if name == "portier.client.operation.duration"
    }
    assert sorted(calls) == ["authenticate", "login", "verify", "verifytoken_malformed"]
    for point in calls.values():
        assert (point.count, point.attributes["portier.client"]) == (1, "shop")
        assert 0 < point.sum < 60
        assert point.explicit_bounds[0] == 0.0005


def test_several_clients_share_a_provider(telemetry: Telemetry) -> None:
    shop, forum = Mocked().client, Mocked().client
    telemetry.instrument(shop, "shop")
    telemetry.instrument(forum, "forum")
    asyncio.run(forum.authenticate("alice@example.com"))
    values = telemetry.values()
    started = "portier.client.logins.started"
    assert values[started, (("portier.client", "shop"),)] == 0
    assert values[started, (("portier.client", "forum"),)] == 1
    asyncio.run(shop.aclose())
    uninstrument(forum)
    assert telemetry.values() == {}


def test_calls_have_spans_in_the_current_trace(telemetry: Telemetry, broker: DevBroker) -> None:
    client = Client(REDIRECT_URI, broker=broker.origin)
    telemetry.instrument(client, "shop")

    async def log_in() -> None:
        url = await client.authenticate("alice@example.com")
        assert await client.verify(broker.mint(url)) == "alice@example.com"
        await asyncio.gather(client.warm(), client.keys(), client.discover())

    with telemetry.tracers.get_tracer("site").start_as_current_span("request") as request:
        asyncio.run(log_in())
    *spans, _ = telemetry.spans()
    calls = ["authenticate", "verify", "warm", "keys", "discover"]
    assert sorted(span.name for span in spans) == sorted(f"portier.client.{call}" for call in calls)
    for span in spans:
        assert span.parent == request.get_span_context()
        assert dict(span.attributes or {}) == {"portier.client": "shop"}
        assert (span.kind, span.status.status_code) == (SpanKind.INTERNAL, StatusCode.UNSET)
        assert span.instrumentation_scope is not None
        assert span.instrumentation_scope.name == "portier_client"


def test_a_refused_login_is_no_error_of_the_site(telemetry: Telemetry, broker: DevBroker) -> None:
    client = blocking.Client(REDIRECT_URI, broker=broker.origin)
    telemetry.instrument(client)
    with pytest.raises(InvalidToken):
        client.verify("secret.secret.secret")
    (span,) = telemetry.spans()
    assert dict(span.attributes or {}) == {"error.type": "token_malformed"}
    assert span.status.status_code is StatusCode.UNSET
    assert span.events == ()
    assert "secret" not in span.to_json()


def test_a_fault_is_an_error_of_the_span(telemetry: Telemetry) -> None:
    client = blocking.Client(REDIRECT_URI, broker="http://127.0.0.1:9")
    telemetry.instrument(client)
    with pytest.raises(PortierError):
        client.authenticate("alice@example.com")
    client.close()
    with pytest.raises(RuntimeError):
        client.warm()
    fault, closed = telemetry.spans()
    assert dict(fault.attributes or {}) == {"error.type": "broker_unreachable"}
    assert dict(closed.attributes or {}) == {"error.type": "RuntimeError"}
    for span in (fault, closed):
        assert span.status.status_code is StatusCode.ERROR
        assert "alice" not in span.to_json()


def test_a_cancelled_call_is_no_error(telemetry: Telemetry) -> None:
    with DevBroker() as broker:
        path = "/.well-known/openid-configuration"
        broker.hold(path)
        client = Client(REDIRECT_URI, broker=broker.origin)
        telemetry.instrument(client)

        async def cancel() -> None:
            task = asyncio.create_task(client.warm())
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(cancel())
        broker.release(path)
    (span,) = telemetry.spans()
    assert span.status.status_code is StatusCode.UNSET


@pytest.mark.parametrize("kind", ["asyncio", "blocking"])
def test_the_requests_of_flows_have_spans(
    telemetry: Telemetry, broker: DevBroker, kind: str
) -> None:
    form = WebRequest("POST", FORM, b"email=alice%40example.com")
    wrong = WebRequest("PUT", FORM)
    if kind == "asyncio":
        client = Client(REDIRECT_URI, broker=broker.origin)
        telemetry.instrument(client)
        flow = LoginFlow(client)
        started = asyncio.run(flow.login(form))
        asyncio.run(flow.callback(wrong))
        asyncio.run(flow.start(wrong, "nobody"))
    else:
        blocked = blocking.Client(REDIRECT_URI, broker=broker.origin)
        telemetry.instrument(blocked)
        blocked_flow = blocking.LoginFlow(blocked)
        started = blocked_flow.login(form)
        blocked_flow.callback(wrong)
        blocked_flow.start(wrong, "nobody")
    assert started.reply.status == 303
    login, callback, start = telemetry.spans()
    assert [login.name, callback.name, start.name] == [
        "portier.flow.login",
        "portier.flow.callback",
        "portier.flow.start",
    ]
    assert dict(login.attributes or {}) == {}
    assert dict(callback.attributes or {}) == {"error.type": "request_method"}
    assert dict(start.attributes or {}) == {"error.type": "invalid_email"}


def test_stores_and_log_handlers_run_in_the_span_of_their_call(telemetry: Telemetry) -> None:
    seen: list[tuple[str, int]] = []

    def note(what: str) -> None:
        seen.append((what, trace.get_current_span().get_span_context().span_id))

    class Watching:
        async def put(self, _nonce: str, _record: str, _ttl: float, /) -> None:
            note("put")
            await asyncio.sleep(0.001)
            note("put")

        async def take(self, _nonce: str, /) -> str | None:
            return None

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            note(record.__dict__["event"])

    logger = logging.getLogger("portier_client")
    handler, level = Handler(), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        with DevBroker() as broker:
            client = Client(REDIRECT_URI, broker=broker.origin, store=Watching())
            telemetry.instrument(client)

            async def start_many() -> None:
                await asyncio.gather(*(client.authenticate(f"a{n}@example.com") for n in range(8)))

            asyncio.run(start_many())
            flush_events()
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    spans = [span.context.span_id for span in telemetry.spans() if span.context]
    by_event = {what: sorted(of for found, of in seen if found == what) for what, _ in seen}
    assert by_event["put"] == sorted(spans * 2)
    assert by_event["login started"] == sorted(spans)
    # One fetch serves all calls; it belongs to none of their traces.
    assert by_event["document fetched"] == [0]


def test_a_client_is_instrumented_once_and_keeps_its_methods(telemetry: Telemetry) -> None:
    client = Mocked().client
    before = {name: getattr(client, name) for name in ("authenticate", "verify", "complete")}
    telemetry.instrument(client)
    flow = LoginFlow(client)
    with pytest.raises(RuntimeError, match="instrumented already"):
        telemetry.instrument(client)
    for name, method in before.items():
        traced = getattr(client, name)
        assert inspect.iscoroutinefunction(traced)
        assert inspect.signature(traced) == inspect.signature(method)
        assert traced.__doc__ == method.__doc__
    uninstrument(client)
    uninstrument(client)
    assert {name: getattr(client, name) for name in before} == before
    asyncio.run(client.authenticate("alice@example.com"))
    asyncio.run(flow.login(WebRequest("POST", FORM, b"email=nobody")))
    assert telemetry.names() == []
    telemetry.instrument(client)
    asyncio.run(client.discover())
    assert telemetry.names() == ["portier.client.discover"]


def test_instrumentation_does_not_keep_a_client(telemetry: Telemetry) -> None:
    client = Mocked().client
    telemetry.instrument(client)
    LoginFlow(client)
    known = weakref.ref(client)
    del client
    gc.collect()
    assert known() is None
    assert telemetry.values() == {}


def test_frames_of_traced_calls_hold_no_token(telemetry: Telemetry) -> None:
    client = blocking.Client(REDIRECT_URI, broker="http://127.0.0.1:9")
    telemetry.instrument(client)
    with pytest.raises(InvalidToken) as caught:
        client.verify("secret.secret.secret")
    frames = [entry for entry in caught.traceback if "portier_client" in str(entry.path)]
    assert frames
    for entry in frames[1:]:
        assert "secret.secret" not in str(entry.frame.f_locals)


def test_nothing_is_imported_without_it() -> None:
    code = (
        "import sys, portier_client.web, portier_client.blocking;"
        "print('opentelemetry' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
