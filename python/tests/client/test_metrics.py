"""The exposition for Prometheus, and the collector for its client library."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from email.utils import formatdate
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as open_metrics
from prometheus_client.parser import text_string_to_metric_families

from portier_client import PortierError, _native, blocking
from portier_client.metrics import CONTENT_TYPE, _collect, exposition
from portier_client.prometheus import PortierCollector
from portier_client.testing import DevBroker

from .mocked import NOW, Mocked

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = [*text_string_to_metric_families(text)]
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def busy() -> Mocked:
    """A client all of whose metrics have a value."""
    mocked = Mocked(headers=[("date", formatdate(NOW + 2, usegmt=True))])
    asyncio.run(mocked.client.authenticate("alice@example.com"))
    with pytest.raises(PortierError):
        asyncio.run(mocked.client.authenticate("nobody"))
    asyncio.run(mocked.client.discover())
    for path in ("/.well-known/openid-configuration", "/keys.json"):
        mocked.transport.respond(f"https://broker.example{path}", b"", status=500)
    mocked.clock.advance(3600 * 2.5)
    with pytest.raises(PortierError):
        asyncio.run(mocked.client.keys())
    return mocked


def test_an_exposition_is_what_the_library_of_prometheus_reads() -> None:
    text = exposition(busy().client)
    found = samples(text)
    assert found["portier_client_logins_started_total", ()] == 1
    failed = {labels[0][1]: value for (name, labels), value in found.items() if "failed" in name}
    assert failed.pop("invalid_email") == 1
    assert {*failed.values()} == {0}
    assert {*failed, "invalid_email"} == {code for code, *_ in _native.codes()}
    assert found["portier_client_clock_difference_seconds", ()] == 2
    assert found["portier_client_document_age_seconds", (("document", "discovery"),)] == 9000
    duration, operation = "portier_client_operation_duration_seconds", ("operation", "authenticate")
    assert found[f"{duration}_bucket", (("le", "0.0005"), operation)] == 2
    assert found[f"{duration}_bucket", (("le", "+Inf"), operation)] == 2
    assert found[f"{duration}_count", (operation,)] == 2
    assert found[f"{duration}_sum", (operation,)] == 0
    assert CONTENT_TYPE == "text/plain; version=0.0.4; charset=utf-8"


def test_an_exposition_contains_nothing_of_a_request() -> None:
    with DevBroker() as broker:
        client = blocking.Client("https://example.com/verify", broker=broker.origin)
        url = client.authenticate("alice@example.com", state="secret state", browser="b" * 43)
        with pytest.raises(PortierError):
            client.verify(broker.mint(url))
        text = exposition(client)
    for secret in ("alice", "secret", "bbbb", broker.origin, "example.com", url.partition("?")[2]):
        assert secret not in text


def test_clients_are_told_apart_by_name() -> None:
    clients = {"shop": Mocked().client, 'the "forum"': Mocked().client}
    asyncio.run(clients["shop"].authenticate("alice@example.com"))
    found = samples(exposition(clients))
    assert found["portier_client_logins_started_total", (("client", "shop"),)] == 1
    assert found["portier_client_logins_started_total", (("client", 'the "forum"'),)] == 0


def test_a_collector_gives_a_registry_the_same_values() -> None:
    mocked = busy()
    for clients in (mocked.client, {"shop": mocked.client, "forum": Mocked().client}):
        registry = CollectorRegistry(auto_describe=True)
        registry.register(PortierCollector(clients))
        assert samples(generate_latest(registry).decode()) == samples(exposition(clients))
        assert open_metrics(registry).endswith(b"# EOF\n")  # type: ignore[no-untyped-call]


def test_a_collector_is_registered_once() -> None:
    registry = CollectorRegistry()
    client = Mocked().client
    registry.register(PortierCollector(client))
    with pytest.raises(ValueError, match="Duplicated timeseries"):
        registry.register(PortierCollector(client))


def test_closed_clients_are_left_out_of_a_registry() -> None:
    clients = {"shop": Mocked().client, "forum": Mocked().client}
    registry = CollectorRegistry()
    registry.register(PortierCollector(clients))
    asyncio.run(clients["shop"].aclose())
    text = generate_latest(registry).decode()
    assert 'client="forum"' in text
    assert 'client="shop"' not in text
    with pytest.raises(RuntimeError, match="the client is closed"):
        exposition(clients)


@pytest.mark.parametrize("wrong", [None, "shop", [], {"shop": "shop"}, object()])
def test_only_clients_have_metrics(wrong: object) -> None:
    for use in (exposition, PortierCollector):
        with pytest.raises(TypeError, match="clients must be"):
            use(wrong)  # type: ignore[arg-type]


def test_an_exposition_needs_no_other_package() -> None:
    code = (
        "import sys; import portier_client.metrics;"
        "print({'prometheus_client', 'opentelemetry'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_the_manual_lists_every_metric_and_label() -> None:
    page = PAGE.read_text(encoding="utf-8")
    row = re.compile(r"^\| `(portier_\w+)` \| `(portier[\w.]+)` \| (?:`(\w+)`)? ?\|", re.MULTILINE)
    found: list[tuple[str, ...]] = []
    names: dict[str, str] = {}
    for metric in _collect({"shop": busy().client}):
        labels = [label for sample in metric["samples"] for label in sample["labels"]]
        names |= {label["name"]: label["attribute"] for label in labels}
        own = {label["name"] for label in labels} - {"client"}
        found.append((metric["name"], metric["instrument"], "".join(own)))
    assert row.findall(page) == found
    listed = re.findall(
        r"^\| `(client|code|document|operation)` \| `([\w.]+)` \|", page, re.MULTILINE
    )
    assert dict(listed) == names
