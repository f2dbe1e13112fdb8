"""The doctor, as a command and from code."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from portier_client.doctor import Report, examine, examine_blocking, main
from portier_client.testing import DevBroker

if TYPE_CHECKING:
    from collections.abc import Iterator

SITE = "https://example.com/verify"
CERTIFICATE = Path(__file__).parents[3] / "node" / "tests" / "client" / "tls"
VECTORS = Path(__file__).parents[3] / "tests" / "vectors" / "doctor.json"


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the command without variables of proxies and certificates."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "portier_client", "doctor", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**kept, **environment},
    )


def test_the_command_ends_with_the_status_of_its_findings() -> None:
    healthy = run("--offline", "--redirect-uri", SITE)
    assert (healthy.returncode, healthy.stderr) == (0, "")
    assert healthy.stdout.endswith("healthy\n")
    assert "\x1b" not in healthy.stdout
    assert f"Python {sys.version.split()[0]}" in healthy.stdout
    broken = run("--offline", "--redirect-uri", SITE, "--store", "mysql://localhost")
    assert broken.returncode == 1
    assert "store.invalid" in broken.stdout
    wrong = run("--offline")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "--redirect-uri is missing" in wrong.stderr


def cases() -> list[Any]:
    """The command lines that are the same in every language."""
    found: list[dict[str, Any]] = json.loads(VECTORS.read_text(encoding="utf-8"))["cases"]
    return [pytest.param(case, id=case["id"]) for case in found]


@contextmanager
def secure_server() -> Iterator[str]:
    """A server that speaks TLS, and answers nothing; yields its host and port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE / "server.pem", CERTIFICATE / "server-key.pem")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_handshakes, args=(listener, context), daemon=True)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        # Closing the listener would not wake the thread up.
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def _handshakes(listener: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection, suppress(OSError):
            context.wrap_socket(connection, server_side=True).close()


@pytest.mark.parametrize("case", cases())
def test_a_command_line_has_the_same_findings_in_every_language(
    case: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / "other.txt").write_text("This is no store.")
    expect = case["expect"]
    with DevBroker() as broker, secure_server() as secure:
        if "failing" in case:
            broker.fail_next(case["failing"], requests=50, status=404)

        values = {
            "{broker}": broker.origin,
            "{address}": broker.origin.removeprefix("http://"),
            "{secure}": secure,
            "{folder}": tmp_path.as_posix(),
        }

        def filled(text: str) -> str:
            for name, value in values.items():
                text = text.replace(name, value)
            return text

        for name in ("NO_PROXY", "no_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.delenv(name, raising=False)
        for name, value in {**case.get("environment", {}), **case.get("process", {})}.items():
            monkeypatch.setenv(name, filled(value))
        arguments = [filled(argument) for argument in case["arguments"]]
        status = main(arguments)
        text = "".join(capsys.readouterr())
        assert status == expect["status"] or ".slow:" in text, text
        assert expect.get("says", "") in text
        assert "swordfish" not in text
        if status < 2:
            main([*arguments, "--json"])
            text = capsys.readouterr().out
            assert "swordfish" not in text
            findings = json.loads(text)["findings"]
            found = {finding["id"] for finding in findings if finding["level"] != "ok"}
            # A busy machine may be slow.
            assert found - {"broker.slow", "network.slow", "store.slow"} == {*expect["findings"]}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals in os")
@pytest.mark.parametrize(
    ("variables", "more", "has_colours"),
    [
        ({}, [], True),
        ({"NO_COLOR": ""}, [], True),
        ({"NO_COLOR": "1"}, [], False),
        ({}, ["--no-colour"], False),
        ({}, ["--json"], False),
    ],
)
def test_a_terminal_has_colours(
    variables: dict[str, str], more: list[str], has_colours: bool
) -> None:
    terminal, other_end = os.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    command = [sys.executable, "-m", "portier_client", "doctor"]
    with subprocess.Popen(
        [*command, "--offline", "--redirect-uri", SITE, *more],
        stdout=other_end,
        env={**environment, **variables},
    ):
        os.close(other_end)
        shown = b""
        # Reading fails once the command has ended.
        with suppress(OSError):
            while part := os.read(terminal, 4096):
                shown += part
    os.close(terminal)
    assert b"redirect_uri" in shown
    assert (b"\x1b[32mok" in shown) == has_colours


def test_the_command_is_listed() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "portier_client", "--help"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "doctor" in result.stdout


def test_the_command_finds_authorities_that_are_missing() -> None:
    options = {"PORTIER_REDIRECT_URI": SITE, "PORTIER_JSON": "1", "PORTIER_SECRET": "1"}
    result = run("--broker", "https://broker.invalid", **options, SSL_CERT_FILE="/no/such/file.pem")
    assert "tls.no_authorities" in {
        finding["id"] for finding in json.loads(result.stdout)["findings"]
    }


def test_a_site_is_examined_from_code() -> None:
    with DevBroker() as broker:
        options: dict[str, Any] = {"broker": broker.origin, "processes": 2, "has_secret": True}
        report = asyncio.run(examine("http://localhost:8000/verify", **options))
        again = examine_blocking("http://localhost:8000/verify", **options)
    assert isinstance(report, Report)
    assert report.healthy, report
    assert [finding.id for finding in again.findings] == [finding.id for finding in report.findings]
    keys = next(finding for finding in report.findings if finding.id == "keys")
    assert (keys.level, keys.advice, keys.values["algorithms"]) == ("ok", None, ["EdDSA", "RS256"])


def test_findings_say_what_to_do() -> None:
    report = examine_blocking(SITE, offline=True, processes=4)
    assert not report.healthy
    finding = next(finding for finding in report.findings if finding.id == "processes.memory")
    assert finding.level == "error"
    assert finding.advice is not None
    manual = "https://github.com/portier/portier-client/blob/main/docs/doctor.md"
    assert finding.see == f"{manual}#processesmemory"


def test_variables_of_the_command_do_not_change_what_code_asks_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PORTIER_STORE", "mysql://localhost")
    assert examine_blocking(SITE, offline=True).healthy
