"""Requests of a site without an integration."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Any

from portier_client.web import WebRequest

if TYPE_CHECKING:
    from portier_client.web import LoginFlow, Step

REDIRECT_URI = "https://example.com/verify"
FORM = "application/x-www-form-urlencoded"
SECRET = "s" * 43
COOKIES = [("Cookie", "a=1"), ("Cookie", f"__Host-portier={SECRET}"), ("X-Other", "b")]
HEADERS = [*COOKIES, ("Content-Type", FORM)]


def start(flow: LoginFlow, form: object, headers: Any = HEADERS, **options: Any) -> Step:
    return asyncio.run(flow.login(WebRequest("POST", headers, form, **options)))  # type: ignore[arg-type]


def environ_of(headers: list[tuple[str, str]], body: bytes = b"") -> dict[str, Any]:
    environ: dict[str, Any] = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(len(body))}
    for name, value in headers:
        key = name.upper().replace("-", "_")
        key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        environ[key] = "; ".join([*([environ[key]] if key in environ else []), value])
    return {**environ, "wsgi.input": io.BytesIO(body), "PATH_INFO": "/login"}
