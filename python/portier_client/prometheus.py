"""Metrics in a registry of ``prometheus_client``."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from .metrics import Clients, _collect, _Metric, _named, _Sample

__all__ = ["PortierCollector"]


class PortierCollector(Collector):
    """Collects the metrics of a client, or of several by name; see :mod:`portier_client.metrics`.

    Register it once in each process. Closed clients are left out.

    >>> from prometheus_client import CollectorRegistry
    >>> from portier_client.prometheus import PortierCollector
    >>> client = Client("https://example.com/verify", broker=broker.origin)
    >>> registry = CollectorRegistry()
    >>> registry.register(PortierCollector(client))
    >>> registry.get_sample_value("portier_client_logins_started_total")
    0.0
    """

    def __init__(self, clients: Clients) -> None:
        """Check the clients."""
        self._clients = clients
        for _ in _named(clients):
            pass

    def collect(self) -> Iterator[Metric]:
        """Return the metrics that have a value."""
        for metric in _collect(self._clients):
            if metric["samples"]:
                yield _family(metric)

    def describe(self) -> Iterator[Metric]:
        """Return all metrics without values, so that a registry knows their names."""
        for metric in _collect({}):
            yield _family(metric)


def _family(metric: _Metric) -> Metric:
    if metric["kind"] == "histogram":
        return _histogram(metric)
    kind = CounterMetricFamily if metric["kind"] == "counter" else GaugeMetricFamily
    family: Metric = kind(metric["name"], metric["help"])
    for sample in metric["samples"]:
        family.add_sample(metric["name"], _labels(sample), sample["value"])
    return family


def _histogram(metric: _Metric) -> Metric:
    name = metric["name"]
    family = HistogramMetricFamily(name, metric["help"])
    for sample in metric["samples"]:
        labels, durations = _labels(sample), sample["durations"]
        limited = [(str(each["limit_seconds"]), each["count"]) for each in durations["buckets"]]
        for limit, count in [*limited, ("+Inf", durations["count"])]:
            family.add_sample(f"{name}_bucket", {**labels, "le": limit}, count)
        family.add_sample(f"{name}_sum", labels, durations["total_seconds"])
        family.add_sample(f"{name}_count", labels, durations["count"])
    return family


def _labels(sample: _Sample) -> dict[str, str]:
    return {label["name"]: label["value"] for label in sample["labels"]}
