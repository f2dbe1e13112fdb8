"""Options, properties and the representation of a client."""

from __future__ import annotations

import asyncio
import copy
import inspect
import os
import pickle
import sys
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

import portier_client
from portier_client import Client, ConfigError, blocking, testing

from .conftest import REDIRECT_URI

if TYPE_CHECKING:
    from pathlib import Path

WAITING = ["authenticate", "verify", "complete", "discover", "keys", "warm", "aclose"]


@pytest.mark.parametrize("name", WAITING)
def test_asynchronous_methods_are_coroutine_functions(name: str) -> None:
    assert inspect.iscoroutinefunction(getattr(Client, name))


@pytest.mark.parametrize("name", ["authenticate", "verify", "complete", "discover", "keys", "warm"])
def test_the_blocking_client_has_the_same_signatures(name: str) -> None:
    asynchronous = inspect.signature(getattr(Client, name))
    assert inspect.signature(getattr(blocking.Client, name)) == asynchronous


def test_only_the_redirect_uri_is_positional() -> None:
    parameters = inspect.signature(Client).parameters
    kinds = {name: parameter.kind for name, parameter in parameters.items()}
    assert kinds.pop("redirect_uri") is inspect.Parameter.POSITIONAL_OR_KEYWORD
    assert set(kinds.values()) == {inspect.Parameter.KEYWORD_ONLY}
    assert list(kinds) == [
        *["broker", "store", "secret", "flow", "response_mode", "leeway", "session_ttl"],
        *["timeout", "store_timeout", "algorithms"],
        *["idp", "danger_allow_http", "ca_file", "user_agent"],
    ]


def test_every_exported_name_exists() -> None:
    for module in (portier_client, portier_client.errors, blocking, testing):
        for name in module.__all__:
            assert getattr(module, name) is not None
    assert set(portier_client.__all__) <= set(dir(portier_client))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = portier_client.nothing


def test_properties_return_normalized_urls() -> None:
    client = Client("https://example.com:443/verify?x=1", broker="https://broker.example/")
    assert client.redirect_uri == "https://example.com/verify?x=1"
    assert client.client_id == "https://example.com"
    assert client.broker == "https://broker.example"
    assert Client(REDIRECT_URI).broker == "https://broker.portier.io"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"redirect_uri": "/verify"}, "invalid_redirect_uri"),
        ({"redirect_uri": "https://example.com/\udc00"}, "invalid_option"),
        ({"broker": "https://broker.example/path"}, "invalid_broker"),
        ({"broker": "http://broker.example"}, "insecure_url"),
        ({"response_mode": "query"}, "invalid_option"),
        ({"leeway": 301}, "invalid_option"),
        ({"leeway": -1}, "invalid_option"),
        ({"leeway": float("nan")}, "invalid_option"),
        ({"leeway": float("inf")}, "invalid_option"),
        ({"leeway": 10**400}, "invalid_option"),
        ({"session_ttl": timedelta(0)}, "invalid_option"),
        ({"timeout": timedelta(days=1)}, "invalid_option"),
        ({"store_timeout": 0}, "invalid_option"),
        ({"store_timeout": 60.001}, "invalid_option"),
        ({"store_timeout": float("nan")}, "invalid_option"),
        ({"algorithms": []}, "invalid_option"),
        ({"algorithms": ["none"]}, "invalid_option"),
        ({"ca_file": "/no/such/file"}, "invalid_option"),
        ({"user_agent": "a\nb"}, "invalid_option"),
        ({"store": "memory"}, "invalid_option"),
        ({"store": "memory:secret"}, "invalid_option"),
        ({"store": "nothing://:secret@localhost"}, "invalid_option"),
        ({"store": b"memory:"}, "invalid_option"),
        ({"store": object()}, "invalid_option"),
    ],
)
def test_invalid_option_values_are_refused(options: dict[str, Any], code: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Client(**{"redirect_uri": REDIRECT_URI, **options})
    assert caught.value.code == code
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"redirect_uri": b"https://example.com/"},
        {"broker": None},
        {"leeway": "180"},
        {"leeway": True},
        {"timeout": None},
        {"store_timeout": "5"},
        {"algorithms": "RS256"},
        {"algorithms": [1]},
        {"algorithms": 1},
        {"idp": 1},
        {"danger_allow_http": "no"},
        {"ca_file": 1},
        {"ca_file": b"/etc"},
        {"user_agent": b""},
    ],
)
def test_options_of_wrong_types_are_refused(options: dict[str, Any]) -> None:
    name = next(iter(options))
    with pytest.raises(TypeError, match=name):
        Client(**{"redirect_uri": REDIRECT_URI, **options})


def test_durations_are_numbers_of_seconds_or_timedeltas() -> None:
    shortest = timedelta(milliseconds=1)
    Client(REDIRECT_URI, leeway=0, session_ttl=1.5, timeout=shortest, store_timeout=shortest)


def test_a_ca_file_may_be_a_path(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    with pytest.raises(ConfigError, match="ca_file"):
        Client(REDIRECT_URI, ca_file=path)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no mkfifo")
def test_a_ca_file_may_be_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=["no certificate"])
    writer.start()
    with pytest.raises(ConfigError, match="ca_file has no PEM certificates"):
        Client(REDIRECT_URI, ca_file=pipe)
    writer.join()


def test_repr_shows_no_redirect_uri() -> None:
    client = Client("https://example.com/verify?secret", broker="https://broker.example")
    expected = "client_id='https://example.com' broker='https://broker.example'>"
    assert repr(client) == f"<portier_client.Client {expected}"
    twin = blocking.Client("https://example.com/verify", broker="https://broker.example")
    assert repr(twin) == f"<portier_client.blocking.Client {expected}"


@pytest.mark.parametrize("duplicate", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_client_cannot_be_pickled_or_copied(duplicate: Any) -> None:
    with pytest.raises(TypeError, match="cannot be pickled or copied"):
        duplicate(Client(REDIRECT_URI))


@pytest.mark.parametrize("kind", [Client, blocking.Client])
def test_methods_of_a_client_can_be_mocked(kind: type[Any]) -> None:
    client, other = kind(REDIRECT_URI), kind(REDIRECT_URI)
    before = type(client).complete
    with mock.patch.object(client, "complete", autospec=True) as complete:
        assert client.complete is complete
        assert other.complete.__func__ is before
    assert client.complete.__func__ is before
    with mock.patch.object(client, "_native"), mock.patch.object(client, "stats"):
        pass
    spec = mock.create_autospec(kind, instance=True)
    assert set(dir(kind)) <= set(dir(spec))


def test_methods_of_a_broker_can_be_mocked() -> None:
    with testing.DevBroker() as broker, mock.patch.object(broker, "mint", return_value="x"):
        assert broker.mint() == "x"


def test_repr_works_before_the_options_are_read() -> None:
    assert repr(Client.__new__(Client)) == "<portier_client.Client>"


def test_a_closed_client_refuses_calls() -> None:
    async def use() -> None:
        async with Client(REDIRECT_URI) as client:
            assert client.client_id == "https://example.com"
        await client.aclose()
        for call in (client.verify(""), client.warm(), client.authenticate(None)):
            with pytest.raises(RuntimeError, match="the client is closed"):
                await call
        with pytest.raises(RuntimeError, match="the client is closed"):
            client.stats()
        assert client.client_id in repr(client)

    asyncio.run(use())


def test_only_asynchronous_methods_need_an_event_loop() -> None:
    coroutine = Client(REDIRECT_URI).verify("x")
    with pytest.raises(portier_client.InvalidToken):
        coroutine.send(None)


def test_version_is_that_of_the_package() -> None:
    from importlib.metadata import version

    assert portier_client.__version__ == version("portier-client")
