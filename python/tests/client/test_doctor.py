"""The doctor, as a command and from code."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from typing import Any

import pytest

from portier_client.doctor import Report, examine, examine_blocking
from portier_client.testing import DevBroker

SITE = "https://example.com/verify"


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


def ids(result: subprocess.CompletedProcess[str]) -> list[str]:
    """The ids of the findings."""
    report: dict[str, Any] = json.loads(result.stdout)
    return [finding["id"] for finding in report["findings"]]


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


def test_the_command_is_listed() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "portier_client", "--help"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "doctor" in result.stdout


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("HTTPS_PROXY", "ftp://swordfish@proxy.example", "proxy.invalid"),
        ("HTTPS_PROXY", "http://user:swordfish@127.0.0.1:1", "proxy"),
        ("SSL_CERT_FILE", "/no/such/file.pem", "tls.no_authorities"),
    ],
)
def test_the_command_finds_variables_of_the_environment(
    variable: str, value: str, expected: str
) -> None:
    options = {"PORTIER_REDIRECT_URI": SITE, "PORTIER_JSON": "1", variable: value}
    result = run("--broker", "https://broker.invalid", **options)
    assert expected in ids(result)
    assert "swordfish" not in result.stdout


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
    assert finding.see == "docs/doctor.md#processesmemory"


def test_variables_of_the_command_do_not_change_what_code_asks_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PORTIER_STORE", "mysql://localhost")
    assert examine_blocking(SITE, offline=True).healthy
