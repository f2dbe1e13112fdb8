"""A login that is started in one language is completed in another, through a shared store.

Each half is a process of its own, and only the first of all asks the broker for anything.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from portier_client.testing import DevBroker

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LANGUAGES = {
    "rust": [str(ROOT / "target/debug/examples/half_a_login")],
    "python": [sys.executable, str(HERE / "half_a_login.py")],
    "node": [os.environ.get("NODE", "node"), str(HERE / "half_a_login.cjs")],
}


@pytest.fixture(scope="module")
def broker() -> Iterator[DevBroker]:
    """A development broker, whose keys exist already."""
    with DevBroker(mode="accept") as broker:
        broker.key_id()
        yield broker


@contextmanager
def sqlite(folder: Path) -> Iterator[str]:
    """The URL of a file."""
    yield f"sqlite:///{folder}/logins.db"


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """The URL of a server of one's own."""
    program = shutil.which("redis-server")
    if program is None:
        assert "CI" not in os.environ, "there is no redis-server here"
        pytest.skip("there is no redis-server here")
    socket = folder / "redis.sock"
    command = [program, "--port", "0", "--unixsocket", str(socket), "--save", ""]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 30
            while not socket.exists():
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.01)
            yield f"redis+unix://{socket}"
        finally:
            process.terminate()


def half(language: str, broker: str, store: str, token: str | None = None) -> dict[str, Any]:
    """Does one half of a login in another process."""
    words = [] if token is None else ["complete"]
    process = subprocess.run(
        [*LANGUAGES[language], broker, store, *words],
        check=False,
        input=f"{token}\n",
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert process.returncode == 0, process.stderr
    answer: dict[str, Any] = json.loads(process.stdout)
    return answer


@pytest.mark.parametrize("kind", [sqlite, redis])
def test_a_login_started_in_one_language_is_completed_in_another(
    kind: Any, broker: DevBroker
) -> None:
    with tempfile.TemporaryDirectory() as folder, kind(Path(folder)) as store:
        # The first process fetches what all others need.
        first = half("rust", broker.origin, store)
        assert half("rust", broker.origin, store, broker.mint(first["result"]))["requests"] == 1
        for one, other in itertools.product(LANGUAGES, repeat=2):
            started = half(one, broker.origin, store)
            token = broker.mint(started["result"])
            completed = half(other, broker.origin, store, token)
            again = half(one, broker.origin, store, token)
            assert completed["result"] == "alice@example.com", (one, other)
            assert again["result"] == "session_used", (one, other)
            requests = started["requests"] + completed["requests"] + again["requests"]
            assert requests == 0, (one, other)


@pytest.mark.parametrize("kind", [sqlite, redis])
@pytest.mark.parametrize("language", LANGUAGES)
def test_without_shared_documents_each_process_asks_for_its_own(
    kind: Any, language: str, broker: DevBroker
) -> None:
    with tempfile.TemporaryDirectory() as folder, kind(Path(folder)) as store:
        for _ in range(2):
            started = half(language, broker.origin, f"{store}?documents=off")
            completed = half(
                language,
                broker.origin,
                f"{store}?documents=off",
                broker.mint(started["result"]),
            )
            assert completed["result"] == "alice@example.com"
            assert (started["requests"], completed["requests"]) == (1, 2)
