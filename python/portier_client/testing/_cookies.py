"""Cookies that responses have set, for clients that keep none, and for real browsers."""

from __future__ import annotations

import time
from collections.abc import Iterable
from email.utils import parsedate_to_datetime
from typing import Any

_SAME_SITE = {"lax": "Lax", "strict": "Strict", "none": "None"}


class Cookies:
    """The cookies of one site, by name."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[str, dict[str, str]]] = {}

    def keep(self, set_cookies: Iterable[str]) -> None:
        """Keep what the ``Set-Cookie`` headers of a response say."""
        for header in set_cookies:
            pair, *attributes = (part.strip() for part in header.split(";"))
            name, _, value = pair.partition("=")
            given = {
                attribute.partition("=")[0].strip().lower(): attribute.partition("=")[2].strip()
                for attribute in attributes
            }
            if _is_over(given):
                self._kept.pop(name, None)
            else:
                self._kept[name] = value, given

    @property
    def header(self) -> str:
        """The value of a ``Cookie`` header."""
        return "; ".join(f"{name}={value}" for name, (value, _) in self._kept.items())

    def for_browsers(self, origin: str) -> list[dict[str, Any]]:
        """The cookies in the form that Playwright's ``add_cookies`` takes."""
        return [
            {
                "name": name,
                "value": value,
                "url": origin,
                "httpOnly": "httponly" in given,
                "secure": "secure" in given,
                "sameSite": _SAME_SITE.get(given.get("samesite", "").lower(), "Lax"),
            }
            for name, (value, given) in self._kept.items()
        ]


def _is_over(given: dict[str, str]) -> bool:
    if "max-age" in given:
        return given["max-age"].startswith(("0", "-"))
    if "expires" not in given:
        return False
    try:
        return parsedate_to_datetime(given["expires"]).timestamp() <= time.time()
    except ValueError:
        return False
