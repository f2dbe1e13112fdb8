"""Metrics for Prometheus, without another library.

Serve :func:`exposition` as :data:`CONTENT_TYPE`, on a path that only the monitoring system reaches.
With ``prometheus_client``, use :mod:`portier_client.prometheus`; with OpenTelemetry,
:mod:`portier_client.opentelemetry`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NotRequired, TypeAlias, TypedDict

from . import _native
from ._base import _CLOSED, BaseClient

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CONTENT_TYPE", "Clients", "exposition"]

CONTENT_TYPE = _native.METRICS_CONTENT_TYPE
"""The media type of an exposition."""

Clients: TypeAlias = BaseClient | Mapping[str, BaseClient]
"""A client, or several of them by their names, which are the values of the label ``client``."""


def exposition(clients: Clients) -> str:
    """Return the metrics of a client, or of several, in the text format of Prometheus.

    Several clients are given by name, such as ``{"shop": shop, "forum": forum}``. The name is the
    value of the label ``client``. A single client needs no name and has no such label.

    Raises ``RuntimeError`` for a closed client.

    >>> from portier_client.metrics import exposition
    >>> client = Client("https://example.com/verify", broker=broker.origin)
    >>> "portier_client_logins_started_total 0" in exposition(client).splitlines()
    True
    """
    named = [*_named(clients)]
    if any(client._native is _CLOSED for _, client in named):
        raise RuntimeError("the client is closed")
    return _native.exposition([(name, client._native) for name, client in named])


class _Label(TypedDict):
    name: str
    attribute: str
    value: str


class _Bucket(TypedDict):
    limit_seconds: float
    count: int


class _Durations(TypedDict):
    count: int
    total_seconds: float
    buckets: list[_Bucket]


class _Sample(TypedDict):
    labels: list[_Label]
    value: float
    durations: NotRequired[_Durations]


class _Metric(TypedDict):
    name: str
    instrument: str
    help: str
    kind: Literal["counter", "gauge", "histogram"]
    unit: str
    limits: NotRequired[list[float]]
    samples: list[_Sample]


def _collect(clients: Clients) -> list[_Metric]:
    """Return the metrics of those clients that are open."""
    natives = [(name, client._native) for name, client in _named(clients)]
    opened = [(name, native) for name, native in natives if native is not _CLOSED]
    metrics: list[_Metric] = json.loads(_native.collect_metrics(opened))
    return metrics


def _named(clients: Clients) -> Iterator[tuple[str, BaseClient]]:
    pairs = clients.items() if isinstance(clients, Mapping) else [("", clients)]
    for name, client in pairs:
        if not isinstance(client, BaseClient):
            raise TypeError(
                f"clients must be a Client or Clients by name, not {type(client).__name__}"
            )
        yield name, client
