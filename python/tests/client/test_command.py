"""The development broker from the command line."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from importlib.metadata import version

import pytest

from portier_client import Client

from .conftest import REDIRECT_URI

COMMAND = [sys.executable, "-W", "error", "-m", "portier_client"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_broker_serves_until_it_is_stopped(number: signal.Signals) -> None:
    command = [*COMMAND, "broker", "--port", "0", "--auto"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert found
        assert "development only" in process.stdout.readline()
        assert process.stdout.readline() == "Ctrl-C stops it.\n"
        url = asyncio.run(Client(REDIRECT_URI, broker=found[0]).authenticate("alice@example.com"))
        with urllib.request.urlopen(url) as page:
            assert b'name="id_token"' in page.read()
        process.send_signal(number)
        rest, errors = process.communicate(timeout=60)
    assert (process.returncode, rest, errors) == (0, "", "")


def test_the_public_origin_can_be_set() -> None:
    command = [*COMMAND, "broker", "--port", "0", "--host", "127.0.0.1"]
    command += ["--origin", "http://broker.example:3333"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.terminate()
    assert first == "Portier development broker on http://broker.example:3333\n"


@pytest.mark.parametrize(
    "arguments", [["--host", "localhost"], ["--host", "192.0.2.1"], ["--origin", "localhost:3333"]]
)
def test_an_invalid_host_or_origin_prints_one_line(arguments: list[str]) -> None:
    command = [*COMMAND, "broker", "--port", "0", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"broker: {arguments[0].removeprefix('--')} is not")
    assert done.stderr.count("\n") == 1


def test_a_port_in_use_prints_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [*COMMAND, "broker", "--port", port], capture_output=True, text=True, check=False
        )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("broker: ")
    assert done.stderr.count("\n") == 1
    assert port in done.stderr


@pytest.mark.parametrize("arguments", [[], ["brokr"], ["broker", "--port", "x"]])
def test_wrong_usage_is_explained(arguments: list[str]) -> None:
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    usage = "usage: broker [OPTION]..." if arguments[:1] == ["broker"] else "usage: python -m"
    assert usage in done.stderr


def test_a_mail_that_a_page_waits_for_is_printed() -> None:
    command = [*COMMAND, "broker", "--port", "0", "--mail"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert found
        url = asyncio.run(Client(REDIRECT_URI, broker=found[0]).authenticate("alice@example.com"))
        with urllib.request.urlopen(url) as page:
            assert b"Check your mail" in page.read()
        lines = [process.stdout.readline() for _ in range(3)]
        process.terminate()
    link = rf"{found[0]}/confirm\?session=\w+&code=\w+"
    assert re.fullmatch(rf"Mail to alice@example\.com: {link} \(code \w+ \w+\)\n", lines[-1])


def test_help_is_printed() -> None:
    for arguments, usage in [
        (["--help"], "usage: python -m portier_client broker"),
        (["broker", "--help"], "usage: broker [OPTION]..."),
    ]:
        done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=True)
        assert done.stdout.startswith(usage)
        assert done.stderr == ""


def test_options_come_from_the_environment_and_accounts_have_modes() -> None:
    variables = {"PORTIER_DEV_BROKER_PORT": "0", "PORTIER_DEV_BROKER_AUTO": "1"}
    command = [*COMMAND, "broker", "--account", "*@example.org=refuse"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, **variables}
    ) as process:
        assert process.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert found
        client = Client(REDIRECT_URI, broker=found[0])
        for address, answer in [
            ("alice@example.com", b'name="id_token"'),
            ("alice@example.org", b'value="access_denied"'),
        ]:
            with urllib.request.urlopen(asyncio.run(client.authenticate(address))) as page:
                assert answer in page.read()
        process.terminate()


def test_version_is_printed() -> None:
    done = subprocess.run([*COMMAND, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"portier-client {version('portier-client')}\n"
