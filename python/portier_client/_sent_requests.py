"""Reports the requests of a client to its broker to OpenTelemetry."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypedDict
from weakref import ref

from opentelemetry.context import Context
from opentelemetry.metrics import Histogram, Meter
from opentelemetry.trace import Link, Span, SpanKind, StatusCode, Tracer, set_span_in_context

from ._base import _CLOSED, BaseClient

# Those of the semantic conventions for HTTP clients, in seconds.
_LIMITS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]


class _Sent(TypedDict):
    method: str
    url: str
    server_address: str
    server_port: int
    status: int | None
    error_type: str | None
    started_ago_seconds: float
    duration_seconds: float


class SentRequests:
    """Makes spans and durations of the requests of one client.

    The client records its requests, and they are reported when a call ends, or when metrics are
    collected. So no thread of the client waits for an exporter.
    """

    def __init__(
        self, client: BaseClient, tracer: Tracer, meter: Meter, attributes: dict[str, str]
    ) -> None:
        self._client = ref(client)
        self._tracer = tracer
        self._durations = _histogram(meter)
        self._attributes = attributes
        self._calls: dict[object, tuple[float, Span]] = {}
        self.report()

    @contextmanager
    def during(self, span: Span) -> Iterator[None]:
        """Report the requests of a call in its trace."""
        call = object()
        # A forked child starts to record with its first report.
        self.report()
        self._calls[call] = time.perf_counter(), span
        try:
            yield
        finally:
            self.report()
            del self._calls[call]

    def report(self) -> None:
        """Report the requests that have ended since the last report."""
        client = self._client()
        if client is None or client._native is _CLOSED:
            return
        text = client._native.take_requests()
        if text == "[]":
            return
        now, moment = time.time(), time.perf_counter()
        sent: _Sent
        for sent in json.loads(text):
            ago = sent["started_ago_seconds"]
            self._report(sent, now - ago, moment - ago)

    def _report(self, sent: _Sent, started_on: float, started_at: float) -> None:
        waiting = [span for begun, span in [*self._calls.values()] if begun <= started_at]
        # One of several calls has caused it, and others may wait for it as well.
        alone = len(waiting) == 1
        attributes: dict[str, str | int] = {
            **self._attributes,
            "http.request.method": sent["method"],
            "server.address": sent["server_address"],
            "server.port": sent["server_port"],
        }
        if sent["status"] is not None:
            attributes["http.response.status_code"] = sent["status"]
        if sent["error_type"] is not None:
            attributes["error.type"] = sent["error_type"]
        begin = round(started_on * 1e9)
        span = self._tracer.start_span(
            sent["method"],
            set_span_in_context(waiting[0], Context()) if alone else Context(),
            kind=SpanKind.CLIENT,
            attributes={**attributes, "url.full": sent["url"]},
            links=[] if alone else [Link(span.get_span_context()) for span in waiting],
            start_time=begin,
        )
        if sent["error_type"] is not None:
            span.set_status(StatusCode.ERROR)
        span.end(begin + round(sent["duration_seconds"] * 1e9))
        self._durations.record(sent["duration_seconds"], attributes)


def _histogram(meter: Meter) -> Histogram:
    name, unit, text = "http.client.request.duration", "s", "Duration of HTTP client requests."
    try:
        return meter.create_histogram(name, unit, text, explicit_bucket_boundaries_advisory=_LIMITS)
    except TypeError:  # an older version of the API
        return meter.create_histogram(name, unit, text)
