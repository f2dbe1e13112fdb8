"""Metrics and traces for OpenTelemetry.

:func:`instrument` a client once, before integrations and flows are made from it. Without it,
OpenTelemetry is not imported, and costs nothing.
"""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from opentelemetry import metrics, trace
from opentelemetry.metrics import CallbackOptions, Histogram, Meter, MeterProvider, Observation
from opentelemetry.trace import Span, StatusCode, Tracer, TracerProvider

from . import __version__, _native
from ._base import BaseClient
from ._flow import BaseLoginFlow
from ._sent_requests import SentRequests
from .errors import PortierError
from .metrics import _collect

__all__ = ["instrument", "uninstrument"]

_SCOPE = "portier_client"
_CALLS = ("authenticate", "verify", "complete", "discover", "keys", "warm")
_REQUESTS = ("login", "start", "callback")
_FAULTS = frozenset(code for code, _, _, is_fault in _native.codes() if is_fault)


def instrument(
    client: BaseClient,
    *,
    name: str = "",
    meter_provider: MeterProvider | None = None,
    tracer_provider: TracerProvider | None = None,
) -> None:
    """Report the metrics of a client, and trace its calls and those of its flows.

    ``client``
        A client that has no flow yet: only flows that are made later are traced.
    ``name``
        The attribute ``portier.client``, if a process has several clients.
    ``meter_provider``, ``tracer_provider``
        By default those of the process.

    A call has a span while it runs, as a child of the current one. If the call ends with an error,
    its code is the attribute ``error.type``. The status of the span is an error only if the broker,
    the store, the clock or the site itself is at fault: anybody can send an invalid token. The
    histogram ``portier.client.operation.duration`` counts the durations of these calls.

    A request to the broker has a span of the kind ``CLIENT``, and is counted in the histogram
    ``http.client.request.duration``. It is in the trace of the call that was in progress when it
    was sent. If there were several, it is in none, and has links to them.

    Raises ``RuntimeError`` for a client that is instrumented already.

    >>> from portier_client.opentelemetry import instrument
    >>> client = Client("https://example.com/verify", broker=broker.origin)
    >>> instrument(client)
    """
    if not isinstance(client, BaseClient):
        raise TypeError(f"client must be a Client, not {type(client).__name__}")
    if client in _traces:
        raise RuntimeError("the client is instrumented already")
    meter = metrics.get_meter(_SCOPE, __version__, meter_provider=meter_provider)
    _observe(client, name, meter_provider, meter)
    tracer = trace.get_tracer(_SCOPE, __version__, tracer_provider=tracer_provider)
    durations = _histogram(meter)
    attributes = {"portier.client": name} if name else {}
    sent = SentRequests(client, tracer, meter, attributes)
    traces = _Traces(tracer, durations, attributes, sent)
    traces.add(client, "portier.client", _CALLS)
    client._on_flow = traces.add_flow
    _traces[client] = traces


def uninstrument(client: BaseClient) -> None:
    """Undo :func:`instrument`, also for the flows of the client."""
    traces = _traces.pop(client, None)
    if traces is None:
        return
    client._on_flow = None
    traces.remove()
    for observed in _observed.values():
        observed.pop(client, None)


# The clients whose metrics a provider of meters reports, with their names. A meter keeps only the
# callbacks of the first instrument of a name, so that all clients share them.
_observed: MutableMapping[object, MutableMapping[BaseClient, str]] = WeakKeyDictionary()


class _Default:
    """Stands for the provider of the process, which may be set later."""


_DEFAULT = _Default()


def _observe(client: BaseClient, name: str, provider: MeterProvider | None, meter: Meter) -> None:
    key = _DEFAULT if provider is None else provider
    if key in _observed:
        _observed[key][client] = name
        return
    observed: MutableMapping[BaseClient, str] = WeakKeyDictionary({client: name})
    _observed[key] = observed
    creators = {
        "counter": meter.create_observable_counter,
        "gauge": meter.create_observable_gauge,
    }
    for index, metric in enumerate(_collect({})):
        create = creators.get(metric["kind"])
        if create is not None:
            callback = functools.partial(_values, observed, index)
            create(metric["instrument"], [callback], metric["unit"], metric["help"])


def _histogram(meter: Meter) -> Histogram:
    metric = next(metric for metric in _collect({}) if metric["kind"] == "histogram")
    create = functools.partial(
        meter.create_histogram, metric["instrument"], metric["unit"], metric["help"]
    )
    try:
        return create(explicit_bucket_boundaries_advisory=metric["limits"])
    except TypeError:  # an older version of the API
        return create()


def _values(
    observed: MutableMapping[BaseClient, str], index: int, _options: CallbackOptions
) -> Iterable[Observation]:
    for client, name in [*observed.items()]:
        if client in _traces:
            # The requests of the background.
            _traces[client].sent.report()
        for sample in _collect({name: client})[index]["samples"]:
            attributes = {label["attribute"]: label["value"] for label in sample["labels"]}
            yield Observation(sample["value"], attributes)


class _Traces:
    """The traces of one client: replaces methods of objects, not of classes."""

    def __init__(
        self, tracer: Tracer, durations: Histogram, attributes: dict[str, str], sent: SentRequests
    ) -> None:
        self.sent = sent
        self._tracer = tracer
        self._durations = durations
        self._attributes = attributes
        self._traced: WeakSet[Any] = WeakSet()

    def add_flow(self, flow: BaseLoginFlow[Any]) -> None:
        self.add(flow, "portier.flow", _REQUESTS)

    def add(self, target: object, prefix: str, names: Iterable[str]) -> None:
        self._traced.add(target)
        for name in names:
            vars(target)[name] = self._traced_method(prefix, name, getattr(target, name))

    def remove(self) -> None:
        for target in [*self._traced]:
            for name in (*_CALLS, *_REQUESTS):
                vars(target).pop(name, None)

    def _traced_method(
        self, prefix: str, name: str, method: Callable[..., Any]
    ) -> Callable[..., Any]:
        # Error trackers keep the locals of frames, so that arguments are dropped at once.
        if inspect.iscoroutinefunction(method):

            @functools.wraps(method)
            async def traced(*arguments: object, **options: object) -> object:
                call = method(*arguments, **options)
                del arguments, options
                with self._measured(prefix, name) as outcome:
                    return outcome.noted(await call)

            return traced

        @functools.wraps(method)
        def traced_blocking(*arguments: object, **options: object) -> object:
            call = functools.partial(method, *arguments, **options)
            del arguments, options
            with self._measured(prefix, name) as outcome:
                return outcome.noted(call())

        return traced_blocking

    @contextmanager
    def _measured(self, prefix: str, name: str) -> Iterator[_Outcome]:
        begun = time.perf_counter()
        with self._tracer.start_as_current_span(
            f"{prefix}.{name}",
            attributes=self._attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            outcome = _Outcome(span)
            try:
                with self.sent.during(span):
                    yield outcome
            except PortierError as error:
                outcome.failed(error.code, error.code in _FAULTS)
                raise
            except Exception as error:
                outcome.failed(type(error).__qualname__, True)
                raise
            finally:
                attributes = {**self._attributes, "portier.operation": name, **outcome.attributes}
                self._durations.record(time.perf_counter() - begun, attributes)


class _Outcome:
    """How a call has ended."""

    def __init__(self, span: Span) -> None:
        self._span = span
        self.attributes: dict[str, str] = {}

    def noted(self, result: object) -> object:
        error = getattr(result, "error", None)
        if isinstance(error, PortierError):
            self.failed(error.code, error.code in _FAULTS)
        return result

    def failed(self, error_type: str, is_fault: bool) -> None:
        self.attributes["error.type"] = error_type
        self._span.set_attribute("error.type", error_type)
        if is_fault:
            self._span.set_status(StatusCode.ERROR)


_traces: MutableMapping[BaseClient, _Traces] = WeakKeyDictionary()
