"""Providers of OpenTelemetry whose output a test reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from portier_client.opentelemetry import instrument

if TYPE_CHECKING:
    from portier_client import Client, blocking


class Telemetry:
    """Providers whose output a test reads."""

    def __init__(self) -> None:
        self.reader = InMemoryMetricReader()
        self.meters = MeterProvider([self.reader])
        self.exporter = InMemorySpanExporter()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))

    def instrument(self, client: Client | blocking.Client, name: str = "") -> None:
        instrument(client, name=name, meter_provider=self.meters, tracer_provider=self.tracers)

    def spans(self) -> list[ReadableSpan]:
        """The spans of calls, and of the test."""
        return [span for span in self.finished() if span.kind is not SpanKind.CLIENT]

    def finished(self) -> list[ReadableSpan]:
        found = [*self.exporter.get_finished_spans()]
        self.exporter.clear()
        return found

    def names(self) -> list[str]:
        return [span.name for span in self.spans()]

    def values(self) -> dict[tuple[str, tuple[tuple[str, Any], ...]], float]:
        points = self.points().items()
        return {key: point.value for key, point in points if hasattr(point, "value")}

    def points(self) -> dict[tuple[str, tuple[tuple[str, Any], ...]], Any]:
        data = self.reader.get_metrics_data()
        return {
            (metric.name, tuple(sorted((point.attributes or {}).items()))): point
            for resource in (data.resource_metrics if data else [])
            for scope in resource.scope_metrics
            for metric in scope.metrics
            for point in metric.data.data_points
        }
