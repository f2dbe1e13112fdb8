"""Requests to the broker in OpenTelemetry."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from opentelemetry.trace import SpanKind, StatusCode

from portier_client import Client, PortierError, blocking
from portier_client.opentelemetry import uninstrument
from portier_client.web import LoginFlow, WebRequest

from .conftest import REDIRECT_URI
from .test_opentelemetry import FORM

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from portier_client.testing import DevBroker

    from .telemetry import Telemetry

DISCOVERY = "/.well-known/openid-configuration"


def sorted_out(spans: list[ReadableSpan]) -> tuple[list[ReadableSpan], list[ReadableSpan]]:
    """The spans of requests, and those of calls."""
    requests = [span for span in spans if span.kind is SpanKind.CLIENT]
    return requests, [span for span in spans if span.kind is not SpanKind.CLIENT]


def durations(telemetry: Telemetry) -> dict[tuple[tuple[str, Any], ...], Any]:
    points = telemetry.points().items()
    return {key: point for (name, key), point in points if name == "http.client.request.duration"}


def test_a_request_is_a_child_of_the_call_that_waits_for_it(
    telemetry: Telemetry, broker: DevBroker
) -> None:
    client = blocking.Client(REDIRECT_URI, broker=broker.origin)
    telemetry.instrument(client, "shop")
    before = time.time_ns()
    client.warm()
    after = time.time_ns()
    requests, (call,) = sorted_out(telemetry.finished())
    port = int(broker.origin.rpartition(":")[2])
    common = {
        "portier.client": "shop",
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
        "server.port": port,
    }
    for span, path in zip(requests, (DISCOVERY, "/keys.json"), strict=True):
        assert dict(span.attributes or {}) == {**common, "url.full": f"{broker.origin}{path}"}
        assert (span.name, span.status.status_code) == ("GET", StatusCode.UNSET)
        assert span.parent == call.get_span_context()
        assert span.links == ()
        assert before - 1_000_000 <= (span.start_time or 0) <= (span.end_time or 0)
        assert (span.end_time or 0) <= after + 1_000_000
    ((attributes, point),) = durations(telemetry).items()
    assert dict(attributes) == common
    assert point.count == 2
    assert point.explicit_bounds[0] == 0.005


def test_the_request_for_a_token_is_in_the_trace_of_its_callback(
    telemetry: Telemetry, broker: DevBroker
) -> None:
    client = Client(REDIRECT_URI, broker=broker.origin)
    telemetry.instrument(client)
    flow = LoginFlow(client)

    async def log_in() -> None:
        started = await flow.login(WebRequest("POST", FORM, b"email=alice%40example.com"))
        answer = broker.sign_in(dict(started.reply.headers)["location"])
        cookies = "; ".join(cookie.partition(";")[0] for cookie in started.reply.cookies)
        await flow.callback(WebRequest("GET", {"Cookie": cookies}, query=urlencode(answer)))

    asyncio.run(log_in())
    requests, calls = sorted_out(telemetry.finished())
    token = next(span for span in requests if span.name == "POST")
    callback = next(span for span in calls if span.name == "portier.flow.callback")
    assert token.parent == callback.get_span_context()
    assert (token.attributes or {})["url.full"] == f"{broker.origin}/token"
    for span in requests:
        assert "alice" not in span.to_json()


def test_a_request_for_several_calls_has_links_to_them(
    telemetry: Telemetry, broker: DevBroker
) -> None:
    client = Client(REDIRECT_URI, broker=broker.origin)
    telemetry.instrument(client)

    async def warm_twice() -> None:
        broker.hold(DISCOVERY)
        calls = [asyncio.create_task(client.warm()) for _ in range(2)]
        await asyncio.sleep(0)
        broker.release(DISCOVERY)
        await asyncio.gather(*calls)

    asyncio.run(warm_twice())
    # The first request is sent when one of the calls has begun, or both.
    (_, keys), calls = sorted_out(telemetry.finished())
    assert (keys.parent, len(keys.links)) == (None, 2)
    linked = {link.context.span_id for link in keys.links}
    assert linked == {span.context.span_id for span in calls if span.context}


def test_a_request_that_fails_says_why(telemetry: Telemetry, broker: DevBroker) -> None:
    for client, status in (
        (blocking.Client(REDIRECT_URI, broker="http://127.0.0.1:9"), None),
        (blocking.Client(REDIRECT_URI, broker=broker.origin), 404),
    ):
        telemetry.instrument(client)
        broker.fail_next(DISCOVERY, status=404)
        with pytest.raises(PortierError):
            client.warm()
        (request,), _ = sorted_out(telemetry.finished())
        attributes = request.attributes or {}
        assert attributes.get("http.response.status_code") == status
        assert attributes["error.type"] == ("404" if status else "broker_unreachable")
        assert request.status.status_code is StatusCode.ERROR
    assert {dict(key)["error.type"] for key in durations(telemetry)} == {
        "404",
        "broker_unreachable",
    }


def test_a_request_of_the_background_is_reported_with_the_metrics(
    telemetry: Telemetry, broker: DevBroker
) -> None:
    client = blocking.Client(REDIRECT_URI, broker=broker.origin)
    telemetry.instrument(client)
    client.health()
    while client.stats()["discovery"]["age_seconds"] is None:
        time.sleep(0.01)
    assert telemetry.finished() == []
    assert sum(point.count for point in durations(telemetry).values()) >= 1
    requests, calls = sorted_out(telemetry.finished())
    assert calls == []
    for request in requests:
        assert (request.parent, request.links) == (None, ())


def test_nothing_is_reported_of_other_clients(telemetry: Telemetry, broker: DevBroker) -> None:
    client = blocking.Client(REDIRECT_URI, broker=broker.origin)
    telemetry.instrument(client)
    uninstrument(client)
    client.warm()
    assert telemetry.finished() == []
    assert durations(telemetry) == {}
