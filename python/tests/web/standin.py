"""A client whose answers are known beforehand, and more for tests of the handlers on their own."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from portier_client import BrowserMismatch, Login, PortierError
from portier_client.tornado import VerifyHandler

MESSAGE = "for developers only"
FORM = {"id_token": "a.b.c", "state": "\"><script>'&", "error_description": "x", "other": "y"}
ELSEWHERE = BrowserMismatch(
    MESSAGE, code="session_browser", email='"<b>&"@example.com', confirmation="a-b_c"
)


@dataclass
class StandIn:
    """A client whose answers are known beforehand."""

    answer: PortierError | Login
    redirect_uri: str = "https://example.com/verify"
    client_id: str = "https://example.com"
    completed: list[tuple[dict[str, list[bytes]], str | None, str | None]] = field(
        default_factory=list
    )

    async def authenticate(self, email: str, *, session: str | None, browser: str | None) -> str:
        return self._answered()

    async def complete(
        self,
        form: dict[str, list[bytes]],
        browser: str | None = None,
        *,
        confirmation: str | None = None,
    ) -> Login:
        self.completed.append((form, browser, confirmation))
        return self._answered()

    def _answered(self) -> Any:
        if isinstance(self.answer, PortierError):
            raise self.answer
        return self.answer


def login(session: str | None = None) -> Login:
    return Login(
        email="alice@example.com",
        email_original="Alice@example.com",
        session=session,
        state=None,
        issued_at=datetime.now(UTC),
        auth_time=None,
        same_browser=False,
    )


class Verify(VerifyHandler):
    def on_login(self, login: Login) -> None:
        self.set_cookie("email", login.email, **self.cookie_flags)


def sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
