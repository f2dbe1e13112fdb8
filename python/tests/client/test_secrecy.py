"""No log record, output or exception contains a secret."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
import traceback
from io import StringIO
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from portier_client import BrowserMismatch, Client, PortierError, errors

from .conftest import REDIRECT_URI

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from portier_client.testing import DevBroker

EMAIL = "Wilhelmina.Vanishing@example.com"
PASSWORD = "correct-horse-battery"
BROWSER = "hG5mTq-secret-of-this-browser-0123456789abc"
ELSEWHERE = "kW2nZr-secret-of-that-browser-0123456789abc"
STATE = "the-state-of-the-application"
SESSION = "/members?the-session-of-the-application"

KNOWN = {"wilhelmina", "mallory", PASSWORD, BROWSER, ELSEWHERE, STATE, SESSION}


class Everything(logging.Handler):
    """Writes all attributes of all records."""

    def __init__(self) -> None:
        super().__init__()
        self.text = StringIO()
        self.changed = threading.Condition()

    def emit(self, record: logging.LogRecord) -> None:
        with self.changed:
            print(record.levelname, record.name, record.getMessage(), vars(record), file=self.text)
            self.changed.notify_all()

    def wait_for(self, text: str) -> None:
        """Waits for records of another thread."""
        with self.changed:
            assert self.changed.wait_for(lambda: text in self.text.getvalue(), 30)


@pytest.fixture
def everything() -> Iterator[Everything]:
    """All loggers at the most verbose level."""
    everything = Everything()
    root = logging.getLogger()
    level = root.level
    root.setLevel(1)
    root.addHandler(everything)
    yield everything
    root.removeHandler(everything)
    root.setLevel(level)


def told_in(text: str, secrets: Iterable[str]) -> set[str]:
    """The secrets in a text, ignoring case."""
    text = text.lower()
    return {secret for secret in secrets if secret.lower() in text}


class Scene:
    """A site, its output for the operator, and its secrets."""

    def __init__(self, broker: DevBroker) -> None:
        self.broker = broker
        self.secrets = set(KNOWN)

    async def start(self, client: Client, browser: str | None = None) -> str:
        url = await client.authenticate(EMAIL, state=STATE, session=SESSION, browser=browser)
        self.secrets |= set(parse_qs(urlsplit(url).query)["nonce"])
        return url

    def mint(self, url: str, **options: object) -> str:
        token = self.broker.mint(url, **options)  # type: ignore[arg-type]
        return self.keep(token)

    def keep(self, token: str) -> str:
        self.secrets |= {part for part in token.split(".") if len(part) > 8}
        return token

    async def refused(self, attempt: object) -> PortierError:
        with pytest.raises(PortierError) as caught:
            await attempt  # type: ignore[misc]
        for show in (str, repr, lambda error: error.args, traceback.format_exception):
            print(show(caught.value))
        return caught.value

    async def log_in(self, store: str) -> None:
        client = Client(REDIRECT_URI, broker=self.broker.origin, store=store)
        url = await self.start(client)
        token = self.mint(url)
        await self.refused(client.verify(self.keep(token[:-8] + "AAAAAAAA")))
        for claims in ({"aud": "https://evil.example"}, {"exp": 1}, {"email": "mallory@[::1]"}):
            await self.refused(client.verify(self.mint(url, claims=claims)))
        login = await client.complete({"id_token": token, "state": STATE})
        await self.refused(client.verify(token))
        token = self.mint(await self.start(client, BROWSER))
        form = {"id_token": token, "state": STATE}
        mismatch = await self.refused(client.complete(form, browser=ELSEWHERE))
        assert isinstance(mismatch, BrowserMismatch)
        assert mismatch.confirmation is not None
        self.secrets.add(mismatch.confirmation)
        confirmation = mismatch.confirmation
        await client.complete(form, browser=ELSEWHERE, confirmation=confirmation)
        answer = {"error": "access_denied", "error_description": EMAIL}
        await self.refused(client.complete(answer))
        await self.refused(client.authenticate(f"{EMAIL}@two"))
        print(client, login, client.stats(), await client.keys(), await client.discover())
        await client.aclose()


@pytest.mark.filterwarnings("ignore:.*:ResourceWarning")
def test_verbose_logging_shows_no_secret(
    broker: DevBroker, everything: Everything, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    scene = Scene(broker)

    async def go() -> None:
        for store in ("memory:", f"sqlite:///{tmp_path / 'logins.db'}"):
            await scene.log_in(store)
        locked = f"redis://user:{PASSWORD}@127.0.0.1:1"
        client = Client(REDIRECT_URI, broker=broker.origin, store=locked)
        print(client)
        await scene.refused(client.authenticate(EMAIL))
        await scene.refused(Client(REDIRECT_URI, broker="http://127.0.0.1:1").warm())
        with pytest.raises(errors.ConfigError) as wrong:
            Client(REDIRECT_URI, broker=f"https://user:{PASSWORD}@broker.example")
        print(wrong.value, repr(wrong.value))

    asyncio.run(go(), debug=True)
    everything.wait_for("document not fetched")
    everything.wait_for("login completed")
    printed, complaints = capfd.readouterr()
    text = everything.text.getvalue()
    for name in ("portier_client", "asyncio"):
        assert f" {name} " in text
    assert len(scene.secrets) > 20
    for output in (text, printed, complaints):
        assert told_in(output, scene.secrets) == set()
        # Text that looks like a token, or like an address.
        assert re.findall(r"eyJ[\w-]{8,}|[\w.+-]+@[\w-]+\.\w+", output) == []

    for secret in scene.secrets:
        logging.getLogger("portier_client").debug("on purpose", extra={"fields": {"a": secret}})
    assert told_in(everything.text.getvalue(), scene.secrets) == scene.secrets
