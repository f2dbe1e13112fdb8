"""Logins whatever the environment and /etc/resolv.conf tell the resolver."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "resolving.py"
HIDDEN = ("_PROXY", "RES_OPTIONS", "LOCALDOMAIN", "HOSTALIASES")
PLAIN = "nameserver 127.0.0.1\n"
ODD = (
    "; a comment\r\n# another\r\n\n"
    "NAMESERVER 192.0.2.1\n\tnameserver 192.0.2.2\nnameserver no-address\n"
    "nameserver\t127.0.0.1 \t\r\n"
    "domain first.test\nsearch\t a.test  b.test.\t\n"
    "options ndots:many ndots:15 timeout:1 attempts:1 rotate edns0 unheard-of:3\n"
    "sortlist 192.0.2.0/255.255.255.0\nlookup file bind\nfamily inet4"
)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no network namespaces")
@pytest.mark.parametrize(
    ("configuration", "variables", "asked"),
    [
        (PLAIN, {}, []),
        (
            PLAIN,
            {"RES_OPTIONS": "ndots:15 timeout:1", "LOCALDOMAIN": "a.test b.test"},
            ["broker.test.a.test", "broker.test.b.test"],
        ),
        (PLAIN, {"RES_OPTIONS": " ndots: timeout:x,\tno-such", "LOCALDOMAIN": " "}, []),
        (PLAIN, {"HOSTALIASES": "/nowhere/aliases"}, []),
        (ODD, {}, ["broker.test.a.test", "broker.test.b.test"]),
        (ODD, {"RES_OPTIONS": "ndots:1 no-such:1", "LOCALDOMAIN": "c.test"}, []),
        # Then, the name server is on this computer.
        ("", {}, []),
    ],
)
def test_a_login_succeeds_with_these_settings_of_the_resolver(
    configuration: str, variables: dict[str, str], asked: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "resolv.conf"
    file.write_text(configuration, newline="")
    kept = {name: value for name, value in os.environ.items() if not name.upper().endswith(HIDDEN)}
    done = subprocess.run(
        [*own_network(), sys.executable, str(PROGRAM), str(file)],
        env={**kept, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    email, names = done.stdout.splitlines() or ("", done.stderr)
    assert email == "alice@example.com", names
    assert names.split() == ["broker.test", *asked]


def own_network() -> tuple[str, ...]:
    """A command that runs another one as root, with a network and mounts of its own."""
    for words in (("unshare", "-rmn"), ("sudo", "-n", "-E", "unshare", "-mn")):
        try:
            subprocess.run([*words, "true"], capture_output=True, check=True, timeout=60)
        except (OSError, subprocess.CalledProcessError):
            continue
        return words
    pytest.skip("there is no namespace of one's own here")
