"""Programs that change the surroundings of a client: the time, the event loop, bundling."""

from __future__ import annotations

import asyncio
import modulefinder
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import freezegun
import pytest
import time_machine

import portier_client
from portier_client import blocking

from .conftest import REDIRECT_URI

if TYPE_CHECKING:
    from collections.abc import Callable

    from portier_client.testing import DevBroker

LONG_AGO = datetime(2001, 2, 3, tzinfo=UTC)
PACKAGE = Path(portier_client.__file__).parent


@pytest.mark.parametrize(
    "freeze",
    [lambda: freezegun.freeze_time(LONG_AGO), lambda: time_machine.travel(LONG_AGO, tick=False)],
    ids=["freezegun", "time-machine"],
)
def test_mocked_time_does_not_change_the_result(
    broker: DevBroker, freeze: Callable[[], Any]
) -> None:
    client = blocking.Client(REDIRECT_URI, broker=broker.origin)
    with freeze():
        url = client.authenticate("alice@example.com")
        login = client.complete({"id_token": broker.mint(url)})
    assert login.issued_at.year >= 2025


NESTED = """
import asyncio, nest_asyncio, sys
from portier_client import Client
nest_asyncio.apply()
client = Client("https://example.com/verify", broker=sys.argv[1])

async def outer():
    # Like in a notebook: a loop runs, and another call runs it again.
    asyncio.get_event_loop().run_until_complete(client.warm())
    url = asyncio.run(client.authenticate("alice@example.com"))
    await client.warm()
    return url

assert "/auth?" in asyncio.run(outer())
print("done")
"""


def test_a_client_works_with_nested_event_loops(broker: DevBroker) -> None:
    command = [sys.executable, "-c", NESTED, broker.origin]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout, done.returncode) == ("done\n", 0), done.stderr


def test_a_blocking_client_works_where_a_loop_runs(broker: DevBroker) -> None:
    """Like in a notebook, whose event loop waits during the call."""

    async def cell() -> str:
        client = blocking.Client(REDIRECT_URI, broker=broker.origin)
        url = client.authenticate("alice@example.com")
        return client.verify(broker.mint(url))

    assert asyncio.run(cell()) == "alice@example.com"


def test_bundlers_find_all_modules(tmp_path: Path) -> None:
    """Bundlers read the bytecode, which does not show the imports of compiled code."""
    script = tmp_path / "site.py"
    script.write_text("import portier_client, portier_client.blocking")
    finder = modulefinder.ModuleFinder(path=[str(PACKAGE.parent), *sys.path])
    # Modules of the standard library take long, and bundlers find them anyway.
    finder.excludes = ["asyncio", "dataclasses", "json", "logging", "typing", "warnings"]
    finder.run_script(str(script))
    sources = PACKAGE.parents[1] / "bindings" / "python" / "src"
    texts = [path.read_text(encoding="utf-8") for path in sources.rglob("*.rs")]
    texts.append((PACKAGE / "_lazy.py").read_text(encoding="utf-8"))
    named = set(re.findall(r'"(portier_client\.[\w.]+)"', "".join(texts)))
    assert {"portier_client.errors", "portier_client._events", "portier_client._form"} <= named
    modules = {name for name in named if (PACKAGE / f"{name.split('.')[1]}.py").exists()}
    assert modules - finder.modules.keys() == set()
