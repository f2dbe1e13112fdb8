"""Proxies and certificate authorities from the environment, each in its own process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BROKER = "http://broker.test"
DISCOVERY = {
    "issuer": BROKER,
    "authorization_endpoint": f"{BROKER}/auth",
    "jwks_uri": f"{BROKER}/keys.json",
    "response_modes_supported": ["form_post"],
}
# Prints the issuer, or the message of the error.
DISCOVER = """
import asyncio, sys
from portier_client import Client, PortierError

async def main():
    client = Client("https://example.com/", broker=sys.argv[1], danger_allow_http=True)
    try:
        print((await client.discover())["issuer"])
    except PortierError as error:
        print(error.code, error)

asyncio.run(main())
"""


class Proxy(ThreadingHTTPServer):
    """Answers in the broker's place, and records the requests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str] = []

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Proxy

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        body = json.dumps(DISCOVERY).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_CONNECT(self) -> None:
        self.server.asked.append(self.path)
        self.send_error(403)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with Proxy() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def discover(origin: str, before: tuple[str, ...] = (), /, **variables: str) -> str:
    """The output of a program with these network variables, and no others."""
    hidden = ("_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")
    kept = {name: value for name, value in os.environ.items() if not name.upper().endswith(hidden)}
    command = [*before, sys.executable, "-c", DISCOVER, origin]
    done = subprocess.run(
        command,
        env={**kept, **variables},
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    return done.stdout.strip()


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_quotes_and_white_space_around_a_proxy_url_are_ignored(proxy: Proxy, name: str) -> None:
    value = f' "http://someone:word@{proxy.address}"\r\n'
    assert discover(BROKER, **{name: value}) == BROKER
    assert proxy.asked == [f"{BROKER}/.well-known/openid-configuration"]


@pytest.mark.parametrize("value", ["http://", "not a proxy", "ftp://someone:hunter2@127.0.0.1"])
def test_an_invalid_proxy_url_is_an_error(value: str) -> None:
    for name, origin in [("HTTPS_PROXY", "https://broker.test"), ("http_proxy", BROKER)]:
        said = discover(origin, **{name: value})
        assert said.startswith(f"broker_unreachable the environment variable {name} ")
        assert "hunter2" not in said


def test_a_refusing_proxy_is_named_in_the_error(proxy: Proxy) -> None:
    value = f"http://someone:hunter2@{proxy.address}"
    said = discover("https://broker.test", https_proxy=value)
    assert said == (
        "broker_unreachable the proxy did not connect to the broker "
        f"proxy={proxy.address} host=broker.test"
    )
    # A failed connection is tried twice.
    assert proxy.asked == ["broker.test:443"] * 2


def test_an_invalid_ssl_cert_file_is_named_in_the_error() -> None:
    said = discover("https://127.0.0.1", SSL_CERT_FILE="/nowhere/ca.pem")
    if sys.platform == "linux":
        assert "SSL_CERT_FILE names a file that does not exist path=/nowhere/ca.pem" in said
    assert said.startswith("broker_unreachable ")


@pytest.fixture(scope="module")
def without_authorities() -> tuple[str, ...]:
    """A command that runs another one where the folder of certificate authorities is empty."""
    script = 'mount -t tmpfs none /etc/ssl && exec "$@"'
    for words in (("unshare", "-rm"), ("sudo", "-n", "-E", "unshare", "-m")):
        command = (*words, "sh", "-c", script, "sh")
        try:
            subprocess.run([*command, "true"], capture_output=True, check=True, timeout=60)
        except (OSError, subprocess.CalledProcessError):
            continue
        return command
    pytest.skip("there is no namespace of one's own here")


@pytest.mark.skipif(sys.platform != "linux", reason="the system has its own trust store")
def test_without_authorities_of_the_system_those_of_certifi_are_trusted(
    without_authorities: tuple[str, ...], tmp_path: Path
) -> None:
    said = discover("https://127.0.0.1:1", without_authorities)
    assert "certificate authorities" not in said
    (tmp_path / "certifi.py").write_text("raise ImportError")
    said = discover("https://127.0.0.1:1", without_authorities, PYTHONPATH=str(tmp_path))
    assert said.startswith(
        "broker_unreachable TLS cannot be set up: there are no certificate authorities"
    )
