"""Find out why logins fail: ``python -m portier_client doctor``, also from code.

The doctor examines the options of a site, its network, the broker, the store, and the login page.
It sends no mail. From code::

    from portier_client.doctor import examine

    async def health() -> list[str]:
        report = await examine("https://example.com/verify", store="redis://localhost")
        return [finding.text for finding in report.findings if finding.level == "error"]
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from . import _native

__all__ = ["Finding", "Level", "Report", "examine", "examine_blocking"]

Level = Literal["ok", "note", "warning", "error"]
"""How bad a finding is. Only warnings and errors need action."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of the doctor."""

    id: str
    """A stable name, such as ``store.evicts``."""

    level: Level
    """How bad it is."""

    text: str
    """A sentence or two. It contains no secret."""

    advice: str | None
    """What to do, unless nothing has to be done."""

    see: str | None
    """The place in the manual."""

    values: Mapping[str, Any]
    """Figures and names, for programs."""


@dataclass(frozen=True, slots=True)
class Report:
    """All findings of one examination."""

    healthy: bool
    """Whether there is neither a warning nor an error."""

    findings: list[Finding]
    """In the order of the checks."""

    versions: Mapping[str, str]
    """The versions of this library and of Python."""

    milliseconds: int
    """How long it took."""


async def examine(
    redirect_uri: str,
    *,
    broker: str | None = None,
    store: str | None = None,
    has_secret: bool = False,
    login_page: str | None = None,
    ca_file: str | os.PathLike[str] | None = None,
    processes: int | None = None,
    danger_allow_http: bool = False,
    offline: bool = False,
) -> Report:
    """Examine a site.

    ``redirect_uri``, ``broker``, ``store``, ``ca_file``, ``danger_allow_http``
        As for the site's :class:`~portier_client.Client`; the store as a URL.
    ``has_secret``
        Whether the site gives its client a secret, so that pending logins need no store.
    ``login_page``
        The URL of the page with the login form, if the site runs.
    ``processes``
        How many processes serve the site.
    ``offline``
        Ask neither the broker nor the site.

    It takes less than two seconds if all is well. Whatever is wrong is in the report.
    """
    examining = asyncio.to_thread(
        examine_blocking,
        redirect_uri,
        broker=broker,
        store=store,
        has_secret=has_secret,
        login_page=login_page,
        ca_file=ca_file,
        processes=processes,
        danger_allow_http=danger_allow_http,
        offline=offline,
    )
    # Error trackers keep the locals of frames, and the URL may contain a password.
    del store
    return await examining


def examine_blocking(
    redirect_uri: str,
    *,
    broker: str | None = None,
    store: str | None = None,
    has_secret: bool = False,
    login_page: str | None = None,
    ca_file: str | os.PathLike[str] | None = None,
    processes: int | None = None,
    danger_allow_http: bool = False,
    offline: bool = False,
) -> Report:
    """Examine a site, without an event loop; see :func:`examine`."""
    values = {
        "redirect-uri": redirect_uri,
        "broker": broker,
        "store": store,
        "login-page": login_page,
        "ca-file": None if ca_file is None else os.fspath(ca_file),
        "processes": processes,
    }
    flags = {"secret": has_secret, "danger-allow-http": danger_allow_http, "offline": offline}
    arguments = ["--json"]
    arguments += [f"--{name}={value}" for name, value in values.items() if value is not None]
    arguments += [f"--{name}" for name, is_set in flags.items() if is_set]
    _, output, complaint = _native.doctor(arguments, False, versions(), False)
    # Error trackers keep the locals of frames, and the URL may contain a password.
    del store, values, arguments
    if complaint:
        raise ValueError(complaint.partition("\n")[0])
    report = json.loads(output)
    findings = [Finding(**finding) for finding in report.pop("findings")]
    return Report(findings=findings, **report)


def main(arguments: list[str]) -> int:
    """Run the command; return its exit status."""
    colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    status, output, complaint = _native.doctor(arguments, True, versions(), colours)
    sys.stdout.write(output)
    sys.stderr.write(complaint)
    return status


def versions() -> list[tuple[str, str]]:
    """Return the versions to show beside the library's."""
    return [("Python", platform.python_version()), (platform.system(), platform.machine())]
