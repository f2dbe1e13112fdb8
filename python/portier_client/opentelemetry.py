"""Metrics and traces for OpenTelemetry.

:func:`instrument` a client once, before integrations and flows are made from it. Without it,
OpenTelemetry is not imported, and costs nothing.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from opentelemetry import metrics, trace
from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation
from opentelemetry.trace import Span, StatusCode, Tracer, TracerProvider

from . import __version__, _native
from ._base import BaseClient
from ._flow import BaseLoginFlow
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
    the store, the clock or the site itself is at fault: anybody can send an invalid token.

    Raises ``RuntimeError`` for a client that is instrumented already.

    >>> from portier_client.opentelemetry import instrument
    >>> client = Client("https://example.com/verify", broker=broker.origin)
    >>> instrument(client)
    """
    if not isinstance(client, BaseClient):
        raise TypeError(f"client must be a Client, not {type(client).__name__}")
    if client in _traces:
        raise RuntimeError("the client is instrumented already")
    _observe(client, name, meter_provider)
    tracer = trace.get_tracer(_SCOPE, __version__, tracer_provider=tracer_provider)
    traces = _Traces(tracer, {"portier.client": name} if name else {})
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


def _observe(client: BaseClient, name: str, provider: MeterProvider | None) -> None:
    key = _DEFAULT if provider is None else provider
    if key in _observed:
        _observed[key][client] = name
        return
    observed: MutableMapping[BaseClient, str] = WeakKeyDictionary({client: name})
    _observed[key] = observed
    meter = metrics.get_meter(_SCOPE, __version__, meter_provider=provider)
    for index, metric in enumerate(_collect({})):
        is_counter = metric["kind"] == "counter"
        create = meter.create_observable_counter if is_counter else meter.create_observable_gauge
        callback = functools.partial(_values, observed, index)
        create(metric["instrument"], [callback], metric["unit"], metric["help"])


def _values(
    observed: MutableMapping[BaseClient, str], index: int, _options: CallbackOptions
) -> Iterable[Observation]:
    for client, name in [*observed.items()]:
        for sample in _collect({name: client})[index]["samples"]:
            attributes = {label["attribute"]: label["value"] for label in sample["labels"]}
            yield Observation(sample["value"], attributes)


class _Traces:
    """The traces of one client: replaces methods of objects, not of classes."""

    def __init__(self, tracer: Tracer, attributes: dict[str, str]) -> None:
        self._tracer = tracer
        self._attributes = attributes
        self._traced: WeakSet[Any] = WeakSet()

    def add_flow(self, flow: BaseLoginFlow[Any]) -> None:
        self.add(flow, "portier.flow", _REQUESTS)

    def add(self, target: object, prefix: str, names: Iterable[str]) -> None:
        self._traced.add(target)
        for name in names:
            vars(target)[name] = self._traced_method(f"{prefix}.{name}", getattr(target, name))

    def remove(self) -> None:
        for target in [*self._traced]:
            for name in (*_CALLS, *_REQUESTS):
                vars(target).pop(name, None)

    def _traced_method(self, span_name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        # Error trackers keep the locals of frames, so that arguments are dropped at once.
        if inspect.iscoroutinefunction(method):

            @functools.wraps(method)
            async def traced(*arguments: object, **options: object) -> object:
                call = method(*arguments, **options)
                del arguments, options
                with self._span(span_name) as span:
                    return _noted(span, await call)

            return traced

        @functools.wraps(method)
        def traced_blocking(*arguments: object, **options: object) -> object:
            call = functools.partial(method, *arguments, **options)
            del arguments, options
            with self._span(span_name) as span:
                return _noted(span, call())

        return traced_blocking

    @contextmanager
    def _span(self, name: str) -> Iterator[Span]:
        with self._tracer.start_as_current_span(
            name,
            attributes=self._attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield span
            except PortierError as error:
                _failed(span, error.code, error.code in _FAULTS)
                raise
            except Exception as error:
                _failed(span, type(error).__qualname__, True)
                raise


def _noted(span: Span, result: object) -> object:
    error = getattr(result, "error", None)
    if isinstance(error, PortierError):
        _failed(span, error.code, error.code in _FAULTS)
    return result


def _failed(span: Span, error_type: str, is_fault: bool) -> None:
    span.set_attribute("error.type", error_type)
    if is_fault:
        span.set_status(StatusCode.ERROR)


_traces: MutableMapping[BaseClient, _Traces] = WeakKeyDictionary()
